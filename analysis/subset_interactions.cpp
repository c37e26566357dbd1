#include "analysis/subset_interactions.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "analysis/long_sum.h"
#include "analysis/walsh_hadamard.h"

namespace shoal {
namespace {

constexpr int kEnumeratedNodes = 14;

using BySize = std::array<double, kTableNodes + 1>;

/// For every size: the parts' sums, added.
std::vector<double> added(const std::vector<BySize>& parts, int nodes) {
  std::vector<double> sums;
  for (std::size_t k = 0; k <= static_cast<std::size_t>(nodes); ++k) {
    LongSum sum;
    for (const BySize& part : parts) sum.add(part[k]);
    sums.push_back(sum.value());
  }
  return sums;
}

/// The table less its mean.
std::vector<double> centred(std::span<const double> table) {
  LongSum sum;
  for (const double x : table) sum.add(x);
  const double mean = sum.value() / static_cast<double>(table.size());
  std::vector<double> values(table.size());
  std::ranges::transform(table, values.begin(), [&](double x) { return x - mean; });
  return values;
}

}  // namespace

std::int64_t binomial(int n, int k) {
  if (k < 0 || k > n) return 0;
  std::int64_t value = 1;
  for (int i = 1; i <= std::min(k, n - k); ++i) value = value * (n + 1 - i) / i;
  return value;
}

std::int64_t krawtchouk(int n, int d, int k) {
  if (n < 0 || n > kTableNodes || d < 0 || d > n || k < 0 || k > n)
    throw std::invalid_argument("Krawtchouk polynomials are asked for 0 <= d, k <= n <= " +
                                std::to_string(kTableNodes));
  std::int64_t sum = 0;
  for (int j = 0; j <= d; ++j) sum += (j % 2 ? -1 : 1) * binomial(k, j) * binomial(n - k, d - j);
  return sum;
}

std::vector<double> interaction_variances(const Calculator& calculator, std::span<const double> table) {
  const int nodes = table_nodes(table);
  // About the mean: the transform's rounding is in proportion to the values, and the mean is most of them.
  std::vector<double> w = centred(table);
  const double scale = 1 / static_cast<double>(table.size());
  const double mean = table[0] - w[0];
  walsh_hadamard(calculator, w);
  const double rest = w[0] * scale;  // what rounding left of the mean
  w[0] = 0;
  std::vector<double> variances = added(
      over_chunks<BySize>(calculator, static_cast<std::int64_t>(w.size()),
                          [&](std::int64_t first, std::int64_t last) {
                            BySize sums{};
                            for (auto t = static_cast<Subset>(first); t < static_cast<Subset>(last); ++t)
                              sums[static_cast<std::size_t>(std::popcount(t))] +=
                                  (w[t] * scale) * (w[t] * scale);
                            return sums;
                          }),
      nodes);
  variances[0] = (mean + rest) * (mean + rest);
  return variances;
}

std::vector<double> distance_covariances(std::span<const double> variances) {
  const int nodes = static_cast<int>(variances.size()) - 1;
  std::vector<double> covariances;
  for (int d = 0; d <= nodes; ++d) {
    LongSum sum;
    for (int k = 1; k <= nodes; ++k)
      sum.add(variances[static_cast<std::size_t>(k)] * static_cast<double>(krawtchouk(nodes, d, k)) /
              static_cast<double>(binomial(nodes, d)));
    covariances.push_back(sum.value());
  }
  return covariances;
}

std::vector<double> enumerated_covariances(const Calculator& calculator, std::span<const double> table) {
  const int nodes = table_nodes(table);
  if (nodes > kEnumeratedNodes)
    throw std::invalid_argument("all pairs of subsets are enumerated for at most " +
                                std::to_string(kEnumeratedNodes) + " nodes, not " + std::to_string(nodes));
  const std::vector<double> values = centred(table);
  // A task a difference: all pairs that differ in it.
  std::vector<double> by_difference(table.size());
  calculator.for_each(static_cast<int>(table.size()), [&](int u) {
    LongSum sum;
    for (std::size_t s = 0; s < values.size(); ++s)
      sum.add(values[s] * values[s ^ static_cast<std::size_t>(u)]);
    by_difference[static_cast<std::size_t>(u)] = sum.value() / static_cast<double>(values.size());
  });
  std::vector<LongSum> sums(static_cast<std::size_t>(nodes) + 1);
  for (std::size_t u = 0; u < by_difference.size(); ++u)
    sums[static_cast<std::size_t>(std::popcount(u))].add(by_difference[u]);
  std::vector<double> covariances;
  for (int d = 0; d <= nodes; ++d)
    covariances.push_back(sums[static_cast<std::size_t>(d)].value() /
                          static_cast<double>(binomial(nodes, d)));
  return covariances;
}

std::vector<double> path_covariance(std::span<const double> covariances) {
  std::vector<double> matrix;
  const int places = static_cast<int>(covariances.size());
  for (int i = 0; i < places; ++i)
    for (int j = 0; j < places; ++j) matrix.push_back(covariances[static_cast<std::size_t>(std::abs(i - j))]);
  return matrix;
}

}  // namespace shoal
