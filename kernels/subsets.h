// A network at every subset of some of its nodes: losses, hits and gradients. The nodes are outputs of one
// hidden layer that nothing but the logits reads, and a subset is a number: bit i set, node i is kept; the
// mask acts on what comes out of the ReLU.
//
// With y_i the output of node i for a point, V its outgoing weights and t the point's label, the excess of
// class c over the label is a sum, so its exponential is a product, and no subset needs an exponential of its
// own:
//   d_c(s) = base_c + sum_{i in s} y_i (V_ic - V_it)           e_c(s) = exp d_c(s)
//   cross-entropy of the point = log(1 + sum_{c != t} e_c)
// e_c(s) is a product of two: one from a table over the lowest kSubsetLowNodes nodes, one over all others.
//
// The logarithm, too, is taken once for a group of points, from 1 + q = prod (1 + e):  q <- q + e + q e  adds
// and multiplies positive numbers only, so that q and log1p(q) keep their relative accuracy however small the
// losses are. A group is as long as its product is sure to stay finite. All sums over groups are doubles.
#pragma once

#include <math.h>

#include <cstdint>

#include "kernels/portable.h"

namespace shoal {

/// How a group of points is computed. The host chooses by the largest sum of |base| and |contributions|:
/// float and double need every partial product inside their ranges; `logs` takes any finite numbers, one
/// exponential per class and subset.
enum class SubsetArithmetic : std::int32_t { float32, float64, logs };

/// Consecutive points. For float32 and float64, count * others <= kSubsetEntries or count == 1.
struct SubsetGroup {
  std::int64_t first;
  std::int32_t count;
  SubsetArithmetic arithmetic;
};

/// One network and one data set. An entry is a point and a class other than its label, [point][other].
struct SubsetModel {
  int nodes;   // 1 to kMostSubsetNodes
  int others;  // classes - 1
  int group_count;
  const SubsetGroup* groups;
  const double* base;           // [entry] excess with every node off
  const double* contributions;  // [entry][node] what a node adds to it: y_i (V_ic - V_it)
  const double* base_factor;    // [entry] exp of base; of points with logs: not read
  const double* factors;        // [entry][node] exp of contributions; likewise
  const unsigned char* before;  // [entry] 1: the class stands before the label, so a tie is a miss
};

/// kSubsetBlock consecutive subsets of a model, beginning at a multiple of that; fewer where the model has
/// fewer.
struct SubsetBlock {
  int model;
  std::int64_t first;
};

constexpr int kMostSubsetNodes = 24;
constexpr int kSubsetLowNodes = 6;
constexpr int kSubsetMidNodes = 6;
constexpr int kSubsetLow = 1 << kSubsetLowNodes;
constexpr int kSubsetMid = 1 << kSubsetMidNodes;
constexpr int kSubsetBlock = kSubsetLow * kSubsetMid;
constexpr int kSubsetEntries = 32;

/// For every subset of the blocks, sums over the model's points, written whole:
///   loss[s] = sum_p log(1 + sum_c e_c)
///   hits[s] = points whose first largest logit is the label's: d_c < 0, or d_c <= 0 for classes behind it
/// In float32, points whose |d_c| is below some 1e-6 may count either way.
struct Subsets {
  const SubsetModel* models;
  const SubsetBlock* blocks;
  int block_count;
  double* const* loss;        // [model] to [2^nodes]; null: not wanted
  std::int32_t* const* hits;  // [model] to [2^nodes]; null: not wanted
  double* scratch;            // CPU only: subset_scratch(the largest `others`) doubles, aligned to 64 bytes
};

/// For blocks of one model, gradients[i * stride + (s - first)] = sum over the points of
///   d loss / d b_i = sum_c contribution_ci e_c / (1 + sum_c e_c)
/// where b_i is a factor on node i's output: 1 for a node that is on, 0 for one that is off. Written whole.
struct SubsetGradients {
  const SubsetModel* models;
  const SubsetBlock* blocks;
  int block_count;
  double* gradients;
  std::int64_t stride;
  std::int64_t first;
  double* scratch;  // as above
};

constexpr std::int64_t subset_scratch(int others) {
  const std::int64_t entries = others > kSubsetEntries ? others : kSubsetEntries;
  return 3 * entries * kSubsetLow + 2 * kSubsetBlock + entries * (kMostSubsetNodes + 2);
}

SHOAL_INLINE std::int64_t subsets_of(int nodes) { return std::int64_t{1} << nodes; }

/// log(1 + sum exp d) of any finite d, one after the other: the largest term so far, the label's 0 among
/// them, and the sum of the others relative to it.
struct LogSum {
  double most = 0.0, rest = 0.0;
  SHOAL_INLINE void add(double d) {
    if (d > most) {
      rest = (rest + 1.0) * exp(most - d);
      most = d;
    } else {
      rest += exp(d - most);
    }
  }
  SHOAL_INLINE double value() const { return most + log1p(rest); }
  /// exp(d) / (1 + sum exp d)
  SHOAL_INLINE double share(double d) const { return exp(d - most) / (1.0 + rest); }
};

/// Whether a class with this excess leaves the label its hit.
SHOAL_INLINE bool harmless(double excess, bool before) { return before ? excess < 0.0 : excess <= 0.0; }

}  // namespace shoal
