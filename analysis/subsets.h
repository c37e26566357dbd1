// Networks at every subset of some of their nodes. What is computed, and how: kernels/subsets.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analysis/calculator.h"

namespace shoal {

/// The nodes are outputs of one hidden layer that nothing but the logits reads (its others may be in `base`).
/// Bit i of a subset set: node i is kept; clear: what comes out of its ReLU is replaced by 0.
struct SubsetNetwork {
  int nodes = 0;                              // 1 to 24
  int classes = 0;                            // 2 or more
  std::span<const double> outputs = {};       // [point][node], behind the ReLU
  std::span<const double> weights = {};       // [node][class]
  std::span<const double> base = {};          // [point][class], logits with all these nodes off
  std::span<const std::int32_t> labels = {};  // [point], 0 .. classes - 1
};

/// float64: relative error of a loss below 1e-13. float32: below 1e-5, and faster where margins are small;
/// what floats cannot hold is computed in doubles, so large weights do no harm.
enum class SubsetPrecision { float32, float64 };

struct SubsetSpec {
  SubsetPrecision precision = SubsetPrecision::float64;
  bool loss = true, hits = true;  // what is wanted
  /// Pairs of subset and point done so far, and all. Called from any thread, one call at a time.
  std::function<void(std::int64_t done, std::int64_t all)> progress = {};
  const std::atomic<bool>* stop = nullptr;
};

/// Of one network, by subset.
struct SubsetTable {
  int nodes = 0;
  std::int64_t points = 0;
  std::vector<double> loss = {};        // [2^nodes] mean cross-entropy, natural logarithm
  std::vector<std::int32_t> hits = {};  // [2^nodes] points whose first largest logit is the label's
};

/// All subsets of every network. Memory: 12 bytes a subset for the tables, and while a network is at work 16
/// (nodes + 1) bytes a point and class. Empty when stopped. std::invalid_argument, with a sentence, for
/// shapes that do not fit, no points, labels outside, and numbers that are not finite; DeviceError.
std::vector<SubsetTable> evaluate_subsets(const Calculator&, std::span<const SubsetNetwork>,
                                          const SubsetSpec& = {});

/// Consecutive subsets first .. first + losses.size() of a network.
struct SubsetGradientRange {
  std::int64_t first = 0;
  std::span<const double> losses = {};     // [subset] mean cross-entropy
  std::span<const double> gradients = {};  // [node][subset] d loss / d b_i, b_i a factor on node i's output
};

/// The losses of all subsets, and their gradients in ranges that are passed on and forgotten, in ascending
/// order: 2^18 subsets at a time, so at most 48 MiB. The table is empty when stopped. Errors as above.
SubsetTable for_subset_gradients(const Calculator&, const SubsetNetwork&, const SubsetSpec&,
                                 const std::function<void(const SubsetGradientRange&)>& body);

}  // namespace shoal
