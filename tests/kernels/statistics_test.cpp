// The ops of statistics on arrays, against long double.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "tests/kernels/arena.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/random.h"
#include "tests/reference/shape.h"

namespace shoal::test {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kDoubleRounding = 0x1p-53;
constexpr double kMostPerShift = 2048;  // values that a machine adds around one shift, at most

/// Sum of k-th powers of the deviations of n values within `range` of each other around `mean`. Around a
/// shift among them each of up to b powers is at most range^k and errs by (k + 1) roundings, their sum by b;
/// what a central sum is made of (1, 2, 6, 14 times b range^k in magnitude) errs by k such sums. Means err by
/// a rounding of their size for each of the merges, which enters the sum k times.
double power_tolerance(int k, double n, double merges, double mean, double range) {
  const double pieces[] = {1, 1, 2, 6, 14}, b = std::min(n, kMostPerShift);
  return kDoubleRounding * (pieces[k] * k * (b + merges + 8) * n * std::pow(range, k) +
                            k * (merges + 3) * (std::abs(mean) + range) * n * std::pow(range, k - 1)) +
         1e-300;
}

void see(Worst& worst, const ShapeMoments& m, const std::vector<double>& values, int column) {
  const reference::Shape s = reference::shape_of(values);
  const auto n = static_cast<double>(s.count), mean = static_cast<double>(s.mean),
             range = static_cast<double>(s.max - s.min);
  if (!(m.count == n) || !(m.zeros == static_cast<double>(s.zeros)) ||
      !(m.min == static_cast<double>(s.min)) || !(m.max == static_cast<double>(s.max)))
    worst.ratio = 1e300;
  worst.see(m.mean, mean,
            kDoubleRounding * (std::min(n, kMostPerShift) + n) * (std::abs(mean) + range) + 1e-300, 0, 1, 0,
            column);
  const long double sums[] = {s.m2, s.m3, s.m4};
  const double found[] = {m.m2, m.m3, m.m4};
  for (int k = 2; k <= 4; ++k)
    worst.see(found[k - 2], static_cast<double>(sums[k - 2]), power_tolerance(k, n, n, mean, range), 0, k, 0,
              column);
}

bool same(const ShapeMoments& a, const ShapeMoments& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

ShapeMoments shape_of_all(const std::vector<double>& values, std::size_t begin, std::size_t end) {
  if (begin == end) return empty_shape();
  if (end - begin == 1) return shape_of(values[begin]);
  const std::size_t middle = begin + (end - begin + 2) / 3;
  return merge(shape_of_all(values, begin, middle), shape_of_all(values, middle, end));
}

TEST_CASE("shape: laws of the monoid") {
  const ShapeMoments none = empty_shape(), one = shape_of(-3.5), zero = shape_of(-0.0);
  CHECK(same(merge(none, none), none));
  CHECK(none.min > none.max);
  CHECK(std::isnan(variance(none)));
  CHECK(std::isnan(sample_variance(one)));
  for (const ShapeMoments& m : {one, zero, merge(one, zero)}) {
    CHECK(same(merge(none, m), m));
    CHECK(same(merge(m, none), m));
    CHECK(same(merge(ShapeMoments{}, m), m));  // cleared memory is empty, too
  }
  CHECK(one.mean == -3.5);
  CHECK(one.zeros == 0);
  CHECK(zero.zeros == 1);
  const ShapeMoments negative = merge(shape_of(-1), shape_of(-2));
  CHECK(negative.max == -1);
  CHECK(variance(negative) == 0.25);
  CHECK(sample_variance(negative) == 0.5);
  CHECK(skewness(negative) == 0);
  CHECK(kurtosis(negative) == -2);  // two points have the least kurtosis there is
  for (const double odd : {std::nan(""), kInf, -kInf}) {
    for (const ShapeMoments& m : {merge(shape_of(odd), one), merge(one, shape_of(odd)),
                                  merge(merge(one, zero), merge(shape_of(odd), one))}) {
      CHECK_FALSE(std::isfinite(m.mean));
      CHECK(std::isnan(m.m2));
      CHECK(std::isnan(m.m3));
      CHECK(std::isnan(m.m4));
      CHECK(std::isnan(m.min) == std::isnan(odd));
      CHECK(std::isnan(m.max) == std::isnan(odd));
      if (!std::isnan(odd)) CHECK((odd > 0 ? m.max : m.min) == odd);
    }
  }
}

TEST_CASE("shape: however a sample is cut, the result is the same to rounding") {
  reference::Draws draws(51);
  for (const double offset : {0.0, 1e4, -1e6})
    for (const std::size_t n : {2u, 3u, 17u, 1000u}) {
      CAPTURE(offset);
      CAPTURE(n);
      std::vector<double> values;
      for (std::size_t i = 0; i < n; ++i)
        values.push_back(offset + (i % 3 == 0 ? 0.0 : std::exp(draws.uniform(-3.0, 1.0))));
      Worst worst;
      see(worst, shape_of_all(values, 0, n), values, 0);
      for (const std::size_t cut : {std::size_t{0}, n / 4, n / 2, n}) {
        const ShapeMoments left = shape_of_all(values, 0, cut), right = shape_of_all(values, cut, n);
        see(worst, merge(left, right), values, 1);
        see(worst, merge(right, left), values, 2);
        std::vector<double> more = values;
        more.push_back(offset);
        see(worst, merge(merge(left, right), shape_of(offset)), more, 3);
        see(worst, merge(left, merge(right, shape_of(offset))), more, 4);
      }
      CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
    }
}

template <class T>
FoldColumns fold_of(T* values) {
  FoldColumns op{};
  if constexpr (sizeof(T) == sizeof(float)) op.floats = values;
  else op.doubles = values;
  return op;
}

template <class T>
void check_columns(const TestMachine& machine, int rows, int columns, int part_rows, double offset) {
  CAPTURE(machine.name);
  CAPTURE(rows);
  CAPTURE(columns);
  CAPTURE(part_rows);
  const int stride = columns + 3, parts = (rows + part_rows - 1) / part_rows;
  reference::Draws draws(52);
  std::vector<T> values(static_cast<std::size_t>(rows * stride), std::numeric_limits<T>::quiet_NaN());
  const auto at = [&](int r, int c) -> T& { return values[static_cast<std::size_t>(r * stride + c)]; };
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      at(r, c) = static_cast<T>(draws.below(4) == 0 ? 0.0 : offset + (c % 5) * draws.uniform(-0.5, 1.0));
  Arena arena(machine);
  FoldColumns op = fold_of(arena.put(values, "values"));
  op.rows = rows, op.stride = stride, op.part_rows = part_rows, op.columns = columns;
  // The first value of every sample is there already.
  std::vector<ShapeMoments> kept;
  for (int i = 0; i < parts * columns; ++i)
    kept.push_back(i % 2 == 0 ? empty_shape() : shape_of(offset + 0.25));
  op.moments = arena.put(kept, "moments");
  machine.statistics.fold_columns(op, arena.stream());
  const std::vector<ShapeMoments> found = arena.get(op.moments);
  Worst worst;
  for (int part = 0; part < parts; ++part)
    for (int c = 0; c < columns; ++c) {
      std::vector<double> sample;
      const int i = part * columns + c;
      if (i % 2 != 0) sample.push_back(offset + 0.25);
      for (int r = part * part_rows; r < std::min(rows, (part + 1) * part_rows); ++r)
        sample.push_back(static_cast<double>(at(r, c)));
      see(worst, found[static_cast<std::size_t>(i)], sample, c);
    }
  CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
  CHECK(arena.touched() == "");
}

TEST_CASE("fold_columns: every column of every part has the moments of two passes") {
  for (const TestMachine& machine : machines())
    for (const int columns : {1, 7, 15, 16, 17, 63, 64, 65, 130})
      for (const int rows : {1, 2, 3, 7, 17, 64, 65, 130}) {
        if (machine.is_emulated && rows > 3 && rows + columns > 132 && rows != columns) continue;
        check_columns<float>(machine, rows, columns, rows < 64 ? 1000 : 50, columns % 2 == 0 ? 0.0 : 1e4);
        check_columns<double>(machine, rows, columns, rows < 64 ? 1000 : 50, columns % 2 == 0 ? 1e9 : 0.0);
      }
}

TEST_CASE("fold_columns: many rows of one part, over several shifts") {
  for (const TestMachine& machine : machines()) {
    check_columns<float>(machine, machine.is_emulated ? 2500 : 5000, 3, 1 << 20, 1e4);
    check_columns<double>(machine, machine.is_emulated ? 2500 : 5000, 2, 1 << 20, -1e6);
    if (!machine.is_emulated) check_columns<float>(machine, 3000, 600, 2048, 1.0);
  }
}

TEST_CASE("fold_columns: a column's bits do not depend on its place among others") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    reference::Draws draws(53);
    constexpr int kRows = 40, kColumns = 70;
    std::vector<float> column, matrix(kRows * kColumns, 3.0f);
    for (int r = 0; r < kRows; ++r) column.push_back(static_cast<float>(draws.uniform(-1.0, 2.0)));
    const auto moments_of_matrix = [&](const std::vector<float>& values, int columns) {
      Arena arena(machine);
      FoldColumns op = fold_of(arena.put(values, "values"));
      op.rows = kRows, op.stride = columns, op.part_rows = 1000, op.columns = columns;
      op.moments =
          arena.put(std::vector<ShapeMoments>(static_cast<std::size_t>(columns), empty_shape()), "moments");
      machine.statistics.fold_columns(op, arena.stream());
      return arena.get(op.moments);
    };
    const ShapeMoments alone = moments_of_matrix(column, 1)[0];
    for (const int place : {0, 1, 15, 16, 31, 33, 69}) {
      for (int r = 0; r < kRows; ++r)
        matrix[static_cast<std::size_t>(r * kColumns + place)] = column[static_cast<std::size_t>(r)];
      CHECK(same(moments_of_matrix(matrix, kColumns)[static_cast<std::size_t>(place)], alone));
    }
  }
}

