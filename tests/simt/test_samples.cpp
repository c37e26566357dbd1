// Ordinary kernels against double precision, the same bits in every schedule.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "tests/simt/samples.h"
#include "tests/simt/schedules.h"

namespace {

std::vector<float> uniform(size_t n, unsigned seed, float low = -1.0f, float high = 1.0f) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> u(low, high);
  std::vector<float> v(n);
  for (float& x : v) x = u(generator);
  return v;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Runs `launch`, which returns its output, in the schedule that the environment asks for and then in all; the
// bits must agree.
template <class Launch>
std::vector<float> in_every_schedule(Launch launch) {
  const auto first = launch();
  for (const simt::Options& o : schedules()) {
    const simt::ScopedOptions scope(o);
    CHECK(same_bits(launch(), first));
  }
  return first;
}

constexpr double kEps = 5.96e-8;  // 2^-24

}  // namespace

TEST_CASE("matrix product") {
  const int shapes[][3] = {{1, 1, 1}, {7, 130, 9}, {128, 128, 8}, {129, 127, 17}, {140, 300, 40}};
  for (const auto& s : shapes) {
    const int m = s[0], n = s[1], k = s[2];
    const auto at = [](int row, int width, int column) {
      return static_cast<size_t>(row) * static_cast<size_t>(width) + static_cast<size_t>(column);
    };
    const auto a = uniform(at(m, k, 0), 1), b = uniform(at(k, n, 0), 2);
    const simt::Buffer<float> da(a), db(b);
    const auto c = in_every_schedule([&] {
      const simt::Buffer<float> dc(at(m, n, 0));
      CHECK(emu::run_sgemm(m, n, k, da.data, db.data, dc.data) == 0);
      return dc.get();
    });
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) {
        double exact = 0, size = 0;
        for (int l = 0; l < k; ++l) {
          const double term = static_cast<double>(a[at(i, k, l)]) * static_cast<double>(b[at(l, n, j)]);
          exact += term;
          size += std::fabs(term);
        }
        // k fused multiply-adds, each rounded once.
        REQUIRE(std::fabs(static_cast<double>(c[at(i, n, j)]) - exact) <= k * kEps * size + 1e-30);
      }
  }
}

TEST_CASE("mean and variance of columns") {
  for (int rows : {1, 31, 257, 700}) {
    const size_t columns = 3;
    const auto x = uniform(static_cast<size_t>(rows) * columns, 3, 99.0f, 101.0f);
    const simt::Buffer<float> dx(x);
    const auto both = in_every_schedule([&] {
      const simt::Buffer<float> mean(columns), variance(columns);
      CHECK(emu::run_mean_variance(dx.data, rows, static_cast<int>(columns), mean.data, variance.data) == 0);
      auto all = mean.get();
      for (float v : variance.get()) all.push_back(v);
      return all;
    });
    for (size_t c = 0; c < columns; ++c) {
      double mean = 0, variance = 0;
      for (size_t r = 0; r < static_cast<size_t>(rows); ++r)
        mean += static_cast<double>(x[r * columns + c]) / rows;
      for (size_t r = 0; r < static_cast<size_t>(rows); ++r)
        variance += std::pow(static_cast<double>(x[r * columns + c]) - mean, 2) / rows;
      // A thread merges at most 3 values and the tree adds 8 levels and 3 more: about a dozen roundings of
      // numbers near 100.
      CHECK(std::fabs(static_cast<double>(both[c]) - mean) <= 16 * kEps * 100);
      CHECK(std::fabs(static_cast<double>(both[columns + c]) - variance) <= 16 * kEps * 100 * 2);
    }
  }
}

TEST_CASE("softmax of rows") {
  for (int columns : {1, 31, 32, 33, 100}) {
    const size_t rows = 19, width = static_cast<size_t>(columns);
    const auto x = uniform(rows * width, 4, -5.0f, 5.0f);
    const simt::Buffer<float> dx(x);
    const auto p = in_every_schedule([&] {
      const simt::Buffer<float> dp(rows * width);
      CHECK(emu::run_softmax(dx.data, static_cast<int>(rows), columns, dp.data) == 0);
      return dp.get();
    });
    for (size_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (size_t c = 0; c < width; ++c) sum += std::exp(static_cast<double>(x[r * width + c]));
      for (size_t c = 0; c < width; ++c) {
        const double exact = std::exp(static_cast<double>(x[r * width + c])) / sum;
        // The rounded argument of expf (up to 10) and about ten additions.
        CHECK(std::fabs(static_cast<double>(p[r * width + c]) - exact) <= 32 * kEps * exact);
      }
    }
  }
}

TEST_CASE("column sums through asynchronous copies") {
  for (int tiles : {1, 2, 9}) {
    const size_t rows = 4 * static_cast<size_t>(tiles);
    const auto x = uniform(rows * 128, 5);
    const simt::Buffer<float> dx(x);
    const auto sums = in_every_schedule([&] {
      const simt::Buffer<float> out(128);
      CHECK(emu::run_column_sums(dx.data, tiles, out.data) == 0);
      return out.get();
    });
    for (size_t c = 0; c < 128; ++c) {
      double exact = 0, size = 0;
      for (size_t r = 0; r < rows; ++r) {
        exact += static_cast<double>(x[r * 128 + c]);
        size += std::fabs(static_cast<double>(x[r * 128 + c]));
      }
      CHECK(std::fabs(static_cast<double>(sums[c]) - exact) <= static_cast<double>(rows) * kEps * size);
    }
  }
}
