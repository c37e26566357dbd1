// SubsetGradients on the CPU: see kernels/subsets.h. For a row of 64 subsets the weights e / (1 + sum e) of a
// group's entries are computed once, and multiplied with the contributions of all nodes.
#include "kernels/cpu/subsets.h"

namespace shoal::SHOAL_LEVEL {
namespace {

/// Nodes and subsets of the product's tile.
constexpr int kNodeTile = 4;
template <class T>
constexpr int kTileVectors = sizeof(Vector<T>) == 64 ? 4 : 2;
static_assert(kMostSubsetNodes % kNodeTile == 0);

struct Memory {
  double *low, *mid, *weights, *contributions;
  Memory(double* scratch, int others) {
    const std::int64_t entries = others > kSubsetEntries ? others : kSubsetEntries;
    low = scratch;
    mid = low + entries * kSubsetLow;
    weights = mid + entries * kSubsetLow;
    contributions = weights + entries * kSubsetLow;
  }
};

/// weights[entry][lane] of one row.
template <class T>
void set_weights(const SubsetTables<T>& table, int row, int points, int others, T* weights) {
  using W = Vector<T>;
  const T* mid = table.mid + row * table.entries;
  for (int p = 0; p < points; ++p)
    for (int lane = 0; lane < kSubsetLow; lane += kWidth<T>) {
      W sum = T(1);
      const int begin = p * others, end = begin + others;
      for (int e = begin; e < end; ++e) {
        const W term = W(mid[e]) * W(table.low + e * kSubsetLow + lane, stdx::vector_aligned);
        sum += term;
        term.copy_to(weights + e * kSubsetLow + lane, stdx::vector_aligned);
      }
      const W inverse = W(T(1)) / sum;
      for (int e = begin; e < end; ++e) {
        T* place = weights + e * kSubsetLow + lane;
        (W(place, stdx::vector_aligned) * inverse).copy_to(place, stdx::vector_aligned);
      }
    }
}

void set_weights_by_logs(const SubsetTables<double>& table, int row, int points, int others,
                         double* weights) {
  for (int p = 0; p < points; ++p)
    for (int lane = 0; lane < kSubsetLow; ++lane) {
      const auto excess = [&](int c) {
        const int e = p * others + c;
        return table.low[e * kSubsetLow + lane] + table.mid[row * table.entries + e];
      };
      LogSum sum;
      for (int c = 0; c < others; ++c) sum.add(excess(c));
      for (int c = 0; c < others; ++c) weights[(p * others + c) * kSubsetLow + lane] = sum.share(excess(c));
    }
}

/// out[node * stride + lane] += sum over the entries of contributions[entry][node] weights[entry][lane]
template <class T>
void add_product(const T* weights, const T* contributions, int entries, int nodes, int lanes, double* out,
                 std::int64_t stride) {
  using W = Vector<T>;
  constexpr int kVectors = kTileVectors<T>, kColumns = kVectors * kWidth<T>;
  for (int node = 0; node < nodes; node += kNodeTile)
    for (int column = 0; column < kSubsetLow; column += kColumns) {
      W sum[kNodeTile][kVectors] = {};
      for (int e = 0; e < entries; ++e) {
        W from[kVectors];
        for (int v = 0; v < kVectors; ++v)
          from[v] = W(weights + e * kSubsetLow + column + v * kWidth<T>, stdx::vector_aligned);
        for (int k = 0; k < kNodeTile; ++k) {
          const W factor = contributions[e * kMostSubsetNodes + node + k];
          for (int v = 0; v < kVectors; ++v) sum[k][v] += factor * from[v];
        }
      }
      alignas(64) T kept[kColumns];
      for (int k = 0; k < kNodeTile && node + k < nodes; ++k) {
        for (int v = 0; v < kVectors; ++v) sum[k][v].copy_to(kept + v * kWidth<T>, stdx::vector_aligned);
        double* to = out + (node + k) * stride + column;
        const int there = lanes - column < kColumns ? lanes - column : kColumns;
        for (int j = 0; j < there; ++j) to[j] += static_cast<double>(kept[j]);
      }
    }
}

template <class T, bool logs>
void add_group(const SubsetModel& m, const SubsetGroup& group, std::int64_t first, const Memory& memory,
               double* out, std::int64_t stride) {
  SubsetTables<T> table(memory.low, memory.mid);
  table.template fill<logs>(m, group, first);
  T* contributions = reinterpret_cast<T*>(memory.contributions);
  const double* from = m.contributions + group.first * m.others * m.nodes;
  for (int e = 0; e < table.entries; ++e)
    for (int k = 0; k < kMostSubsetNodes; ++k)
      contributions[e * kMostSubsetNodes + k] = k < m.nodes ? static_cast<T>(from[e * m.nodes + k]) : T(0);
  T* weights = reinterpret_cast<T*>(memory.weights);
  for (int row = 0; row < rows_kept(m.nodes); ++row) {
    if constexpr (logs) set_weights_by_logs(table, row, group.count, m.others, weights);
    else set_weights(table, row, group.count, m.others, weights);
    add_product(weights, contributions, table.entries, m.nodes, lanes_kept(m.nodes), out + row * kSubsetLow,
                stride);
  }
}

}  // namespace

void subset_gradients(const SubsetGradients& op, void*) {
  for (int b = 0; b < op.block_count; ++b) {
    const SubsetBlock block = op.blocks[b];
    const SubsetModel& m = op.models[block.model];
    const Memory memory(op.scratch, m.others);
    double* out = op.gradients + (block.first - op.first);
    for (int k = 0; k < m.nodes; ++k)
      for (int j = 0; j < rows_kept(m.nodes) * lanes_kept(m.nodes); ++j) out[k * op.stride + j] = 0.0;
    for (int g = 0; g < m.group_count; ++g) {
      const SubsetGroup& group = m.groups[g];
      switch (group.arithmetic) {
        case SubsetArithmetic::float32:
          add_group<float, false>(m, group, block.first, memory, out, op.stride);
          break;
        case SubsetArithmetic::float64:
          add_group<double, false>(m, group, block.first, memory, out, op.stride);
          break;
        case SubsetArithmetic::logs:
          add_group<double, true>(m, group, block.first, memory, out, op.stride);
          break;
      }
    }
  }
}

}  // namespace shoal::SHOAL_LEVEL