TEST_CASE("fold_columns: what is not finite shows, and only in its own column") {
  for (const TestMachine& machine : machines())
    for (const int row : {0, 3, 9}) {
      CAPTURE(machine.name);
      CAPTURE(row);
      constexpr int kColumns = 5, kRows = 10;
      std::vector<float> values;
      for (int i = 0; i < kRows * kColumns; ++i) values.push_back(static_cast<float>(i % 7));
      const float odd[] = {std::nanf(""), INFINITY, -INFINITY};
      for (int c = 0; c < 3; ++c) values[static_cast<std::size_t>(row * kColumns + c)] = odd[c];
      Arena arena(machine);
      FoldColumns op = fold_of(arena.put(values, "values"));
      op.rows = kRows, op.stride = kColumns, op.part_rows = 1000, op.columns = kColumns;
      op.moments = arena.put(std::vector<ShapeMoments>(kColumns, empty_shape()), "moments");
      machine.statistics.fold_columns(op, arena.stream());
      const std::vector<ShapeMoments> m = arena.get(op.moments);
      for (std::size_t c = 0; c < kColumns; ++c) {
        CHECK(std::isfinite(m[c].mean) == (c >= 3));
        CHECK(std::isfinite(m[c].m2) == (c >= 3));
        CHECK(std::isfinite(m[c].m4) == (c >= 3));
      }
      CHECK(std::isnan(m[0].min));
      CHECK(std::isnan(m[0].max));
      CHECK(m[1].max == kInf);
      CHECK(m[1].min == 0);
      CHECK(m[2].min == -kInf);
      CHECK(m[2].max == 6);
    }
}

