// Rank correlations by their definitions, over all pairs, and the BCa interval of given replicates.
#pragma once

#include <span>
#include <vector>

namespace reference {

/// 1 + the number of smaller values + half the number of other equal ones.
std::vector<long double> midranks(std::span<const double>);
/// Pearson's correlation of midranks: two passes in long double.
double spearman(std::span<const double> x, std::span<const double> y);
/// Over all pairs: the sum of sign(dx) sign(dy) over the root of the sums of their squares.
double kendall_tau_b(std::span<const double> x, std::span<const double> y);

struct Limits {
  double low = 0, high = 0;
};
/// Efron & Tibshirani 1993, section 14.3. `left_out`: the statistic without each observation.
Limits bca(std::vector<double> replicates, double estimate, std::span<const double> left_out, double level);

}  // namespace reference
