// The exact distribution of a quantity over the subsets of a network's nodes, each kept with its own
// probability: no sampling, every subset counts with its weight. Formulas: docs/statistics.md, Subsets.
//
//   const std::vector<double> logs = log_table(calculator, losses);
//   const SubsetOrder order = subset_order(calculator, logs);
//   const SubsetDistribution d = subset_distribution(order, KeepWeights(20, 0.5));
//   quantile_of(d, 0.5), share_below(d, -0.3), normal_fit(calculator, d)
#pragma once

#include <span>
#include <vector>

#include "analysis/density.h"
#include "analysis/subset_table.h"

namespace shoal {

/// sd is the distribution's own (divided by its total weight of 1), skewness its third standardised moment,
/// kurtosis the fourth less 3; both NaN where nothing varies, and sd exactly 0. Extremes are over the subsets
/// that can occur.
struct SubsetMoments {
  double mean = 0, sd = 0, skewness = 0, kurtosis = 0, min = 0, max = 0;
};
/// std::invalid_argument unless there are as many weights as values, all of them finite.
SubsetMoments subset_moments(const Calculator&, std::span<const double> table, const KeepWeights&);

/// All subsets by ascending value, equal ones by their number: 12 bytes a subset, and as many again for the
/// time of sorting. Made once for all weights.
struct SubsetOrder {
  std::vector<double> values;
  std::vector<Subset> subsets;
};
SubsetOrder subset_order(const Calculator&, std::span<const double> table);

/// P(X <= values[i]), summed without losing digits. Of equal values the last one holds what belongs to them.
struct SubsetDistribution {
  std::span<const double> values;  // the order's, which has to outlive this
  std::vector<double> weights, cumulative;
};
SubsetDistribution subset_distribution(const SubsetOrder&, const KeepWeights&);

/// The smallest value x with P(X <= x) >= share (definition 1 of Hyndman & Fan 1996), share in [0, 1]; of a
/// share of 0, the smallest value that can occur.
double quantile_of(const SubsetDistribution&, double share);
/// P(X <= x)
double share_below(const SubsetDistribution&, double x);

/// The normal distribution nearest to it (Kullback-Leibler: that of its mean and sd), and how far it is:
///   Kolmogorov-Smirnov  D = sup |F - Phi|
///   Anderson-Darling    A2 = integral of (F - Phi)^2 / (Phi (1 - Phi)) dPhi   (Anderson & Darling 1952),
///   without
/// the factor of the sample's size, because this is a distribution and no sample. With weights w_i of the
/// ascending values, u_i = Phi(z_i) and F_i = w_1 + ... + w_i the integral is
///   A2 = -1 - sum_i w_i [(F_i + F_(i-1)) ln u_i + (2 - F_i - F_(i-1)) ln(1 - u_i)]
/// NaN where nothing varies.
struct NormalFit {
  double mean = 0, sd = 0, kolmogorov_smirnov = 0, anderson_darling = 0;
};
NormalFit normal_fit(const Calculator&, const SubsetDistribution&, const SubsetMoments&);

/// Density of the weighted values under a Gaussian kernel of spec.bandwidth > 0, else std::invalid_argument
/// (also where a lower bound is given). By a fast Gauss transform (Greengard & Strain 1991): values are
/// gathered in boxes a quarter of the bandwidth wide, each with its first nine moments; what that leaves out
/// is below 1e-9 of a kernel's peak.
Density subset_density(const Calculator&, std::span<const double> table, const KeepWeights&,
                       const DensitySpec&);

/// E[f | node i kept] - E[f | node i removed] for every node: the derivative of the expected value by
/// keep[i], exactly, since the expected value is linear in each (the multilinear extension of Owen 1972).
std::vector<double> expectation_gradient(const Calculator&, std::span<const double> table,
                                         std::span<const double> keep);

/// What a finite change of one keep probability for all nodes does to the expected value, beside the straight
/// line through its middle.
struct ExpectedChange {
  double before = 0, after = 0;  // expected values at `from` and `to`
  double slope = 0;              // derivative by the common probability at (from + to) / 2
  double straight = 0;           // slope (to - from)
};
ExpectedChange expected_change(const Calculator&, std::span<const double> table, double from, double to);

}  // namespace shoal
