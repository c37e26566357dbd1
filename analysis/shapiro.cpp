#include "analysis/shapiro.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <mutex>
#include <numbers>
#include <utility>

#include "analysis/normal.h"
#include "analysis/sorting.h"

namespace shoal {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kPublished = 5000;

/// Coefficients in ascending powers of x.
double polynomial(std::initializer_list<double> c, double x) {
  double sum = 0;
  for (auto i = std::rbegin(c); i != std::rend(c); ++i) sum = sum * x + *i;
  return sum;
}

/// Coefficients of every size that occurs among the samples, each once.
struct Tables {
  std::vector<double> coefficients;
  std::vector<std::int64_t> begin;  // [samples]
  std::vector<double> squares;      // [samples] sum of the squares of a sample's coefficients
};

std::int64_t size_of(std::span<const std::int64_t> offsets, std::size_t s) {
  return offsets[s + 1] - offsets[s];
}

Tables tables_for(const Calculator& calculator, std::span<const std::int64_t> offsets) {
  const std::size_t samples = offsets.size() - 1;
  std::vector<std::int64_t> sizes;
  for (std::size_t s = 0; s < samples; ++s)
    if (size_of(offsets, s) >= 3) sizes.push_back(size_of(offsets, s));
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  std::vector<std::int64_t> begin{0};
  for (const std::int64_t n : sizes) begin.push_back(begin.back() + n);
  // The op reads as many coefficients as a sample has values: those of one and two need room, too.
  const std::int64_t room = std::max<std::int64_t>(begin.back(), 2);
  Tables t{std::vector<double>(static_cast<std::size_t>(room)), std::vector<std::int64_t>(samples),
           std::vector<double>(samples, 1.0)};
  std::vector<double> squares(sizes.size());
  calculator.for_each(static_cast<int>(sizes.size()), [&](int i) {
    const auto k = static_cast<std::size_t>(i);
    const std::vector<double> c = shapiro_coefficients(sizes[k]);
    std::copy(c.begin(), c.end(), t.coefficients.begin() + begin[k]);
    long double sum = 0;
    for (const double x : c) sum += static_cast<long double>(x) * x;
    squares[k] = static_cast<double>(sum);
  });
  for (std::size_t s = 0; s < samples; ++s) {
    const auto found = std::lower_bound(sizes.begin(), sizes.end(), size_of(offsets, s));
    if (found == sizes.end() || *found != size_of(offsets, s)) continue;  // n < 3
    t.begin[s] = begin[static_cast<std::size_t>(found - sizes.begin())];
    t.squares[s] = squares[static_cast<std::size_t>(found - sizes.begin())];
  }
  return t;
}

ShapiroWilk answer(std::int64_t n, double range, double lack) {
  if (n < 3) return {kNone, kNone, n, ShapiroStatus::too_few};
  if (!std::isfinite(range)) return {kNone, kNone, n, ShapiroStatus::not_finite};
  if (range == 0) return {kNone, kNone, n, ShapiroStatus::no_range};
  return {1 - lack, shapiro_p(lack, n), n, n > kPublished ? ShapiroStatus::beyond_5000 : ShapiroStatus::ok};
}

/// Range and 1 - W of every sample.
struct Lacks {
  std::vector<double> range, lack;
};

/// Room for sorting, handed from range to range: fresh memory for each would cost as much as the sort.
class Rooms {
 public:
  struct Room {
    std::vector<double> sorted, scratch;
  };
  Room take(std::size_t values) {
    Room room;
    {
      const std::lock_guard lock(mutex_);
      if (!rooms_.empty()) {
        room = std::move(rooms_.back());
        rooms_.pop_back();
      }
    }
    if (room.sorted.size() < values) room = {std::vector<double>(values), std::vector<double>(values)};
    return room;
  }
  void give_back(Room room) {
    const std::lock_guard lock(mutex_);
    rooms_.push_back(std::move(room));
  }