/// Samples of odd sizes and many kinds: spread over all magnitudes, close together, mostly equal, descending.
template <class T>
std::vector<std::vector<T>> samples_to_sort() {
  reference::Draws draws(54);
  const T inf = std::numeric_limits<T>::infinity(), tiny = std::numeric_limits<T>::denorm_min();
  std::vector<std::vector<T>> samples{
      {}, {3}, {-inf, inf, 0, -1, 1, tiny, -tiny, std::numeric_limits<T>::max()}, {2, 1}, {5, 5, 5}};
  for (const int n : {7, 16, 17, 24, 25, 63, 64, 65, 130, 1024, 3000})
    for (int kind = 0; kind < 6; ++kind) {
      std::vector<T> x;
      for (int i = 0; i < n; ++i) {
        const double u = draws.uniform(-1.0, 1.0);
        const double v = kind == 0   ? u
                         : kind == 1 ? std::ldexp(u, draws.below(200) - 100)
                         : kind == 2 ? 1e4 + 1e-3 * u
                         : kind == 3 ? draws.below(5) - 2.0
                         : kind == 4 ? -3.0 * i
                                     : (i % 50 == 0 ? 1e30 * u : 1.0 + 1e-13 * std::floor(1e4 * u));
        x.push_back(static_cast<T>(v));
      }
      samples.push_back(x);
    }
  return samples;
}

