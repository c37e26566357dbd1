// Moments of 60,000 x 4096 float32 activations, beside a copy of the same memory by as many threads, in
// turns.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "analysis/moments.h"
#include "bench/facts.h"
#include "bench/statistics.h"
#include "kernels/array.h"
#include "kernels/parallel.h"

namespace shoal {
namespace {

constexpr std::int64_t kRows = 60000;
constexpr int kColumns = 4096;
constexpr int kRepeats = 7;

/// Bytes per second by the clock, and per second of all processors together.
struct Rate {
  double clock, processor;
};

template <class Work>
Rate rate_of(double bytes, const Work& work) {
  const double clock = seconds(), processor = processor_seconds();
  work();
  return {bytes / (seconds() - clock), bytes / (processor_seconds() - processor)};
}

void copy_all(AlignedArray<float>& to, const AlignedArray<float>& from, int threads) {
  constexpr int kPieces = 64;
  parallel_for(threads, kPieces, [&](int, int piece) {
    const std::size_t first = from.size() * static_cast<std::size_t>(piece) / kPieces,
                      last = from.size() * (static_cast<std::size_t>(piece) + 1) / kPieces;
    std::memcpy(to.data() + first, from.data() + first, (last - first) * sizeof(float));
  });
}

void check(const AlignedArray<float>& x, const std::vector<ShapeMoments>& moments) {
  for (const int column : {0, 1, 1000, kColumns - 1}) {
    long double mean = 0, m2 = 0, m4 = 0;
    const auto at = [&](std::int64_t row) {
      return static_cast<long double>(x[static_cast<std::size_t>(row * kColumns + column)]);
    };
    for (std::int64_t r = 0; r < kRows; ++r) mean += at(r) / kRows;
    for (std::int64_t r = 0; r < kRows; ++r) {
      const long double square = (at(r) - mean) * (at(r) - mean);
      m2 += square;
      m4 += square * square;
    }
    const ShapeMoments& m = moments[static_cast<std::size_t>(column)];
    if (!(m.count == kRows && std::abs(m.mean - static_cast<double>(mean)) <= 1e-12 &&
          std::abs(m.m2 / static_cast<double>(m2) - 1) <= 1e-12 &&
          std::abs(m.m4 / static_cast<double>(m4) - 1) <= 1e-11))
      throw WrongResult(fmt::format("the moments of column {} are wrong: not timed", column));
  }
}

}  // namespace

void measure_column_moments() {
  const Calculator calculator;
  AlignedArray<float> x(static_cast<std::size_t>(kRows * kColumns)), copy(x.size());
  // Activations: no value below 0.
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(std::max(0.0, bench_value(i)));
  const MatrixView<float> matrix{x.data(), kRows, kColumns, kColumns};
  check(x, column_moments(calculator, matrix));
  copy_all(copy, x, calculator.threads());
  std::vector<double> rates, copies, shares, processor_shares;
  const auto bytes = static_cast<double>(x.bytes());
  for (int r = 0; r < kRepeats; ++r) {
    const Rate copied =
        rate_of(2 * bytes, [&] { copy_all(copy, x, calculator.threads()); });  // read and written
    const Rate folded = rate_of(bytes, [&] { column_moments(calculator, matrix); });
    rates.push_back(folded.clock);
    copies.push_back(copied.clock);
    shares.push_back(folded.clock / copied.clock);
    processor_shares.push_back(folded.processor / copied.processor);
  }
  fmt::print(
      "{{\"bench\":\"statistics\",\"workload\":\"column moments 60000 x 4096 "
      "float32\",\"gb_per_second\":{:.2f},"
      "\"copy_gb_per_second\":{:.2f},\"share_of_copy\":{:.3f},\"lowest_share\":{:.3f},\"highest_share\":{:."
      "3f},"
      "\"share_of_copy_by_processor_time\":{:.3f},\"repeats\":{},{}}}\n",
      median(rates) / 1e9, median(copies) / 1e9, median(shares),
      *std::min_element(shares.begin(), shares.end()), *std::max_element(shares.begin(), shares.end()),
      median(processor_shares), kRepeats, facts(calculator.threads()));
}

}  // namespace shoal
