// Moments of columns: closed forms, merging, and the same bits on any number of threads.
#include "analysis/moments.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "tests/analysis/calculators.h"

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
  constexpr int kRows = 9001, kColumns = 300;
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
