// Bootstrap intervals: what is drawn, the formulas against a reference, coverage of a known mean.
#include "analysis/bootstrap.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

#include "analysis/rank.h"
#include "analysis/summary.h"
#include "tests/reference/random.h"
#include "tests/reference/resampling.h"
#include "tests/reference/sampling.h"

namespace {

using namespace shoal;
using Sample = std::vector<double>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double mean_of(std::span<const double> sample) { return summarize(sample).mean; }
double sd_of(std::span<const double> sample) { return summarize(sample).sd; }

const Calculator calculator({.threads = 2});

bool near(double value, double expected, double bound) { return std::abs(value - expected) <= bound; }

Sample exponential(std::size_t n, std::uint64_t seed) {
  reference::Draws draws(seed);
  Sample sample(n);
  for (double& x : sample) x = -std::log1p(-draws.uniform(0, 1));
  return sample;
}

bool same(const Bootstrap& a, const Bootstrap& b) {
  return a.estimate == b.estimate && a.standard_error == b.standard_error &&
         a.percentile.low == b.percentile.low && a.percentile.high == b.percentile.high &&
         a.bca.low == b.bca.low && a.bca.high == b.bca.high && a.undefined == b.undefined;
}

TEST_CASE("a resample is the words of its replicate, scaled to the places") {
  for (const std::size_t n : {1, 2, 3, 4, 5, 7, 64, 1001}) {
    std::vector<std::int32_t> chosen(n);
    draw_resample(chosen, 0x123456789ABCDEFULL, 77);
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t word = reference::random_word(0x123456789ABCDEFULL, 77, i);
      CHECK(chosen[i] == static_cast<std::int32_t>(static_cast<long double>(word) * n / 0x1p32L));
    }
  }
}

TEST_CASE("every observation is drawn equally often") {
  constexpr int kReplicates = 20'000;
  std::vector<std::int64_t> counts(7);
  std::vector<std::int32_t> chosen(counts.size());
  for (int r = 0; r < kReplicates; ++r) {
    draw_resample(chosen, 5, r);
    for (const std::int32_t i : chosen) ++counts.at(static_cast<std::size_t>(i));
  }
  const double p = 1.0 / 7, draws = 7.0 * kReplicates, sd = std::sqrt(draws * p * (1 - p));
  for (const std::int64_t count : counts) CHECK(near(static_cast<double>(count), draws * p, 5 * sd));
}

TEST_CASE("intervals are those of the formulas in long double") {
  const BootstrapSpec spec{.replicates = 777, .level = 0.9, .seed = 42};
  for (const std::size_t n : {2, 5, 30, 101}) {
    CAPTURE(n);
    const Sample sample = exponential(n, n);
    for (const auto statistic : {&mean_of, &sd_of}) {
      Sample replicates, left_out;
      std::vector<std::int32_t> chosen(n);
      for (int r = 0; r < 777; ++r) {
        draw_resample(chosen, 42, r);
        Sample drawn;
        for (const std::int32_t i : chosen) drawn.push_back(sample[static_cast<std::size_t>(i)]);
        replicates.push_back(statistic(drawn));
      }
      for (std::size_t i = 0; i < n; ++i) {
        Sample rest = sample;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
        left_out.push_back(statistic(rest));
      }
      const Bootstrap found = bootstrap(calculator, sample, statistic, spec);
      CHECK(found.estimate == statistic(sample));
      CHECK(found.undefined == 0);
      CHECK(near(found.standard_error, summarize(replicates).sd, 1e-14));
      const Sample ascending = sorted(replicates);
      CHECK(found.percentile.low == quantile(ascending, 0.05));
      CHECK(found.percentile.high == quantile(ascending, 0.95));
      const auto expected = reference::bca(replicates, found.estimate, left_out, 0.9);
      if (std::isnan(expected.low)) {  // the sd of a single value
        CHECK(std::isnan(found.bca.low));
        continue;
      }
      // A place among the replicates is off by their number times the rounding of normal quantiles.
      CHECK(near(found.bca.low, expected.low, 1e-11));
      CHECK(near(found.bca.high, expected.high, 1e-11));
    }
  }
}

