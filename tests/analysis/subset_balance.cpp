// Resultants of subsets, and what they have to do with a quantity, on cases that are known.
#include "analysis/subset_balance.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <numbers>
#include <stdexcept>

#include "tests/analysis/calculators.h"
#include "tests/analysis/subsets.h"

namespace shoal::test {
namespace {

/// Nodes all around, of different strengths.
std::vector<double> around(int nodes) {
  std::vector<double> vectors;
  for (int i = 0; i < nodes; ++i) {
    const double angle = 2 * std::numbers::pi * i / nodes + 0.1 * i, strength = 1 + 0.2 * (i % 3);
    vectors.insert(vectors.end(), {strength * std::cos(angle), strength * std::sin(angle)});
  }
  return vectors;
}

TEST_CASE("resultants are sums over the nodes that are kept") {
  for (const auto& calculator : calculators())
    for (int n = 1; n <= 8; ++n) {
      const std::vector<double> vectors = around(n), lengths = resultant_lengths(*calculator, vectors);
      REQUIRE(lengths.size() == std::size_t{1} << n);
      CHECK(lengths[0] == 0);
      for (unsigned s = 0; s < lengths.size(); ++s) {
        Real x = 0, y = 0;
        for (int i = 0; i < n; ++i)
          if (s >> i & 1)
            x += vectors[static_cast<std::size_t>(2 * i)], y += vectors[static_cast<std::size_t>(2 * i + 1)];
        CHECK(near(lengths[s], std::sqrt(x * x + y * y), 2 * n));
      }
    }
  const Calculator calculator;
  CHECK_THROWS_AS(resultant_lengths(calculator, {}), std::invalid_argument);
  CHECK_THROWS_AS(resultant_lengths(calculator, std::vector<double>(3)), std::invalid_argument);
  CHECK_THROWS_AS(resultant_lengths(calculator, std::vector<double>(50)), std::invalid_argument);
  CHECK_THROWS_AS(resultant_lengths(calculator, std::vector<double>{1, NAN}), std::invalid_argument);
}

/// Correlations by definition.
struct Expected {
  Real within, complement, complement_within, left;
};
Expected expected_of(const std::vector<double>& table, const std::vector<double>& lengths, int nodes) {
  const std::size_t count = table.size();
  std::vector<Real> n(static_cast<std::size_t>(nodes) + 1), ft = n, fl = n, fs = n;
  for (unsigned s = 0; s < count; ++s) {
    const auto k = static_cast<std::size_t>(size_of(s));
    n[k] += 1, ft[k] += table[s], fl[k] += lengths[s], fs[k] += static_cast<Real>(lengths[s]) * lengths[s];
  }
  Real mean = 0, ql = 0, qq = 0, ll = 0, qs = 0, ss = 0;
  for (const double x : table) mean += x / static_cast<Real>(count);
  std::vector<Real> q, squared;
  for (unsigned s = 0; s < count; ++s) {
    const auto k = static_cast<std::size_t>(size_of(s));
    const Real l = lengths[s] - fl[k] / n[k];
    q.push_back(table[s] - ft[k] / n[k]),
        squared.push_back(static_cast<Real>(lengths[s]) * lengths[s] - fs[k] / n[k]);
    ql += q[s] * l, qq += q[s] * q[s], ll += l * l, qs += q[s] * squared[s], ss += squared[s] * squared[s];
  }
  Real c = 0, v = 0, cq = 0, cl = 0, vl = 0;
  for (std::size_t s = 0; s < count; ++s) {
    const std::size_t other = count - 1 - s;
    c += (table[s] - mean) * (table[other] - mean), v += (table[s] - mean) * (table[s] - mean),
        cq += q[s] * q[other];
    const Real left = q[s] - qs / ss * squared[s], left_other = q[other] - qs / ss * squared[other];
    cl += left * left_other, vl += left * left;
  }
  return {ql / std::sqrt(qq * ll), c / v, cq / qq, cl / vl};
}

TEST_CASE("balance and complements, by definition") {
  for (const auto& calculator : calculators())
    for (int n = 3; n <= 8; ++n) {
      const std::vector<double> table = made_up_table(n), lengths = resultant_lengths(*calculator, around(n));
      const SubsetBalance b = subset_balance(*calculator, table, lengths);
      const Expected e = expected_of(table, lengths, n);
      CHECK(near(b.within_sizes, e.within, 1, 4096));
      CHECK(near(b.complement, e.complement, 1, 4096));
      CHECK(near(b.complement_within_sizes, e.complement_within, 1, 4096));
      CHECK(near(b.complement_left, e.left, 1, 4096));
    }
}

TEST_CASE("a quantity that is nothing but balance: complements resemble each other because of it") {
  const Calculator calculator;
  constexpr int kNodes = 10;
  std::vector<double> vectors;
  for (int i = 0; i < kNodes; ++i)  // the full set is balanced
    vectors.insert(vectors.end(),
                   {std::cos(0.2 * std::numbers::pi * i), std::sin(0.2 * std::numbers::pi * i)});
  const std::vector<double> lengths = resultant_lengths(calculator, vectors);
  std::vector<double> table = lengths;
  reference::Draws draws(4);
  for (double& x : table) x = 0.3 * x * x + draws.uniform(-0.1, 0.1);
  const SubsetBalance b = subset_balance(calculator, table, lengths);
  CHECK(b.within_sizes > 0.9);
  CHECK(b.best_length < 0.3);
  CHECK(b.full_length < 1e-12);
  CHECK(b.complement > 0.9);
  CHECK(std::abs(b.complement_left) < 0.15);
  std::vector<double> noise;
  for (std::size_t s = 0; s < table.size(); ++s) noise.push_back(draws.uniform(0.0, 1.0));
  const SubsetBalance none = subset_balance(calculator, noise, lengths);
  CHECK(std::abs(none.within_sizes) < 0.12);
  CHECK(none.best_length == doctest::Approx(1).epsilon(0.6));
  CHECK_THROWS_AS(subset_balance(calculator, noise, std::vector<double>(512, 1.0)), std::invalid_argument);
}

}  // namespace
}  // namespace shoal::test
