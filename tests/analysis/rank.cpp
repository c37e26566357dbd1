// Rank correlations against their definitions, closed forms and scipy.
#include "analysis/rank.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "rank_values.h"
#include "tests/reference/random.h"
#include "tests/reference/resampling.h"

namespace {

using namespace shoal;
using Sample = std::vector<double>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Exact sums, then a product, a root and a quotient: half an ulp each, of a number up to 1.
constexpr double kRounding = 4 * std::numeric_limits<double>::epsilon();

bool near(double value, double expected, double bound) { return std::abs(value - expected) <= bound; }

/// `levels` different values at most: few make ties.
Sample draw(reference::Draws& draws, std::size_t n, int levels) {
  Sample sample(n);
  for (double& x : sample) x = std::floor(draws.uniform(0, levels)) / 4 - 1;
  return sample;
}

TEST_CASE("midranks share what ties take up") {
  CHECK(midranks(Sample{30, 10, 20}) == Sample{3, 1, 2});
  CHECK(midranks(Sample{5, 7, 5, 5, -1}) == Sample{3, 5, 3, 3, 1});
  CHECK(midranks(Sample{0.0, -0.0}) == Sample{1.5, 1.5});
  CHECK(midranks(Sample{kInfinity, 1, -kInfinity, kInfinity}) == Sample{3.5, 2, 1, 3.5});
  CHECK(midranks(Sample{4}) == Sample{1});
  CHECK(midranks(Sample{}).empty());
  CHECK(std::isnan(midranks(Sample{1, kNan})[0]));
}

TEST_CASE("rank correlations agree with their definitions over all pairs, with and without ties") {
  reference::Draws draws(7);
  for (const std::size_t n : {2, 3, 4, 7, 15, 16, 17, 63, 64, 65, 200})
    for (const int levels : {2, 3, 10, 1'000'000}) {
      const Sample x = draw(draws, n, levels), y = draw(draws, n, levels);
      CAPTURE(n);
      CAPTURE(levels);
      const std::vector<long double> expected = reference::midranks(x);
      CHECK(std::ranges::equal(midranks(x), expected));
      const double rho = reference::spearman(x, y), tau = reference::kendall_tau_b(x, y);
      if (std::isnan(rho)) {  // one of the samples happens to be constant
        CHECK(std::isnan(spearman(x, y)));
        CHECK(std::isnan(kendall_tau_b(x, y)));
        continue;
      }
      CHECK(near(spearman(x, y), rho, kRounding));
      CHECK(near(kendall_tau_b(x, y), tau, kRounding));
      const RankCorrelations both = rank_correlations(x, y);
      CHECK(both.n == static_cast<std::int64_t>(n));
      CHECK(both.spearman == spearman(x, y));
      CHECK(both.kendall_tau_b == kendall_tau_b(x, y));
    }
}

TEST_CASE("agreement is exactly 1 and the opposite order exactly -1, ties or not") {
  reference::Draws draws(8);
  for (const int levels : {2, 5, 1'000'000}) {
    Sample x = draw(draws, 1000, levels);
    x[0] = -5, x[1] = 5;  // not constant
    Sample opposite;
    for (const double v : x) opposite.push_back(-v * v * v);
    CHECK(spearman(x, x) == 1.0);
    CHECK(kendall_tau_b(x, x) == 1.0);
    CHECK(spearman(x, opposite) == -1.0);
    CHECK(kendall_tau_b(x, opposite) == -1.0);
  }
}

TEST_CASE("the order of the pairs and of the samples does not change a bit; nor does a growing function") {
  reference::Draws draws(9);
  const std::size_t n = 500;
  const Sample x = draw(draws, n, 40), y = draw(draws, n, 30);
  Sample shuffled_x, shuffled_y, grown;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t from = i * 137 % n;  // 137 and 500 share no factor
    shuffled_x.push_back(x[from]);
    shuffled_y.push_back(y[from]);
    grown.push_back(std::exp(x[i]));
  }
  CHECK(spearman(shuffled_x, shuffled_y) == spearman(x, y));
  CHECK(kendall_tau_b(shuffled_x, shuffled_y) == kendall_tau_b(x, y));
  CHECK(spearman(y, x) == spearman(x, y));
  CHECK(kendall_tau_b(y, x) == kendall_tau_b(x, y));
  CHECK(spearman(grown, y) == spearman(x, y));
  CHECK(kendall_tau_b(grown, y) == kendall_tau_b(x, y));
}

TEST_CASE("a million pairs have their closed forms") {
  // y runs down within the first half and the second: of the m^2 pairs between halves all are concordant, of
  // the m(m-1) inside them none.
  const std::size_t m = 500'000;
  Sample x(2 * m), y(2 * m);
  for (std::size_t i = 0; i < 2 * m; ++i) {
    x[i] = static_cast<double>(i);
    y[i] = static_cast<double>(i < m ? m - 1 - i : 3 * m - 1 - i);
  }
  const double half = static_cast<double>(m), n = 2 * half;
  CHECK(near(kendall_tau_b(x, y), (half * half - half * (half - 1)) / (n * (n - 1) / 2), kRounding));
  // Sum over each half of (m-1-2i)^2 is m(m^2-1)/3.
  CHECK(near(spearman(x, y), 1 - 6 * (2 * half * (half * half - 1) / 3) / (n * (n * n - 1)), kRounding));
}

