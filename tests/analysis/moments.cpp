// Moments of columns: closed forms, merging, and the same bits on any number of threads.
#include "analysis/moments.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "tests/analysis/calculators.h"
#include "tests/analysis/nist_univariate.h"

namespace shoal::test {
namespace {

TEST_CASE("columns of 0 .. n-1, shifted and scaled, have the moments of an arithmetic series") {
  constexpr int kRows = 5000, kColumns = 3, kStride = 5;
  std::vector<double> values(kRows * kStride, std::nan(""));
  for (int r = 0; r < kRows; ++r)
    for (int c = 0; c < kColumns; ++c)
      values[static_cast<std::size_t>(r * kStride + c)] = (c + 1.0) * r - 1000.0 * c;
  for (const auto& calculator : calculators()) {
    CAPTURE(calculator->name());
    const std::vector<ShapeMoments> m =
        column_moments(*calculator, MatrixView<double>{values.data(), kRows, kColumns, kStride});
    REQUIRE(m.size() == kColumns);
    constexpr double n = kRows;
    for (int c = 0; c < kColumns; ++c) {
      const ShapeMoments& s = m[static_cast<std::size_t>(c)];
      const double step = c + 1.0, v = (n * n - 1) / 12 * step * step;
      CHECK(s.count == n);
      CHECK(std::abs(s.mean - (step * (n - 1) / 2 - 1000.0 * c)) <= 1e-10);
      CHECK(std::abs(variance(s) / v - 1) <= 1e-12);
      CHECK(std::abs(skewness(s)) <= 1e-12);
      CHECK(std::abs(kurtosis(s) + 1.2 * (n * n + 1) / (n * n - 1)) <= 1e-11);
      CHECK(s.min == -1000.0 * c);
      CHECK(s.max == step * (n - 1) - 1000.0 * c);
    }
    CHECK(m[0].zeros == 1);
    CHECK(m[2].zeros == 0);
  }
}

TEST_CASE("the same bits on any number of threads") {
  constexpr int kRows = 17001, kColumns = 1100;
  std::vector<float> values(kRows * kColumns);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(std::sin(static_cast<double>(i) * 0.37) + (i % 5 == 0 ? 3.0 : 0.0));
  const MatrixView<float> x{values.data(), kRows, kColumns, kColumns};
  const std::vector<ShapeMoments> one = column_moments(Calculator({.threads = 1}), x);
  for (const int threads : {2, 3, 8}) {
    const std::vector<ShapeMoments> many = column_moments(Calculator({.threads = threads}), x);
    CHECK(std::memcmp(one.data(), many.data(), one.size() * sizeof one[0]) == 0);
  }
}

/// Correct significant digits of a value whose certified one is c: the measure of NIST's reference data sets.
double digits(double value, double c) {
  return value == c ? 16 : -std::log10(std::abs(value - c) / std::abs(c));
}

/// NIST StRD's numerical-accuracy sets: a value, then 500 times the value - 0.1, the value + 0.1.
std::vector<double> alternating(double first, double low, double high) {
  std::vector<double> x{first};
  for (int i = 0; i < 500; ++i) {
    x.push_back(low);
    x.push_back(high);
  }
  return x;
}

TEST_CASE("NIST StRD: certified means and standard deviations, to the digits that the data hold") {
  struct Set {
    const char* name;
    std::vector<double> values;
    double mean, sd;
    double mean_digits, sd_digits;  // a double near 1e6 or 1e7 holds 0.1 to 9 or 8 digits
  };
  const auto values_of = [](const auto& array) {
    return std::vector<double>(std::begin(array), std::end(array));
  };
  const std::vector<Set> sets{
      {"Lew", values_of(kLew), -177.435, 277.332168044316, 15, 14.5},
      {"Lottery", values_of(kLottery), 518.958715596330, 291.699727470969, 14.5, 14.5},
      {"Mavro", values_of(kMavro), 2.001856, 0.000429123454003053, 15, 12},
      {"Michelso", values_of(kMichelso), 299.8524, 0.0790105478190518, 15, 13},
      {"NumAcc1", {10000001, 10000003, 10000002}, 10000002, 1, 15, 15},
      {"NumAcc2", alternating(1.2, 1.1, 1.3), 1.2, 0.1, 15, 13},
      {"NumAcc3", alternating(1000000.2, 1000000.1, 1000000.3), 1000000.2, 0.1, 15, 9},
      {"NumAcc4", alternating(10000000.2, 10000000.1, 10000000.3), 10000000.2, 0.1, 15, 8},
  };
  for (const auto& calculator : calculators())
    for (const Set& set : sets) {
      CAPTURE(calculator->name());
      CAPTURE(set.name);
      const auto rows = static_cast<std::int64_t>(set.values.size());
      const ShapeMoments m =
          column_moments(*calculator, MatrixView<double>{set.values.data(), rows, 1, 1})[0];
      CHECK(digits(m.mean, set.mean) >= set.mean_digits);
      CHECK(digits(std::sqrt(sample_variance(m)), set.sd) >= set.sd_digits);
      const std::vector<std::int64_t> offsets{0, rows};
      const ShapeMoments of_sample = sample_moments(*calculator, Samples<double>{set.values, offsets})[0];
      CHECK(digits(of_sample.mean, set.mean) >= set.mean_digits);
      CHECK(digits(std::sqrt(sample_variance(of_sample)), set.sd) >= set.sd_digits);
    }
}

TEST_CASE("NIST StRD: the measured sets are what NIST published, by their order, too") {
  const auto autocorrelation = [](const auto& x) {
    long double mean = 0, lagged = 0, squares = 0;
    for (const double v : x) mean += static_cast<long double>(v) / std::size(x);
    for (std::size_t i = 0; i < std::size(x); ++i) {
      squares += (x[i] - mean) * (x[i] - mean);
      if (i > 0) lagged += (x[i] - mean) * (x[i - 1] - mean);
    }
    return static_cast<double>(lagged / squares);
  };
  CHECK(digits(autocorrelation(kLew), -0.307304800605679) >= 14);
  CHECK(digits(autocorrelation(kLottery), -0.120948622967393) >= 14);
  CHECK(digits(autocorrelation(kMavro), 0.937989183438248) >= 12);
  CHECK(digits(autocorrelation(kMichelso), 0.535199668621283) >= 12);
}

TEST_CASE("a million float32 values with an offset of 1e4 keep their shape") {
  // Values 1e4 + k / 64, k = 0 .. 63 in turns: exact in float32, moments of the discrete uniform
  // distribution.
  constexpr std::int64_t kRows = 1 << 20;
  std::vector<float> x(kRows);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1e4f + static_cast<float>(i * 37 % 64) / 64;
  const ShapeMoments m = column_moments(Calculator(), MatrixView<float>{x.data(), kRows, 1, 1})[0];
  constexpr double n = 64, v = (n * n - 1) / 12 / (64 * 64);
  CHECK(m.count == kRows);
  CHECK(std::abs(m.mean - (1e4 + 63.0 / 128)) <= 1e-10);
  CHECK(std::abs(variance(m) / v - 1) <= 1e-12);
  CHECK(std::abs(skewness(m)) <= 1e-9);
  CHECK(std::abs(kurtosis(m) + 1.2 * (n * n + 1) / (n * n - 1)) <= 1e-11);
  CHECK(m.min == 1e4);
  CHECK(m.max == 1e4 + 63.0 / 64);
}

TEST_CASE("moments of samples: ragged, empty ones too") {
  const std::vector<double> values{9, 1, 2, 3, 4, 7};
  const std::vector<std::int64_t> offsets{1, 1, 5, 6};
  for (const auto& calculator : calculators()) {
    const std::vector<ShapeMoments> m = sample_moments(*calculator, Samples<double>{values, offsets});
    REQUIRE(m.size() == 3);
    CHECK(m[0].count == 0);
    CHECK(m[1].mean == 2.5);
    CHECK(variance(m[1]) == 1.25);
    CHECK(m[2].count == 1);
    CHECK(m[2].max == 7);
    CHECK_THROWS_AS(sample_moments(*calculator, Samples<double>{values, std::span(offsets).first(0)}),
                    std::invalid_argument);
  }
}

TEST_CASE("no rows, no columns, and a stride that is none") {
  const Calculator calculator;
  const float x[4] = {1, 2, 3, 4};
  CHECK(column_moments(calculator, MatrixView<float>{x, 2, 0, 2}).empty());
  const std::vector<ShapeMoments> none = column_moments(calculator, MatrixView<float>{x, 0, 2, 2});
  REQUIRE(none.size() == 2);
  CHECK(none[0].count == 0);
  CHECK(none[0].min > none[0].max);
  CHECK_THROWS_AS(column_moments(calculator, MatrixView<float>{x, 2, 2, 1}), std::invalid_argument);
  CHECK_THROWS_AS(column_moments(calculator, MatrixView<float>{x, -1, 2, 2}), std::invalid_argument);
}

}  // namespace
}  // namespace shoal::test
