// The tables of exponentials that Subsets and SubsetGradients share on the CPU: see kernels/subsets.h.
#pragma once

#include "kernels/cpu/statistics_level.h"
#include "kernels/subsets.h"

namespace shoal::SHOAL_LEVEL {
namespace {

template <class T>
using Vector = stdx::native_simd<T>;
template <class T>
constexpr int kWidth = static_cast<int>(Vector<T>::size());

/// Rows of a table: subsets of the middle nodes. Blocks of small models have fewer, but always a whole tile.
constexpr int kRowTile = 2;
SHOAL_INLINE int rows_of(int nodes) {
  const int high = nodes - kSubsetLowNodes;
  const int rows = high <= 0 ? 1 : high >= kSubsetMidNodes ? kSubsetMid : 1 << high;
  return rows < kRowTile ? kRowTile : rows;
}

/// Products of a group's factors (or sums of its contributions) over subsets: e of an entry is low * mid (or
/// low + mid). Nodes that the model lacks have factor 1: their subsets are computed and not kept.
template <class T>
struct SubsetTables {
  T* low;  // [entry][kSubsetLow]
  T* mid;  // [row][entry], with the base and the nodes above
  int entries, rows;

  SubsetTables(void* low_memory, void* mid_memory)
      : low(static_cast<T*>(low_memory)), mid(static_cast<T*>(mid_memory)) {}

  template <bool sums>
  static SHOAL_INLINE double join(double a, double b) {
    return sums ? a + b : a * b;
  }

  /// t[0 .. 2^count): `first` joined with every subset of `count` nodes.
  template <bool sums>
  static SHOAL_INLINE void expand(double* t, double first, const double* nodes, int there, int count) {
    t[0] = first;
    for (int i = 0; i < count; ++i) {
      const double node = i < there ? nodes[i] : sums ? 0.0 : 1.0;
      for (int j = 0; j < 1 << i; ++j) t[j + (1 << i)] = join<sums>(t[j], node);
    }
  }

  template <bool sums>
  void fill(const SubsetModel& m, const SubsetGroup& group, std::int64_t first) {
    const std::int64_t begin = group.first * m.others;
    const double* base = (sums ? m.base : m.base_factor) + begin;
    const double* nodes = (sums ? m.contributions : m.factors) + begin * m.nodes;
    entries = group.count * m.others;
    rows = rows_of(m.nodes);
    double t[kSubsetLow];
    static_assert(kSubsetLow == kSubsetMid);
    for (int e = 0; e < entries; ++e, nodes += m.nodes) {
      expand<sums>(t, sums ? 0.0 : 1.0, nodes, m.nodes, kSubsetLowNodes);
      for (int j = 0; j < kSubsetLow; ++j) low[e * kSubsetLow + j] = static_cast<T>(t[j]);
      double high = base[e];
      for (int i = kSubsetLowNodes + kSubsetMidNodes; i < m.nodes; ++i)
        if (first >> i & 1) high = join<sums>(high, nodes[i]);
      expand<sums>(t, high, nodes + kSubsetLowNodes, m.nodes - kSubsetLowNodes, kSubsetMidNodes);
      for (int r = 0; r < rows; ++r) mid[r * entries + e] = static_cast<T>(t[r]);
    }
  }
};

/// Subsets of a block that the model has, in a row of it and in all.
SHOAL_INLINE int lanes_kept(int nodes) { return nodes < kSubsetLowNodes ? 1 << nodes : kSubsetLow; }
SHOAL_INLINE int rows_kept(int nodes) { return nodes <= kSubsetLowNodes ? 1 : rows_of(nodes); }

}  // namespace
}  // namespace shoal::SHOAL_LEVEL