 private:
  std::mutex mutex_;
  std::vector<Room> rooms_;
};

/// The CPU sorts a range of samples and looks at them while they are in cache.
void run_on_cpu(const Calculator& calculator, Samples<double> samples, const Tables& tables, bool sort_first,
                Lacks& out) {
  Rooms rooms;
  calculator.over_samples(samples.offsets, [&](std::int64_t first, std::int64_t last, void* stream) {
    const auto f = static_cast<std::size_t>(first), count = static_cast<std::size_t>(last - first);
    const std::int64_t begin = samples.offsets[f], values = samples.offsets[f + count] - begin;
    std::vector<std::int64_t> offsets(count + 1);
    for (std::size_t s = 0; s <= count; ++s) offsets[s] = samples.offsets[f + s] - begin;
    const double* x = samples.values.data() + begin;
    Rooms::Room room = rooms.take(sort_first ? static_cast<std::size_t>(values) : 0);
    if (sort_first) {
      calculator.ops().sort_samples({nullptr, nullptr, x, room.sorted.data(), offsets.data(), last - first,
                                     values, room.scratch.data(), room.scratch.size() * sizeof(double)},
                                    stream);
      x = room.sorted.data();
    }
    calculator.ops().shapiro_lack(
        {x, offsets.data(), last - first, tables.coefficients.data(), tables.begin.data() + f,
         tables.squares.data() + f, out.range.data() + f, out.lack.data() + f},
        stream);
    rooms.give_back(std::move(room));
  });
}

void run_on_device(const Calculator& calculator, Samples<double> samples, const Tables& tables,
                   bool sort_first, Lacks& out) {
  const std::int64_t count = samples.count(), values = static_cast<std::int64_t>(samples.values.size());
  if (count == 0) return;
  const std::size_t scratch_bytes = sort_first ? sort_scratch(calculator, values, count, sizeof(double)) : 0;
  const Input<double> input(calculator, samples.values), squares(calculator, std::span(tables.squares)),
      coefficients(calculator, std::span(tables.coefficients));
  const Input<std::int64_t> offsets(calculator, samples.offsets), begin(calculator, std::span(tables.begin));
  const Output<double> range(calculator, std::span(out.range)), lack(calculator, std::span(out.lack));
  const Scratch<double> sorted(calculator, sort_first ? samples.values.size() : 0);
  const Scratch<std::byte> scratch(calculator, scratch_bytes);
  if (sort_first)
    calculator.ops().sort_samples({nullptr, nullptr, input.get(), sorted.get(), offsets.get(), count, values,
                                   scratch.get(), scratch_bytes},
                                  calculator.stream());
  calculator.ops().shapiro_lack({sort_first ? sorted.get() : input.get(), offsets.get(), count,
                                 coefficients.get(), begin.get(), squares.get(), range.get(), lack.get()},
                                calculator.stream());
  range.fetch();
  lack.fetch();
}

std::vector<ShapiroWilk> run(const Calculator& calculator, Samples<double> samples, bool sort_first) {
  check_samples(samples.offsets, samples.values.size());
  const auto count = static_cast<std::size_t>(samples.count());
  const Tables tables = tables_for(calculator, samples.offsets);
  Lacks out{std::vector<double>(count), std::vector<double>(count)};
  if (calculator.device()) run_on_device(calculator, samples, tables, sort_first, out);
  else run_on_cpu(calculator, samples, tables, sort_first, out);
  std::vector<ShapiroWilk> results(count);
  for (std::size_t s = 0; s < count; ++s)
    results[s] = answer(size_of(samples.offsets, s), out.range[s], out.lack[s]);
  return results;
}

}  // namespace

std::string_view to_text(ShapiroStatus status) {
  switch (status) {
    case ShapiroStatus::ok: return "ok";
    case ShapiroStatus::beyond_5000:
      return "the sample has more than 5000 values, for which p was not calibrated; W is as defined";
    case ShapiroStatus::too_few: return "the test needs at least 3 values";
    case ShapiroStatus::no_range: return "all values are equal, so there is no shape to test";
    case ShapiroStatus::not_finite: return "the sample holds a value that is not finite, or its range is not";
  }
  return "?";
}

std::vector<double> shapiro_coefficients(std::int64_t n) {
  const auto size = static_cast<std::size_t>(n), half = size / 2;
  std::vector<double> a(half);  // of the largest, the second largest, ...
  if (n == 3) {
    a[0] = std::numbers::sqrt2 / 2;
  } else {
    std::vector<double> score(half);  // expected order statistics of the largest values, nearly
    double squares = 0;
    for (std::size_t i = 0; i < half; ++i) {
      score[i] = -normal_quantile((static_cast<double>(i) + 0.625) / (static_cast<double>(n) + 0.25));
      squares += 2 * score[i] * score[i];
    }
    const double u = 1 / std::sqrt(static_cast<double>(n)), norm = std::sqrt(squares);
    a[0] = polynomial({score[0] / norm, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056}, u);
    std::size_t done = 1;
    double left = squares - 2 * score[0] * score[0], share = 1 - 2 * a[0] * a[0];
    if (n > 5) {
      a[1] = polynomial({score[1] / norm, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633}, u);
      left -= 2 * score[1] * score[1];
      share -= 2 * a[1] * a[1];
      done = 2;
    }
    const double scale = std::sqrt(share / left);
    for (std::size_t i = done; i < half; ++i) a[i] = score[i] * scale;
  }
  std::vector<double> c(size, 0.0);
  for (std::size_t i = 0; i < half; ++i) {
    c[i] = -a[i];
    c[size - 1 - i] = a[i];
  }
  return c;
}

double shapiro_p(double lack, std::int64_t n) {
  if (n == 3) {
    const double p = 6 / std::numbers::pi * (std::asin(std::sqrt(1 - lack)) - std::numbers::pi / 3);
    return std::clamp(p, 0.0, 1.0);
  }
  const auto size = static_cast<double>(n);
  double y = std::log(lack), mean = 0, sd = 0;
  if (n <= 11) {
    const double reach = polynomial({-2.273, 0.459}, size);
    if (y >= reach) return 0.0;
    y = -std::log(reach - y);
    mean = polynomial({0.544, -0.39978, 0.025054, -6.714e-4}, size);
    sd = std::exp(polynomial({1.3822, -0.77857, 0.062767, -0.0020322}, size));
  } else {
    const double x = std::log(size);
    mean = polynomial({-1.5861, -0.31082, -0.083751, 0.0038915}, x);
    sd = std::exp(polynomial({-0.4803, -0.082676, 0.0030302}, x));
  }
  return normal_upper_tail((y - mean) / sd);
}

std::vector<ShapiroWilk> shapiro_wilk(const Calculator& calculator, Samples<double> samples) {
  return run(calculator, samples, true);
}

std::vector<ShapiroWilk> shapiro_wilk_of_sorted(const Calculator& calculator, Samples<double> samples) {
  return run(calculator, samples, false);
}

}  // namespace shoal
