// How the values of subsets hang together when every node is kept with probability 1/2: variance by the order
// of interactions, covariance of subsets that differ in d nodes. Exact, from the Walsh-Hadamard transform of
// the table; and by enumeration, which is slow and judges it. Formulas: docs/statistics.md, Subsets.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/subset_table.h"

namespace shoal {

/// By order k = 0 .. n: sum over the sets t of k nodes of (W[t] / 2^n)^2, W being the transform: the part of
/// the mean square that interactions of exactly k nodes explain (Parseval). Entry 0 is the squared mean, the
/// others add up to the variance.
std::vector<double> interaction_variances(const Calculator&, std::span<const double> table);

/// K_d(k; n) = sum_j (-1)^j C(k, j) C(n - k, d - j), the Krawtchouk polynomial: the sum of (-1)^|t and u|
/// over all sets u of d out of n nodes, t having k. Exact; 0 <= d, k <= n <= 24, else std::invalid_argument.
std::int64_t krawtchouk(int n, int d, int k);
/// Exact for n <= 60.
std::int64_t binomial(int n, int k);

/// Covariance of f(s) and f(s'), s uniform and s' uniform among the subsets that differ from it in exactly d
/// nodes, for d = 0 .. n: sum over k >= 1 of variance[k] K_d(k; n) / C(n, d). At 0 it is the variance, at n
/// the covariance of a subset with its complement.
std::vector<double> distance_covariances(std::span<const double> variances);

/// The same by its definition, over all 4^n pairs: for tests and small n (at most 14, else
/// std::invalid_argument).
std::vector<double> enumerated_covariances(const Calculator&, std::span<const double> table);

/// Covariances along a path that begins at a uniform subset and flips all nodes in uniform order, row-major
/// [n + 1][n + 1]: places i and j differ in |i - j| uniform nodes and each is uniform, so the matrix is
/// exactly covariances[|i - j|].
std::vector<double> path_covariance(std::span<const double> covariances);

}  // namespace shoal
