// Rank correlations of two samples, with ties: Spearman's rho and Kendall's tau-b, and their p-values.
// They read the order of the values only. Infinities are the outermost values; a sample that holds a NaN has
// no order, and all its correlations are NaN. So are those of fewer than two pairs and of a sample whose
// values are all equal: they are 0/0 there.
//
// Sources: Spearman 1904; Kendall 1945, "The treatment of ties in ranking problems" (tau-b); Knight 1966, "A
// computer method for calculating Kendall's tau with ungrouped data" (counting in n log n); Kendall & Gibbons
// 1990, chapters 4 and 5 (p-values).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/calculator.h"
#include "analysis/samples.h"

namespace shoal {

/// Ranks from 1 on; equal values share the mean of the ranks that they take up. NaN everywhere if the sample
/// holds a NaN.
std::vector<double> midranks(std::span<const double> sample);

/// The order of a sample's values: code[i] < code[j] exactly when value i is below value j. All that rank
/// statistics read, and quicker to take resamples of than the values, since codes are sorted by counting.
struct RankCodes {
  std::vector<std::int32_t> code;  // 0 .. levels-1; not every level has to occur
  std::int32_t levels = 0;
  bool ordered = true;  // false: the sample holds a NaN, and there are no codes
};
/// Fewer than 2^31 values, else std::invalid_argument.
RankCodes rank_codes(std::span<const double> sample);

/// Pearson's correlation of the midranks, from exact integers: the same bits in any order of the pairs. Equal
/// lengths, else std::invalid_argument; so below.
double spearman(const RankCodes& x, const RankCodes& y);
double spearman(std::span<const double> x, std::span<const double> y);

/// (concordant - discordant) / sqrt((pairs - tied in x) (pairs - tied in y)), in O(n log n).
double kendall_tau_b(const RankCodes& x, const RankCodes& y);
double kendall_tau_b(std::span<const double> x, std::span<const double> y);

/// Both, with two-sided p-values of independence.
struct RankCorrelations {
  std::int64_t n = 0;
  double spearman = 0;
  double spearman_p = 0;  // from Student's t with n - 2 degrees of freedom; NaN for n < 3
  double kendall_tau_b = 0;
  /// Without ties exact for n <= 33, and where at most one pair is concordant or discordant; otherwise from
  /// the normal distribution with the variance corrected for ties.
  double kendall_p = 0;
};
RankCorrelations rank_correlations(std::span<const double> x, std::span<const double> y);

/// Of every sample with one and the same `against`, in order; the samples are shared out over the threads.
std::vector<RankCorrelations> rank_correlations(const Calculator&, Samples<double>,
                                                std::span<const double> against);

}  // namespace shoal
