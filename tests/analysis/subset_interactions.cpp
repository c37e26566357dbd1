// Interactions, covariances and values of subsets, against enumeration.
#include "analysis/subset_interactions.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "analysis/subset_distribution.h"
#include "analysis/subset_values.h"
#include "analysis/walsh_hadamard.h"
#include "tests/analysis/calculators.h"
#include "tests/analysis/subsets.h"
#include "tests/reference/walsh_hadamard.h"

namespace shoal::test {
namespace {

Real mean_of(const std::vector<double>& table) {
  Real sum = 0;
  for (const double x : table) sum += x;
  return sum / static_cast<Real>(table.size());
}
Real variance_of(const std::vector<double>& table) {
  const Real mean = mean_of(table);
  Real sum = 0;
  for (const double x : table) sum += (x - mean) * (x - mean);
  return sum / static_cast<Real>(table.size());
}

TEST_CASE("the Walsh-Hadamard transform of a table, by every calculator, of any size") {
  for (const int n : {0, 1, 2, 5, 10, 12, 13, 17}) {
    const std::vector<double> table = n == 0 ? std::vector<double>{3.5} : made_up_table(n);
    std::vector<std::vector<double>> all;
    for (const auto& calculator : calculators()) {
      if (n > 13 && calculator->device() && calculator->device()->name == "emu") continue;
      std::vector<double> w = table;
      walsh_hadamard(*calculator, w);
      CHECK(std::memcmp(w.data(), (all.empty() ? w : all[0]).data(), w.size() * sizeof(double)) == 0);
      all.push_back(w);
      walsh_hadamard(*calculator, w);
      Real worst = 0;
      for (std::size_t s = 0; s < w.size(); ++s)
        worst = std::max(worst, std::abs(static_cast<Real>(w[s]) / static_cast<Real>(w.size()) - table[s]));
      CHECK(worst <= 2 * (n + 1) * 0x1p-53L * mean_of(table) * static_cast<Real>(table.size()));
    }
    if (n > 10) continue;
    const std::vector<long double> expected = reference::walsh_hadamard(table);
    for (std::size_t t = 0; t < table.size(); ++t) CHECK(near(all[0][t], expected[t], expected[0], n + 1));
  }
  std::vector<double> odd(12);
  CHECK_THROWS_AS(walsh_hadamard(Calculator(), odd), std::invalid_argument);
  CHECK_THROWS_AS(walsh_hadamard(Calculator(), {}), std::invalid_argument);
}

TEST_CASE("binomials and Krawtchouk polynomials, by counting") {
  for (int n = 0; n <= 9; ++n)
    for (int k = 0; k <= n; ++k) {
      std::vector<std::int64_t> sums(static_cast<std::size_t>(n) + 1), counts = sums;
      for (unsigned u = 0; u < 1u << n; ++u) {
        const unsigned t = (1u << k) - 1;
        sums[static_cast<std::size_t>(size_of(u))] += size_of(t & u) % 2 ? -1 : 1;
        ++counts[static_cast<std::size_t>(size_of(u))];
      }
      for (int d = 0; d <= n; ++d) {
        CHECK(krawtchouk(n, d, k) == sums[static_cast<std::size_t>(d)]);
        CHECK(binomial(n, d) == counts[static_cast<std::size_t>(d)]);
      }
    }
  CHECK(binomial(24, 12) == 2704156);
  CHECK(binomial(4, 5) == 0);
  CHECK_THROWS_AS(krawtchouk(25, 1, 1), std::invalid_argument);
  CHECK_THROWS_AS(krawtchouk(5, 6, 1), std::invalid_argument);
}

TEST_CASE("variance by order adds up to the variance, and is what projections explain") {
  for (const auto& calculator : calculators())
    for (int n = 1; n <= 8; ++n) {
      const std::vector<double> table = made_up_table(n);
      const std::vector<double> v = interaction_variances(*calculator, table);
      REQUIRE(v.size() == static_cast<std::size_t>(n) + 1);
      std::vector<Real> expected(v.size());
      const std::vector<long double> w = reference::walsh_hadamard(table);
      for (unsigned t = 0; t < table.size(); ++t)
        expected[static_cast<std::size_t>(size_of(t))] +=
            std::pow(w[t] / static_cast<Real>(table.size()), 2.0L);
      const Real variance = variance_of(table);
      for (std::size_t k = 0; k < v.size(); ++k)
        CHECK(near(v[k], expected[k], k == 0 ? expected[0] : variance, 256));
      CHECK(near(std::accumulate(v.begin() + 1, v.end(), 0.0), variance, variance, 256));
    }
  // Sums of nodes have no interactions; a product of two has.
  std::vector<double> additive, pair;
  for (unsigned s = 0; s < 64; ++s) {
    additive.push_back(1e6 + 3.0 * size_of(s & 7) - (s >> 4 & 1));
    pair.push_back((s & 1) && (s & 2) ? 1.0 : 0.0);
  }
  const Calculator calculator;
  const std::vector<double> one = interaction_variances(calculator, additive);
  CHECK(one[1] == doctest::Approx(7.0).epsilon(1e-12));  // 3 * 9 / 4 + 1 / 4
  for (int k = 2; k <= 6; ++k) CHECK(one[static_cast<std::size_t>(k)] < 1e-18);
  const std::vector<double> two = interaction_variances(calculator, pair);
  CHECK(two[1] == doctest::Approx(2.0 / 16));
  CHECK(two[2] == doctest::Approx(1.0 / 16));
}

TEST_CASE("covariances by distance: from the transform, by enumeration of differences, and over all pairs") {
  for (const auto& calculator : calculators())
    for (int n = 1; n <= 8; ++n) {
      const std::vector<double> table = made_up_table(n);
      const Real mean = mean_of(table), variance = variance_of(table);
      const std::vector<double> fast = distance_covariances(interaction_variances(*calculator, table)),
                                slow = enumerated_covariances(*calculator, table);
      REQUIRE(fast.size() == static_cast<std::size_t>(n) + 1);
      REQUIRE(slow.size() == fast.size());
      std::vector<Real> sums(fast.size());
      std::vector<std::int64_t> counts(fast.size());
      for (unsigned a = 0; a < table.size(); ++a)
        for (unsigned b = 0; b < table.size(); ++b) {
          const auto d = static_cast<std::size_t>(size_of(a ^ b));
          sums[d] += (table[a] - mean) * (table[b] - mean), ++counts[d];
        }
      for (std::size_t d = 0; d < fast.size(); ++d) {
        CHECK(near(fast[d], sums[d] / static_cast<Real>(counts[d]), variance, 512));
        CHECK(near(slow[d], sums[d] / static_cast<Real>(counts[d]), variance, 512));
      }
      CHECK(near(fast[0], variance, variance, 256));
    }
  const Calculator calculator;
  const std::vector<double> larger = made_up_table(12);
  const std::vector<double> fast = distance_covariances(interaction_variances(calculator, larger)),
                            slow = enumerated_covariances(calculator, larger);
  for (std::size_t d = 0; d < fast.size(); ++d) CHECK(near(fast[d], slow[d], fast[0], 512));
  CHECK_THROWS_AS(enumerated_covariances(calculator, std::vector<double>(1 << 15, 1.0)),
                  std::invalid_argument);
}

TEST_CASE("the covariance along a path that flips all nodes, over all paths") {
  const Calculator calculator;
  for (int n = 1; n <= 5; ++n) {
    const std::vector<double> table = made_up_table(n);
    const Real mean = mean_of(table), variance = variance_of(table);
    const auto places = static_cast<std::size_t>(n) + 1;
    std::vector<Real> sums(places * places);
    std::vector<int> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::int64_t paths = 0;
    do {
      for (unsigned start = 0; start < table.size(); ++start, ++paths) {
        std::vector<Real> along{table[start] - mean};
        unsigned s = start;
        for (const int node : order) along.push_back(table[s ^= 1u << node] - mean);
        for (std::size_t i = 0; i < places; ++i)
          for (std::size_t j = 0; j < places; ++j) sums[i * places + j] += along[i] * along[j];
      }
    } while (std::next_permutation(order.begin(), order.end()));
    const std::vector<double> matrix =
        path_covariance(distance_covariances(interaction_variances(calculator, table)));
    REQUIRE(matrix.size() == sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i)
      CHECK(near(matrix[i], sums[i] / static_cast<Real>(paths), variance, 512));
  }
}

TEST_CASE("Shapley values are means over all orders, Banzhaf values over all subsets") {
  for (const auto& calculator : calculators())
    for (int n = 1; n <= 7; ++n) {
      const std::vector<double> table = made_up_table(n);
      const NodeValues values = node_values(*calculator, table);
      std::vector<Real> shapley(static_cast<std::size_t>(n)), banzhaf = shapley;
      std::vector<int> order(static_cast<std::size_t>(n));
      std::iota(order.begin(), order.end(), 0);
      std::int64_t orders = 0;
      do {
        unsigned s = 0;
        for (const int node : order) {
          const unsigned more = s | 1u << node;
          shapley[static_cast<std::size_t>(node)] += static_cast<Real>(table[more]) - table[s], s = more;
        }
        ++orders;
      } while (std::next_permutation(order.begin(), order.end()));
      for (unsigned s = 0; s < table.size(); ++s)
        for (int i = 0; i < n; ++i)
          banzhaf[static_cast<std::size_t>(i)] +=
              s >> i & 1 ? static_cast<Real>(table[s]) : -static_cast<Real>(table[s]);
      double sum = 0;
      for (std::size_t i = 0; i < values.shapley.size(); ++i) {
        CHECK(near(values.shapley[i], shapley[i] / static_cast<Real>(orders), 2));
        CHECK(near(values.banzhaf[i], banzhaf[i] / static_cast<Real>(table.size() / 2), 2));
        sum += values.shapley[i];
      }
      CHECK(near(sum, static_cast<Real>(table.back()) - table.front(), 2));
      const std::vector<double> even(static_cast<std::size_t>(n), 0.5);
      const std::vector<double> gradient = expectation_gradient(*calculator, table, even);
      for (std::size_t i = 0; i < gradient.size(); ++i) CHECK(near(gradient[i], values.banzhaf[i], 2));
    }
}

TEST_CASE("the best and the worst subset of every size, and ranks") {
  for (const auto& calculator : calculators())
    for (const int n : {1, 2, 6, 13}) {
      std::vector<double> table = made_up_table(n);
      for (double& x : table) x = std::round(20 * x) / 20;  // ties
      const std::vector<SizeRecord> records = size_records(*calculator, table);
      REQUIRE(records.size() == static_cast<std::size_t>(n) + 1);
      for (int size = 0; size <= n; ++size) {
        const SizeRecord& r = records[static_cast<std::size_t>(size)];
        unsigned best = 0, worst = 0;
        Real sum = 0;
        std::int64_t count = 0;
        for (unsigned s = 0; s < table.size(); ++s) {
          if (size_of(s) != size) continue;
          if (count == 0 || table[s] < table[best]) best = s;
          if (count == 0 || table[s] > table[worst]) worst = s;
          sum += table[s], ++count;
        }
        CHECK((r.size == size && r.lowest_subset == best && r.highest_subset == worst));
        CHECK((r.lowest == table[best] && r.highest == table[worst]));
        CHECK(near(r.mean, sum / static_cast<Real>(count), sum / static_cast<Real>(count), 4));
      }
      for (const Subset s : {0u, 1u, static_cast<unsigned>(table.size() - 1)}) {
        const SubsetRank rank = rank_of(*calculator, table, s);
        CHECK(rank.below == std::ranges::count_if(table, [&](double x) { return x < table[s]; }));
        CHECK(rank.equal == std::ranges::count(table, table[s]));
      }
      CHECK_THROWS_AS(rank_of(*calculator, table, 1u << n), std::invalid_argument);
    }
  CHECK(complement_of(0b0110, 4) == 0b1001);
}

}  // namespace
}  // namespace shoal::test
