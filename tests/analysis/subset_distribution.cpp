// Distributions over subsets, against their definitions.
#include "analysis/subset_distribution.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <stdexcept>

#include "analysis/normal.h"
#include "tests/analysis/calculators.h"
#include "tests/analysis/subsets.h"

namespace shoal::test {
namespace {

TEST_CASE("subset weights are those of independent nodes, and add up to 1") {
  for (int n = 1; n <= 8; ++n) {
    const std::vector<double> keep = made_up_keep(n);
    const KeepWeights weights(keep);
    Real sum = 0;
    for (Subset s = 0; s < weights.subsets(); ++s) {
      CHECK(near(weights(s), weight_of(s, keep), weight_of(s, keep), 2 * n));
      sum += weights(s);
    }
    CHECK(near(static_cast<double>(sum), 1, 1, 2 * n));
    // Certain nodes leave a single subset.
    for (const double p : {0.0, 1.0})
      for (Subset s = 0; s < weights.subsets(); ++s)
        CHECK(KeepWeights(n, p)(s) == (s == (p == 0 ? 0 : weights.subsets() - 1) ? 1 : 0));
  }
  CHECK_THROWS_AS(KeepWeights(3, 1.5), std::invalid_argument);
  CHECK_THROWS_AS(KeepWeights(3, NAN), std::invalid_argument);
  CHECK_THROWS_AS(KeepWeights(0, 0.5), std::invalid_argument);
  CHECK_THROWS_AS(KeepWeights(25, 0.5), std::invalid_argument);
  CHECK_THROWS_AS(KeepWeights(-1, 0.5), std::invalid_argument);
}

TEST_CASE("tables are refused unless they have 2^n finite values") {
  CHECK(table_nodes(std::vector<double>(8, 1.0)) == 3);
  for (const std::size_t size : {0u, 1u, 3u, 12u})
    CHECK_THROWS_AS(table_nodes(std::vector<double>(size, 1.0)), std::invalid_argument);
  CHECK_THROWS_AS(table_nodes(std::vector<double>{1, NAN}), std::invalid_argument);
  CHECK_THROWS_AS(table_nodes(std::vector<double>{1, INFINITY}), std::invalid_argument);
  const Calculator calculator;
  CHECK_THROWS_AS(log_table(calculator, std::vector<double>{1, 0}), std::invalid_argument);
  CHECK(log_table(calculator, std::vector<double>{1, std::exp(2.0)})[1] == doctest::Approx(2));
  CHECK_THROWS_AS(subset_moments(calculator, std::vector<double>(8, 1.0), KeepWeights(4, 0.5)),
                  std::invalid_argument);
}

TEST_CASE("moments over all subsets, every node with its own probability") {
  for (const auto& calculator : calculators())
    for (int n = 1; n <= 8; ++n)
      for (const double offset : {0.0, 1e6}) {
        std::vector<double> table = made_up_table(n);
        for (double& x : table) x += offset;
        const std::vector<double> keep = made_up_keep(n);
        const SubsetMoments m = subset_moments(*calculator, table, KeepWeights(keep));
        const Real mean = power_mean(table, keep, 0, 1), variance = power_mean(table, keep, mean, 2);
        CAPTURE(n);
        CAPTURE(offset);
        CHECK(near(m.mean, mean, std::abs(mean)));
        const double more = offset > 0 ? 64 * offset : 256;  // differences are of values around the offset
        CHECK(near(m.sd, std::sqrt(variance), std::sqrt(variance), more));
        CHECK(near(m.skewness, power_mean(table, keep, mean, 3) / std::pow(variance, 1.5L), 4, 100 * more));
        CHECK(near(m.kurtosis, power_mean(table, keep, mean, 4) / (variance * variance) - 3, 8, 100 * more));
        CHECK(m.min == *std::ranges::min_element(table));
        CHECK(m.max == *std::ranges::max_element(table));
      }
}

TEST_CASE("a probability of 0 or 1 is a single subset, and constant tables have no spread") {
  const Calculator calculator;
  const std::vector<double> table = made_up_table(7), constant(128, 0.1);
  for (const double p : {0.0, 1.0}) {
    const SubsetMoments m = subset_moments(calculator, table, KeepWeights(7, p));
    const double only = p == 0 ? table.front() : table.back();
    CHECK((m.mean == only && m.min == only && m.max == only && m.sd == 0));
    CHECK((std::isnan(m.skewness) && std::isnan(m.kurtosis)));
    const SubsetOrder order = subset_order(calculator, table);
    const SubsetDistribution d = subset_distribution(order, KeepWeights(7, p));
    for (const double share : {0.0, 0.3, 1.0}) CHECK(quantile_of(d, share) == only);
    CHECK(share_below(d, only) == 1);
    CHECK(share_below(d, std::nextafter(only, -1)) == 0);
    CHECK(std::isnan(normal_fit(calculator, d, m).kolmogorov_smirnov));
  }
  const SubsetMoments m = subset_moments(calculator, constant, KeepWeights(7, 0.3));
  CHECK((m.mean == 0.1 && m.sd == 0));
}

TEST_CASE("large tables: the same bits on any number of threads, sums that lose nothing") {
  constexpr int kNodes = 15;
  const std::vector<double> table = made_up_table(kNodes);
  std::vector<SubsetMoments> all;
  for (const auto& calculator : calculators())
    all.push_back(subset_moments(*calculator, table, KeepWeights(kNodes, 0.25)));
  for (const SubsetMoments& m : all) CHECK(std::memcmp(&m, &all[0], sizeof m) == 0);
  const std::vector<double> keep(kNodes, 0.25);
  const Real mean = power_mean(table, keep, 0, 1);
  CHECK(near(all[0].mean, mean, mean, 8));
  CHECK(near(all[0].sd, std::sqrt(power_mean(table, keep, mean, 2)), all[0].sd, 64));
}

TEST_CASE("subsets in order, quantiles and shares") {
  for (const auto& calculator : calculators())
    for (const int n : {1, 3, 8, 14}) {
      std::vector<double> table = made_up_table(n);
      for (std::size_t s = 0; s < table.size(); s += 3) table[s] = 0.25;  // ties
      const SubsetOrder order = subset_order(*calculator, table);
      REQUIRE(order.values.size() == table.size());
      for (std::size_t i = 0; i < table.size(); ++i) {
        CHECK(order.values[i] == table[order.subsets[i]]);
        if (i > 0)
          CHECK((order.values[i - 1] < order.values[i] ||
                 (order.values[i - 1] == order.values[i] && order.subsets[i - 1] < order.subsets[i])));
      }
      if (n > 8) continue;
      const std::vector<double> keep = made_up_keep(n);
      const SubsetDistribution d = subset_distribution(order, KeepWeights(keep));
      CHECK(d.cumulative.back() == 1);
      for (const double x : {0.1, 0.25, 0.5, 1.0, 100.0}) {
        Real share = 0;
        for (unsigned s = 0; s < table.size(); ++s) share += table[s] <= x ? weight_of(s, keep) : 0;
        CHECK(near(share_below(d, x), share, 1));
      }
      for (const double share : {0.0, 0.05, 0.5, 0.77, 1.0}) {
        const double q = quantile_of(d, share);
        Real below = 0, at = 0;
        for (unsigned s = 0; s < table.size(); ++s)
          (table[s] < q ? below : at) += table[s] <= q ? weight_of(s, keep) : 0;
        CHECK(at > 0);
        CHECK(below <= share + 1e-14L);
        CHECK(below + at >= share - 1e-14L);
      }
      CHECK_THROWS_AS(quantile_of(d, 1.1), std::invalid_argument);
    }
}

/// D and A2 by their definitions: the supremum at the steps, the integral by many small trapezoids in z.
TEST_CASE("distance to the nearest normal distribution, against numerical integration") {
  const Calculator calculator;
  for (const int n : {1, 4, 7}) {
    const std::vector<double> table = made_up_table(n), keep = made_up_keep(n);
    const SubsetOrder order = subset_order(calculator, table);
    const KeepWeights weights(keep);
    const SubsetDistribution d = subset_distribution(order, weights);
    const SubsetMoments m = subset_moments(calculator, table, weights);
    const NormalFit fit = normal_fit(calculator, d, m);
    CHECK((fit.mean == m.mean && fit.sd == m.sd));
    double distance = 0, darling = 0;
    constexpr double kStep = 1e-5;
    for (double z = -9; z < 9; z += kStep) {
      const double above = normal_upper_tail(z), below = normal_upper_tail(-z);
      const double f = share_below(d, m.mean + z * m.sd);
      distance = std::max(distance, std::abs(f - below));
      // dPhi = phi(z) dz; F - Phi from whichever side does not cancel
      const double difference = f > 0.5 ? above - (1 - f) : f - below;
      darling += kStep * difference * difference / (above * below) * std::exp(-0.5 * z * z) /
                 std::sqrt(2 * std::numbers::pi);
    }
    CHECK(fit.kolmogorov_smirnov == doctest::Approx(distance).epsilon(1e-4));
    CHECK(fit.anderson_darling == doctest::Approx(darling).epsilon(1e-3));
  }
}

TEST_CASE("a sample of equal weights has the textbook's A2 over n, and values far out do no harm") {
  const Calculator calculator;
  const std::vector<double> table = made_up_table(6);
  const SubsetOrder order = subset_order(calculator, table);
  const SubsetDistribution d = subset_distribution(order, KeepWeights(6, 0.5));
  const SubsetMoments m = subset_moments(calculator, table, KeepWeights(6, 0.5));
  const auto n = static_cast<double>(table.size());
  double textbook = -n;
  for (std::size_t i = 0; i < table.size(); ++i)
    textbook -= (2.0 * static_cast<double>(i) + 1) / n *
                (std::log(normal_upper_tail(-(order.values[i] - m.mean) / m.sd)) +
                 std::log(normal_upper_tail((order.values[table.size() - 1 - i] - m.mean) / m.sd)));
  CHECK(normal_fit(calculator, d, m).anderson_darling == doctest::Approx(textbook / n).epsilon(1e-12));
  std::vector<double> far(4096, 0.0);
  for (std::size_t s = 0; s < far.size(); ++s) far[s] = static_cast<double>(s % 2);
  far[0] = -1e6;
  const SubsetOrder spread = subset_order(calculator, far);
  const KeepWeights even(12, 0.5);
  const NormalFit fit =
      normal_fit(calculator, subset_distribution(spread, even), subset_moments(calculator, far, even));
  CHECK(std::isfinite(fit.anderson_darling));
  CHECK(fit.anderson_darling > 0);
}

TEST_CASE("the logarithm of the normal tail") {
  CHECK(log_normal_upper_tail(0) == doctest::Approx(std::log(0.5)).epsilon(1e-15));
  for (const double x : {-40.0, -5.0, -1.0, 0.5, 3.0, 10.0, 29.9})
    CHECK(log_normal_upper_tail(x) == doctest::Approx(std::log(normal_upper_tail(x))).epsilon(1e-13));
  CHECK(log_normal_upper_tail(30.1) == doctest::Approx(std::log(normal_upper_tail(30.1))).epsilon(1e-14));
  CHECK(log_normal_upper_tail(-10) == doctest::Approx(-normal_upper_tail(10)).epsilon(1e-14));
  // Q(x) = phi(x) / x (1 - 1/x^2 + 3/x^4 - ...)
  CHECK(log_normal_upper_tail(1e4) ==
        doctest::Approx(-0.5e8 - std::log(1e4 * std::sqrt(2 * std::numbers::pi)) - 1e-8).epsilon(1e-15));
}

TEST_CASE("densities are sums of weighted kernels, and integrate to 1") {
  for (const auto& calculator : calculators())
    for (const int n : {1, 5, 8}) {
      const std::vector<double> table = made_up_table(n), keep = made_up_keep(n);
      const double high = *std::ranges::max_element(table) + 1;
      const Density d = subset_density(*calculator, table, KeepWeights(keep),
                                       {.from = -1, .to = high, .points = 801, .bandwidth = 0.03});
      REQUIRE(d.x.size() == 801);
      double integral = 0;
      for (std::size_t i = 0; i < d.x.size(); ++i) {
        Real sum = 0;
        for (unsigned s = 0; s < table.size(); ++s) {
          const Real u = (static_cast<Real>(d.x[i]) - table[s]) / 0.03L;
          sum += weight_of(s, keep) * std::exp(-u * u / 2);
        }
        CHECK(std::abs(d.y[i] - static_cast<double>(sum) / 0.03 / std::sqrt(2 * std::numbers::pi)) < 1e-8);
        integral += d.y[i] * (high + 1) / 800;
      }
      CHECK(integral == doctest::Approx(1).epsilon(1e-9));
    }
  const std::vector<double> table = made_up_table(3);
  for (const double bad : {0.0, -1.0, static_cast<double>(NAN), 1e-9})
    CHECK_THROWS_AS(subset_density(Calculator(), table, KeepWeights(3, 0.5), {.bandwidth = bad}),
                    std::invalid_argument);
}

TEST_CASE("the expected value's gradient: on less off, finite differences, finite changes") {
  for (const auto& calculator : calculators())
    for (int n = 1; n <= 8; ++n) {
      const std::vector<double> table = made_up_table(n), keep = made_up_keep(n);
      const std::vector<double> gradient = expectation_gradient(*calculator, table, keep);
      REQUIRE(gradient.size() == static_cast<std::size_t>(n));
      for (int i = 0; i < n; ++i) {
        std::vector<double> on = keep, off = keep;
        on[static_cast<std::size_t>(i)] = 1, off[static_cast<std::size_t>(i)] = 0;
        // Linear in each probability: the difference between its ends is the derivative anywhere.
        const Real expected = power_mean(table, on, 0, 1) - power_mean(table, off, 0, 1);
        CHECK(near(gradient[static_cast<std::size_t>(i)], expected, 2));
      }
      const ExpectedChange change = expected_change(*calculator, table, 0.25, 0.75);
      const std::vector<double> low(static_cast<std::size_t>(n), 0.25), high(low.size(), 0.75),
          middle(low.size(), 0.5);
      CHECK(near(change.before, power_mean(table, low, 0, 1), 2));
      CHECK(near(change.after, power_mean(table, high, 0, 1), 2));
      Real slope = 0;
      for (int i = 0; i < n; ++i) {
        std::vector<double> on = middle, off = middle;
        on[static_cast<std::size_t>(i)] = 1, off[static_cast<std::size_t>(i)] = 0;
        slope += power_mean(table, on, 0, 1) - power_mean(table, off, 0, 1);
      }
      CHECK(near(change.slope, slope, 4 * n));
      CHECK(change.straight == change.slope * 0.5);
    }
}

}  // namespace
}  // namespace shoal::test