template <class T>
void check_sort(const TestMachine& machine) {
  CAPTURE(machine.name);
  std::vector<T> values(2, std::numeric_limits<T>::quiet_NaN()),
      expected = values;  // before the first sample
  std::vector<std::int64_t> offsets{2};
  for (std::vector<T> x : samples_to_sort<T>()) {
    values.insert(values.end(), x.begin(), x.end());
    std::sort(x.begin(), x.end());
    expected.insert(expected.end(), x.begin(), x.end());
    offsets.push_back(static_cast<std::int64_t>(values.size()));
  }
  Arena arena(machine);
  SortSamples op{};
  T *in = arena.put(values, "values"), *out = arena.room<T>(values.size(), "sorted");
  if constexpr (sizeof(T) == sizeof(float)) op.floats = in, op.sorted_floats = out;
  else op.doubles = in, op.sorted_doubles = out;
  op.offsets = arena.put(offsets, "offsets");
  op.samples = static_cast<std::int64_t>(offsets.size()) - 1;
  op.values = static_cast<std::int64_t>(values.size());
  op.scratch_bytes = machine.sort_scratch(op.values, op.samples, sizeof(T));
  op.scratch = arena.room<std::byte>(op.scratch_bytes, "scratch");
  machine.statistics.sort_samples(op, arena.stream());
  const std::vector<T> sorted = arena.get(out);
  CHECK(arena.get(in).size() == values.size());
  long wrong = 0;
  for (std::size_t i = 2; i < values.size(); ++i) wrong += sorted[i] == expected[i] ? 0 : 1;
  CHECK(wrong == 0);
  CHECK(arena.touched() == "");
}

TEST_CASE("sort_samples: every sample ascends, whatever its values") {
  for (const TestMachine& machine : machines()) {
    check_sort<float>(machine);
    check_sort<double>(machine);
  }
}

TEST_CASE("sort_samples: NaN stands outside, by its sign") {
  for (const TestMachine& machine : machines())
    for (const int n : {4, 100}) {
      CAPTURE(machine.name);
      std::vector<double> values(static_cast<std::size_t>(n), 1.0);
      values[1] = std::nan(""), values[2] = -std::nan(""), values[3] = kInf;
      Arena arena(machine);
      SortSamples op{};
      op.doubles = arena.put(values, "values");
      op.sorted_doubles = arena.room<double>(values.size(), "sorted");
      op.offsets = arena.put(std::vector<std::int64_t>{0, n}, "offsets");
      op.samples = 1, op.values = n, op.scratch_bytes = machine.sort_scratch(n, 1, sizeof(double));
      op.scratch = arena.room<std::byte>(op.scratch_bytes, "scratch");
      machine.statistics.sort_samples(op, arena.stream());
      const std::vector<double> sorted = arena.get(op.sorted_doubles);
      CHECK(std::isnan(sorted.front()));
      CHECK(std::isnan(sorted.back()));
      CHECK(sorted[static_cast<std::size_t>(n) - 2] == kInf);
      CHECK(sorted[1] == 1.0);
    }
}