TEST_CASE("the mean has its textbook standard error and acceleration") {
  const Sample sample = exponential(400, 3);
  const double mean = mean_of(sample);
  double squares = 0, cubes = 0;
  for (const double x : sample) squares += std::pow(x - mean, 2), cubes += std::pow(x - mean, 3);
  const BootstrapSpec spec{.replicates = 20'000};
  const Bootstrap found = bootstrap(calculator, sample, mean_of, spec);
  // The sd of B nearly normal replicates is known to one part in sqrt(2 B).
  const double error = std::sqrt(squares) / 400;
  CHECK(near(found.standard_error / error, 1, 5 / std::sqrt(2.0 * 20'000)));
  CHECK(near(found.acceleration, cubes / (6 * std::pow(squares, 1.5)), 1e-9));
}

TEST_CASE("beyond 2000 observations the jackknife takes groups, whatever the order of the file") {
  Sample sample = exponential(30'001, 4);
  std::ranges::sort(sample);
  const Bootstrap found = bootstrap(calculator, sample, mean_of, {.replicates = 50});
  // Of g groups, each group's mean nearly normal, the acceleration scatters by sqrt(15/g)/6 /sqrt(g).
  const double expected = 2.0 / (6 * std::sqrt(30'001.0));  // an exponential's skewness is 2
  CHECK(near(found.acceleration, expected, 5 * std::sqrt(15.0) / (6 * 2000)));
}

TEST_CASE("scaling by powers of two and turning round carry over to every number") {
  const Sample sample = exponential(50, 5);
  Sample scaled;
  for (const double x : sample) scaled.push_back(-4 * x);
  const Bootstrap a = bootstrap(calculator, sample, mean_of, {.replicates = 999}),
                  b = bootstrap(calculator, scaled, mean_of, {.replicates = 999});
  CHECK(b.estimate == -4 * a.estimate);
  CHECK(b.standard_error == 4 * a.standard_error);
  CHECK(near(b.percentile.low, -4 * a.percentile.high, 1e-14));
  CHECK(near(b.percentile.high, -4 * a.percentile.low, 1e-14));
  CHECK(near(b.bca.low, -4 * a.bca.high, 1e-11));
  CHECK(near(b.bca.high, -4 * a.bca.low, 1e-11));
}

TEST_CASE("any number of threads gives the same bits, and another seed gives others") {
  const Sample x = exponential(100, 6), y = exponential(100, 7);
  const Bootstrap one = bootstrap(calculator, x, sd_of, {.replicates = 501});
  const Bootstrap tau = bootstrap_kendall(calculator, x, y, {.replicates = 99});
  for (const int threads : {1, 3, 8}) {
    const Calculator other({.threads = threads});
    CHECK(same(one, bootstrap(other, x, sd_of, {.replicates = 501})));
    CHECK(same(tau, bootstrap_kendall(other, x, y, {.replicates = 99})));
  }
  CHECK_FALSE(same(one, bootstrap(calculator, x, sd_of, {.replicates = 501, .seed = 2})));
}

TEST_CASE("rank correlations of resamples are the same by way of codes and of values") {
  Sample x = exponential(40, 8), y = exponential(40, 9);
  for (double& v : x) v = std::floor(4 * v);  // ties
  const auto rho = [](std::span<const double> a, std::span<const double> b) { return spearman(a, b); };
  const auto tau = [](std::span<const double> a, std::span<const double> b) { return kendall_tau_b(a, b); };
  CHECK(same(bootstrap_spearman(calculator, x, y), bootstrap_pairs(calculator, x, y, rho)));
  CHECK(same(bootstrap_kendall(calculator, x, y), bootstrap_pairs(calculator, x, y, tau)));
}

TEST_CASE("replicates without a value are counted and left out") {
  const Sample x{1, 2, 3}, y{2, 1, 3};
  const Bootstrap found = bootstrap_spearman(calculator, x, y, {.replicates = 9000});
  // One resample in nine takes a single pair three times.
  CHECK(near(static_cast<double>(found.undefined), 1000, 5 * std::sqrt(9000 * 8.0 / 81)));
  CHECK(found.percentile.low == -1);
  CHECK(found.percentile.high == 1);
}

TEST_CASE("what cannot be estimated is NaN, and a constant has an interval of one point") {
  for (const Sample& sample : {Sample{1, kNan, 2}, Sample{5}}) {
    const Bootstrap found = bootstrap(calculator, sample, sd_of);
    CHECK(std::isnan(found.estimate));
    CHECK(std::isnan(found.percentile.low));
    CHECK(std::isnan(found.bca.high));
  }
  const Bootstrap constant = bootstrap(calculator, Sample{3, 3, 3}, mean_of);
  for (const double value : {constant.estimate, constant.percentile.low, constant.percentile.high,
                             constant.bca.low, constant.bca.high})
    CHECK(value == 3);
  // No resample of twenty holds twenty different ones: all replicates lie below the estimate.
  const auto different = [](std::span<const std::int32_t> chosen) {
    return static_cast<double>(std::set<std::int32_t>(chosen.begin(), chosen.end()).size());
  };
  const Bootstrap below = bootstrap(calculator, 20, different, {.replicates = 100});
  CHECK(below.percentile.high < below.estimate);
  CHECK(std::isnan(below.bca.low));
}

TEST_CASE("specs outside their ranges are refused") {
  const Sample sample{1, 2, 3};
  CHECK_THROWS_AS(bootstrap(calculator, Sample{}, mean_of), std::invalid_argument);
  CHECK_THROWS_AS(bootstrap(calculator, sample, mean_of, {.replicates = 0}), std::invalid_argument);
  CHECK_THROWS_AS(bootstrap(calculator, sample, mean_of, {.level = 1}), std::invalid_argument);
  CHECK_THROWS_AS(bootstrap(calculator, sample, mean_of, {.level = kNan}), std::invalid_argument);
  CHECK_THROWS_AS(bootstrap_spearman(calculator, sample, Sample{1, 2}), std::invalid_argument);
}

/// P(|T| <= t) of Student's t with `dof` degrees of freedom.
double student_within(double t, double dof) {
  return 1 - boost::math::ibeta(dof / 2, 0.5, dof / (dof + t * t));
}

TEST_CASE("the interval of a normal mean covers it as often as theory says") {
  // The replicates of a mean are nearly normal with the sample's own sd (divided by n), so the interval
  // covers when |T| <= z sqrt((n-1)/n), T Student's with n - 1 degrees of freedom. Of B replicates the
  // quantile p is order statistic p (B-1) + 1, whose expected level is (p (B-1) + 1) / (B+1).
  constexpr int kTrials = 2000, kSize = 30, kReplicates = 500;
  reference::Draws draws(11);
  int percentile = 0, bca = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    Sample sample(kSize);
    for (double& x : sample)
      x = std::sqrt(-2 * std::log1p(-draws.uniform(0, 1))) * std::cos(2 * M_PI * draws.uniform(0, 1));
    const BootstrapSpec spec{.replicates = kReplicates, .seed = static_cast<std::uint64_t>(trial)};
    const Bootstrap b = bootstrap(calculator, sample, mean_of, spec);
    percentile += b.percentile.low <= 0 && 0 <= b.percentile.high;
    bca += b.bca.low <= 0 && 0 <= b.bca.high;
  }
  const double p = (0.025 * (kReplicates - 1) + 1) / (kReplicates + 1);
  const double z = std::sqrt(2.0) * boost::math::erfc_inv(2 * p);
  const double expected = student_within(z * std::sqrt((kSize - 1.0) / kSize), kSize - 1);
  const double error = std::sqrt(expected * (1 - expected) / kTrials);
  CHECK(near(static_cast<double>(percentile) / kTrials, expected, 4 * error));
  CHECK(near(static_cast<double>(bca) / kTrials, expected, 4 * error));
}

}  // namespace
