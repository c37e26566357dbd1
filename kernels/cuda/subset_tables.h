// The tables of exponentials that Subsets and SubsetGradients share on devices: see kernels/subsets.h. A
// stage is as many entries of a group as shared memory takes; groups of one point with more classes need
// several. Device code only, included by .cu files.
#pragma once

#include "kernels/cuda/device.h"
//
#include "kernels/subsets.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kSubsetThreads = 256;

/// Products of factors (or sums of contributions) over subsets of the lowest nodes, and over `rows` subsets
/// of the middle ones beginning at row `first_row`, with the base and the nodes above.
template <class T, int rows>
struct SubsetStage {
  T low[kSubsetEntries][kSubsetLow];
  T mid[kSubsetEntries][rows];
};

/// `start` joined with those of the nodes that `mask` has; `nodes` of them are there.
template <bool sums>
__device__ __forceinline__ double join_nodes(double start, const double* values, int nodes,
                                             std::int64_t mask) {
  for (int i = 0; i < nodes; ++i)
    if (mask >> i & 1) start = sums ? start + values[i] : start * values[i];
  return start;
}

/// Entries begin .. begin + count of the model. Every thread of the block takes part; barriers are the
/// caller's.
template <bool sums, class T, int rows>
__device__ __forceinline__ void fill_stage(SubsetStage<T, rows>& stage, const SubsetModel& m,
                                           std::int64_t begin, int count, std::int64_t first_subset,
                                           int first_row) {
  const double* base = (sums ? m.base : m.base_factor) + begin;
  const double* values = (sums ? m.contributions : m.factors) + begin * m.nodes;
  const int thread = static_cast<int>(threadIdx.x);
  const int low_nodes = m.nodes < kSubsetLowNodes ? m.nodes : kSubsetLowNodes;
  for (int i = thread; i < count * kSubsetLow; i += kSubsetThreads) {
    const int e = i / kSubsetLow, j = i % kSubsetLow;
    stage.low[e][j] = static_cast<T>(
        join_nodes<sums>(sums ? 0.0 : 1.0, values + static_cast<std::int64_t>(e) * m.nodes, low_nodes, j));
  }
  for (int i = thread; i < count * rows; i += kSubsetThreads) {
    const int e = i / rows, r = i % rows;
    const std::int64_t high = first_subset / kSubsetLow + first_row + r;
    stage.mid[e][r] = static_cast<T>(join_nodes<sums>(
        base[e], values + static_cast<std::int64_t>(e) * m.nodes + low_nodes, m.nodes - low_nodes, high));
  }
}

}  // namespace
}  // namespace shoal::KERNEL_NS