TEST_CASE("what has no correlation is NaN") {
  const Sample none, one{1}, constant{2, 2, 2}, x{1, 2, 3}, holed{1, kNan, 3};
  for (const auto& [a, b] : {std::pair{none, none},
                             {one, one},
                             {constant, x},
                             {x, constant},
                             {x, holed},
                             {holed, x},
                             {constant, constant}}) {
    CHECK(std::isnan(spearman(a, b)));
    CHECK(std::isnan(kendall_tau_b(a, b)));
    const RankCorrelations both = rank_correlations(a, b);
    for (const double value : {both.spearman, both.spearman_p, both.kendall_tau_b, both.kendall_p})
      CHECK(std::isnan(value));
  }
  CHECK(rank_correlations(Sample{1, 2}, Sample{5, 9}).kendall_p == 1.0);
  CHECK(std::isnan(rank_correlations(Sample{1, 2}, Sample{5, 9}).spearman_p));
  CHECK(spearman(Sample{-kInfinity, 0, kInfinity}, x) == 1.0);
  CHECK_THROWS_AS(spearman(x, one), std::invalid_argument);
  CHECK_THROWS_AS(kendall_tau_b(x, one), std::invalid_argument);
  CHECK_THROWS_AS(rank_correlations(x, one), std::invalid_argument);
}

TEST_CASE("many samples against one have the bits of each alone, on any number of threads") {
  reference::Draws draws(10);
  const Sample against = draw(draws, 70, 20);
  Sample values;
  std::vector<std::int64_t> offsets{0};
  for (int s = 0; s < 9; ++s) {
    const Sample sample = draw(draws, 70, s);  // the first two are constant
    values.insert(values.end(), sample.begin(), sample.end());
    offsets.push_back(static_cast<std::int64_t>(values.size()));
  }
  const Samples<double> samples{values, offsets};
  for (const int threads : {1, 4}) {
    const auto found = rank_correlations(Calculator({.threads = threads}), samples, against);
    REQUIRE(found.size() == 9);
    for (std::int64_t s = 0; s < 9; ++s) {
      const RankCorrelations alone = rank_correlations(samples[s], against);
      const RankCorrelations& crowd = found[static_cast<std::size_t>(s)];
      CHECK(std::isnan(alone.spearman) == (s < 2));
      if (s < 2) continue;
      CHECK(crowd.spearman == alone.spearman);
      CHECK(crowd.spearman_p == alone.spearman_p);
      CHECK(crowd.kendall_tau_b == alone.kendall_tau_b);
      CHECK(crowd.kendall_p == alone.kendall_p);
    }
  }
  CHECK_THROWS_AS(rank_correlations(Calculator(), samples, Sample{1, 2}), std::invalid_argument);
}

TEST_CASE("p-values and correlations are scipy's") {
  for (const test::RankCase& c : test::kRankCases) {
    CAPTURE(c.name);
    const RankCorrelations found = rank_correlations(c.x, c.y);
    CHECK(near(found.spearman, c.spearman, 2 * kRounding));
    CHECK(near(found.kendall_tau_b, c.kendall, 2 * kRounding));
    // Of n-2 degrees of freedom Student's tail goes with the (n-2)/2th power of 1 - rho^2, whose own rounding
    // is that of rho.
    const auto n = static_cast<double>(c.x.size());
    const double steepness = 0.5 * n / (1 - std::abs(c.spearman));
    CHECK(near(found.spearman_p, c.spearman_p, 4 * kRounding * (10 + steepness) * c.spearman_p));
    CHECK(near(found.kendall_p, c.kendall_p, 4 * kRounding * (10 + n) * c.kendall_p));
  }
}

TEST_CASE("Kendall's exact p counts the orders of five") {
  // Of the 120 orders of five, 1, 4, 9, 15, 20, 22, 20, ... have 0, 1, 2, ... discordant pairs.
  const Sample x{1, 2, 3, 4, 5};
  CHECK(near(rank_correlations(x, Sample{1, 2, 3, 4, 5}).kendall_p, 2.0 / 120, kRounding));
  CHECK(near(rank_correlations(x, Sample{2, 1, 3, 4, 5}).kendall_p, 10.0 / 120, kRounding));
  CHECK(near(rank_correlations(x, Sample{2, 1, 4, 3, 5}).kendall_p, 28.0 / 120, kRounding));
  CHECK(near(rank_correlations(x, Sample{5, 4, 3, 1, 2}).kendall_p, 10.0 / 120, kRounding));
  CHECK(rank_correlations(x, Sample{2, 5, 1, 4, 3}).kendall_p == 1.0);
}

}  // namespace