/// d is rounded twice; each sum of n terms errs by n + 3 roundings of the terms' magnitudes, which for
/// sum c d are at most sqrt(cc xx), and for the squares around the median at most twice those around the
/// mean.
double lack_tolerance(double n) { return kDoubleRounding * 8.0 * (n + 6.0); }

TEST_CASE("shapiro_lack: 1 - W of the definition, for odd sizes, units and offsets") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    reference::Draws draws(55);
    std::vector<double> values, coefficients, squares;
    std::vector<std::int64_t> offsets{0}, begin;
    std::vector<std::vector<double>> samples, tables;
    for (const int n : {3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 130, 1000})
      for (const double unit : {1.0, 1e-200, 1e200, 1e-3}) {
        std::vector<double> x, c(static_cast<std::size_t>(n));
        for (int i = 0; i < n; ++i)
          x.push_back(unit * (std::exp(draws.uniform(-2.0, 2.0)) + (unit == 1e-3 ? 1e3 : 0)));
        std::sort(x.begin(), x.end());
        for (std::size_t i = 0; i < c.size() / 2; ++i) {
          c[i] = -1.0 / (static_cast<double>(i) + 1.5);
          c[c.size() - 1 - i] = -c[i];
        }
        begin.push_back(static_cast<std::int64_t>(coefficients.size()));
        squares.push_back(std::inner_product(c.begin(), c.end(), c.begin(), 0.0));
        coefficients.insert(coefficients.end(), c.begin(), c.end());
        values.insert(values.end(), x.begin(), x.end());
        offsets.push_back(static_cast<std::int64_t>(values.size()));
        samples.push_back(x);
        tables.push_back(c);
      }
    // No values, one, two equal ones, NaN, infinite: no W.
    const std::size_t good = samples.size();
    for (const std::vector<double>& x : std::vector<std::vector<double>>{
             {}, {1}, {2, 2}, {1, 2, std::nan("")}, {-kInf, 1, 2}, {-1.7e308, 0, 1.7e308}}) {
      begin.push_back(0), squares.push_back(1);
      values.insert(values.end(), x.begin(), x.end());
      offsets.push_back(static_cast<std::int64_t>(values.size()));
      samples.push_back(x);
    }
    Arena arena(machine);
    ShapiroLack op{};
    op.values = arena.put(values, "values");
    op.offsets = arena.put(offsets, "offsets");
    op.samples = static_cast<std::int64_t>(samples.size());
    op.coefficients = arena.put(coefficients, "coefficients");
    op.coefficient_begin = arena.put(begin, "begin");
    op.coefficient_squares = arena.put(squares, "squares");
    op.range = arena.room<double>(samples.size(), "range");
    op.lack = arena.room<double>(samples.size(), "lack");
    machine.statistics.shapiro_lack(op, arena.stream());
    const std::vector<double> range = arena.get(op.range), lack = arena.get(op.lack);
    Worst worst;
    for (std::size_t s = 0; s < good; ++s) {
      const auto n = static_cast<double>(samples[s].size());
      worst.see(lack[s], static_cast<double>(reference::shapiro_lack(samples[s], tables[s])),
                lack_tolerance(n), static_cast<int>(s), 0, 0, 0);
      CHECK(range[s] == samples[s].back() - samples[s].front());
    }
    CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
    for (std::size_t s = good; s < samples.size(); ++s) CHECK(std::isnan(lack[s]));
    CHECK(std::isnan(range[good]));
    CHECK(range[good + 1] == 0);
    CHECK(range[good + 2] == 0);
    for (std::size_t s = good + 3; s < samples.size(); ++s) CHECK_FALSE(std::isfinite(range[s]));
    CHECK(arena.touched() == "");
  }
}

}  // namespace
}  // namespace shoal::test
