// A table of all subsets of n nodes: table[s] belongs to the subset in which node i is kept where bit i of s
// is set. What the analyses of such tables share: shapes, weights, chunks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/calculator.h"
#include "kernels/shape_moments.h"

namespace shoal {

using Subset = std::uint32_t;

/// The largest table: 2^24 doubles are 128 MiB.
inline constexpr int kTableNodes = 24;

/// n of a table of 2^n finite values; std::invalid_argument for another length or a value that is not finite.
int table_nodes(std::span<const double> table);

/// Natural logarithms of a table of positive values, else std::invalid_argument.
std::vector<double> log_table(const Calculator&, std::span<const double> table);

/// Probabilities of subsets whose nodes are kept independently: w(s) = prod_i keep[i] or 1 - keep[i]. Each is
/// right to n + 1 roundings. Probabilities in [0, 1] and 1 to 24 nodes, else std::invalid_argument.
class KeepWeights {
 public:
  explicit KeepWeights(std::span<const double> keep);
  KeepWeights(int nodes, double keep);  // the same for all nodes

  int nodes() const { return nodes_; }
  std::int64_t subsets() const { return std::int64_t{1} << nodes_; }
  double operator()(Subset s) const { return low_[s & low_mask_] * high_[s >> low_bits_]; }

 private:
  int nodes_ = 0, low_bits_ = 0;
  Subset low_mask_ = 0;
  std::vector<double> low_, high_;  // products over the lower and over the upper nodes
};

/// Moments of values with weights: `count` is their total, zeros the weight of exact zeros; extremes are of
/// the values whose weight is not 0. Two passes, sums in runs of 64. Without any weight: empty.
ShapeMoments weighted_shape(std::span<const double> values, std::span<const double> weights);

/// Subsets that are looked at in one go; sums of chunks are merged in their order, so results have the same
/// bits on any number of threads.
inline constexpr std::int64_t kTableChunk = 4096;

/// body(first, last) -> T for every chunk of `count` subsets, on the calculator's threads: [chunk].
template <class T, class Body>
std::vector<T> over_chunks(const Calculator& calculator, std::int64_t count, const Body& body) {
  std::vector<T> results(static_cast<std::size_t>((count + kTableChunk - 1) / kTableChunk));
  calculator.for_each(static_cast<int>(results.size()), [&](int chunk) {
    const std::int64_t first = chunk * kTableChunk;
    results[static_cast<std::size_t>(chunk)] = body(first, std::min(first + kTableChunk, count));
  });
  return results;
}

/// A balanced tree over the parts.
ShapeMoments merge_all(std::vector<ShapeMoments> parts);

}  // namespace shoal
