// Subsets on the CPU: see kernels/subsets.h. A block of 4096 subsets stays in the core's caches while all
// points pass by: a group's two tables (16 KB each in float), the sums (32 KB) and the hits.
#include "kernels/cpu/subsets.h"

#include "kernels/cpu/log1p.h"

namespace shoal::SHOAL_LEVEL {
namespace {

/// Vectors of a tile beside its kRowTile rows: q, hits, the table's vectors and e must fit into registers.
template <class T>
constexpr int kTileVectors = kSubsetLow / kWidth<T> >= 4 && sizeof(Vector<T>) == 64 ? 4 : 2;

/// What has been added up for a block so far.
struct Sums {
  double* loss;  // [kSubsetBlock]
  double* hits;  // [kSubsetBlock], whole numbers
};

/// The limits under which a class is harmless, as factors: e < limit is e < 1 or e <= 1.
template <class T>
void set_limits(const unsigned char* before, int entries, T* limits) {
  const T above = sizeof(T) == 4 ? T(1.00000012f) : T(1.0000000000000002);  // next to 1
  for (int e = 0; e < entries; ++e) limits[e] = before[e] ? T(1) : above;
}

template <class T>
SHOAL_INLINE void add_to(double* sums, Vector<T> values) {
  alignas(64) T kept[kWidth<T>];
  values.copy_to(kept, stdx::vector_aligned);
  for (int k = 0; k < kWidth<T>; ++k) sums[k] += static_cast<double>(kept[k]);
}

/// One group, all subsets of the block. `two`: two classes, an entry a point.
template <class T, bool two, bool want_loss, bool want_hits>
void add_group(const SubsetTables<T>& table, int points, int others, const T* limits, const Sums& sums) {
  using W = Vector<T>;
  constexpr int kVectors = kTileVectors<T>, kColumns = kVectors * kWidth<T>;
  for (int row = 0; row < table.rows; row += kRowTile)
    for (int column = 0; column < kSubsetLow; column += kColumns) {
      W q[kRowTile][kVectors] = {}, hits[kRowTile][kVectors] = {};
      const T* low = table.low + column;
      const T* mid = table.mid + row * table.entries;
      const T* limit = limits;
      const auto add_point = [&](int count) {
        W e[kRowTile][kVectors] = {};
        W hit[kRowTile][kVectors];
        for (int r = 0; r < kRowTile; ++r)
          for (int v = 0; v < kVectors; ++v) hit[r][v] = W(T(1));
        for (int c = 0; c < count; ++c, low += kSubsetLow, ++mid, ++limit) {
          W from[kVectors];
          for (int v = 0; v < kVectors; ++v) from[v] = W(low + v * kWidth<T>, stdx::vector_aligned);
          for (int r = 0; r < kRowTile; ++r) {
            const W factor = mid[r * table.entries];
            for (int v = 0; v < kVectors; ++v) {
              const W term = factor * from[v];
              if constexpr (want_loss) e[r][v] = two ? term : e[r][v] + term;
              if constexpr (want_hits) stdx::where(!(term < W(*limit)), hit[r][v]) = W(T(0));
            }
          }
        }
        for (int r = 0; r < kRowTile; ++r)
          for (int v = 0; v < kVectors; ++v) {
            if constexpr (want_loss) q[r][v] = (q[r][v] * e[r][v] + q[r][v]) + e[r][v];
            if constexpr (want_hits) hits[r][v] += hit[r][v];
          }
      };
      for (int p = 0; p < points; ++p) add_point(two ? 1 : others);
      for (int r = 0; r < kRowTile; ++r)
        for (int v = 0; v < kVectors; ++v) {
          const int place = (row + r) * kSubsetLow + column + v * kWidth<T>;
          if constexpr (want_loss) add_to<T>(sums.loss + place, log1p_of<T>(q[r][v]));
          if constexpr (want_hits) add_to<T>(sums.hits + place, hits[r][v]);
        }
    }
}

template <class T, bool two>
void add_group(const SubsetTables<T>& table, int points, int others, const T* limits, const Sums& sums,
               bool want_loss, bool want_hits) {
  if (want_loss && want_hits) add_group<T, two, true, true>(table, points, others, limits, sums);
  else if (want_loss) add_group<T, two, true, false>(table, points, others, limits, sums);
  else add_group<T, two, false, true>(table, points, others, limits, sums);
}

void add_logs(const SubsetTables<double>& table, int points, int others, const unsigned char* before,
              const Sums& sums) {
  for (int row = 0; row < table.rows; ++row)
    for (int j = 0; j < kSubsetLow; ++j)
      for (int p = 0; p < points; ++p) {
        LogSum sum;
        bool hit = true;
        for (int e = p * others; e < (p + 1) * others; ++e) {
          const double d = table.low[e * kSubsetLow + j] + table.mid[row * table.entries + e];
          sum.add(d);
          hit = hit && harmless(d, before[e]);
        }
        sums.loss[row * kSubsetLow + j] += sum.value();
        sums.hits[row * kSubsetLow + j] += hit ? 1.0 : 0.0;
      }
}

struct Memory {
  double *low, *mid, *limits;
  Sums sums;
  Memory(double* scratch, int others) {
    const std::int64_t entries = others > kSubsetEntries ? others : kSubsetEntries;
    low = scratch;
    mid = low + entries * kSubsetLow;
    sums.loss = mid + entries * kSubsetLow;
    sums.hits = sums.loss + kSubsetBlock;
    limits = sums.hits + kSubsetBlock;
  }
};

template <class T>
void add_factors(const SubsetModel& m, const SubsetGroup& group, std::int64_t first, const Memory& memory,
                 bool want_loss, bool want_hits) {
  SubsetTables<T> table(memory.low, memory.mid);
  table.template fill<false>(m, group, first);
  T* limits = reinterpret_cast<T*>(memory.limits);
  if (want_hits) set_limits(m.before + group.first * m.others, table.entries, limits);
  if (m.others == 1) add_group<T, true>(table, group.count, 1, limits, memory.sums, want_loss, want_hits);
  else add_group<T, false>(table, group.count, m.others, limits, memory.sums, want_loss, want_hits);
}

void add_points(const SubsetModel& m, const SubsetGroup& group, std::int64_t first, const Memory& memory,
                bool want_loss, bool want_hits) {
  switch (group.arithmetic) {
    case SubsetArithmetic::float32: return add_factors<float>(m, group, first, memory, want_loss, want_hits);
    case SubsetArithmetic::float64: return add_factors<double>(m, group, first, memory, want_loss, want_hits);
    case SubsetArithmetic::logs: {
      SubsetTables<double> table(memory.low, memory.mid);
      table.fill<true>(m, group, first);
      add_logs(table, group.count, m.others, m.before + group.first * m.others, memory.sums);
    }
  }
}

}  // namespace

void subsets(const Subsets& op, void*) {
  for (int b = 0; b < op.block_count; ++b) {
    const SubsetBlock block = op.blocks[b];
    const SubsetModel& m = op.models[block.model];
    double* loss = op.loss ? op.loss[block.model] : nullptr;
    std::int32_t* hits = op.hits ? op.hits[block.model] : nullptr;
    const Memory memory(op.scratch, m.others);
    for (int i = 0; i < kSubsetBlock; ++i) memory.sums.loss[i] = memory.sums.hits[i] = 0.0;
    for (int g = 0; g < m.group_count; ++g)
      add_points(m, m.groups[g], block.first, memory, loss != nullptr, hits != nullptr);
    for (int row = 0; row < rows_kept(m.nodes); ++row)
      for (int j = 0; j < lanes_kept(m.nodes); ++j) {
        const int from = row * kSubsetLow + j;
        const std::int64_t to = block.first + from;
        if (loss) loss[to] = memory.sums.loss[from];
        if (hits) hits[to] = static_cast<std::int32_t>(memory.sums.hits[from]);
      }
  }
}

}  // namespace shoal::SHOAL_LEVEL
