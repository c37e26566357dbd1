// Subsets of more nodes than can be enumerated: unbiased estimates with standard errors. Who knows what a
// subset's loss is (an engine, a table) is asked for many at a time.
//
// Designs, each made independently in kSamplingGroups groups; an estimate is the mean of the groups', its
// standard error their sd / sqrt(groups) (Wolter, Introduction to Variance Estimation, 2007, chapter 2):
//
//   moments at keep p   sizes K_j = the Binomial(n, p) quantile of (j + U_j) / m, j = 0 .. m - 1: stratified
//   by
//                       the number of nodes. Which nodes: the first K of a random order, and for j's mirror
//                       image m - 1 - j, which has 1 - U_j, the last K of the same order: antithetic, at p =
//                       1/2 the complement.
//   flip paths          from a uniform subset all nodes are flipped in a random order: covariances by Hamming
//                       distance, and Banzhaf values, each flip being a difference at a uniform subset.
//   growth paths        from no node to all in a random order, and in that order's reverse: Shapley values
//                       (Castro, Gomez & Tejada 2009).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace shoal {

/// [node] 1: kept.
using NodeMask = std::vector<unsigned char>;

inline constexpr int kSamplingGroups = 20;

struct Estimate {
  double value = 0, error = 0;  // standard error
};

struct SampledMoments {
  Estimate mean, sd;
  std::vector<Estimate> quantiles;  // of the shares asked for; of a sample, so biased by O(1 / its size)
};

/// What one asks: losses of masks, in their order. An empty answer means stopped, and is passed on.
using LossesOf = std::function<std::vector<double>(std::span<const NodeMask>)>;

struct SamplingSpec {
  int nodes = 0;
  std::int64_t samples = 2000;  // of a design, at least 2 a group; rounded up to even groups
  std::uint64_t seed = 1;
};

/// Masks of the moments' design at a keep probability, group by group.
std::vector<NodeMask> moment_masks(const SamplingSpec&, double keep);
/// Moments of what was found for these masks, in their order (losses, or their logarithms).
SampledMoments sampled_moments(std::span<const double> values, std::span<const double> shares);

/// Both kinds of paths, as many as `samples` masks allow, at least one a group (of growth: a pair).
struct PathValues {
  std::vector<Estimate> covariance;        // [distance 0 .. nodes] of log f, f at uniform subsets
  std::vector<Estimate> banzhaf, shapley;  // [node] of f: f(with) - f(without)
};
/// Empty vectors when stopped. std::invalid_argument where a value is not finite or not above 0.
PathValues sampled_paths(const SamplingSpec&, const LossesOf&);

/// Mean and sd of each column of values [sample][column] whose samples come group by group in equal groups.
struct ColumnEstimates {
  std::vector<Estimate> mean, sd;
};
ColumnEstimates grouped_columns(std::span<const double> values, int columns);

}  // namespace shoal
