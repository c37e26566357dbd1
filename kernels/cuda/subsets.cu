// Subsets (kernels/subsets.h): a block of 256 threads takes 4096 subsets through all points, 16 subsets a
// thread; the points' tables are staged in shared memory. One chain of sums per subset: always the same bits.
#include "kernels/cuda/subset_tables.h"

namespace shoal::KERNEL_NS {
namespace {

/// A thread's subsets: 4 rows x 4 columns, spread over the tables so that a warp reads neighbours.
constexpr int kEdge = 4;
constexpr int kColumnThreads = kSubsetLow / kEdge;
static_assert(kColumnThreads * kColumnThreads == kSubsetThreads && kSubsetLow == kSubsetMid);

struct Sums {
  double loss[kEdge][kEdge] = {};
  int hits[kEdge][kEdge] = {};
};

/// What a thread carries through the entries of one group.
template <class T>
struct Carry {
  T q[kEdge][kEdge] = {};  // of the points that are done
  T e[kEdge][kEdge] = {};  // of the classes of the point at hand
};

__device__ __forceinline__ float log1p_of(float q) { return log1pf(q); }
__device__ __forceinline__ double log1p_of(double q) { return log1p(q); }

/// `two`: two classes, so that an entry is a point.
template <class T, bool two, bool want_hits>
__device__ __forceinline__ void add_factors(SubsetStage<T, kSubsetMid>& stage, const SubsetModel& m,
                                            const SubsetGroup& group, std::int64_t first, Sums& sums) {
  const int x = static_cast<int>(threadIdx.x) % kColumnThreads,
            y = static_cast<int>(threadIdx.x) / kColumnThreads;
  const std::int64_t begin = group.first * m.others,
                     end = begin + static_cast<std::int64_t>(group.count) * m.others;
  Carry<T> carry;
  unsigned missed = 0;  // bit per subset: the point at hand is a miss
  int others = 0;       // classes of the point at hand that are done
  for (std::int64_t at = begin; at < end; at += kSubsetEntries) {
    const int count = end - at < kSubsetEntries ? static_cast<int>(end - at) : kSubsetEntries;
    // Without it a thread would fill a stage that another one still reads.
    __syncthreads();
    fill_stage<false>(stage, m, at, count, first, 0);
    // Without it a thread would read entries that another one has not filled yet.
    __syncthreads();
    for (int e = 0; e < count; ++e) {
      T low[kEdge], mid[kEdge];
      for (int i = 0; i < kEdge; ++i) {
        low[i] = stage.low[e][x + i * kColumnThreads];
        mid[i] = stage.mid[e][y + i * kColumnThreads];
      }
      const bool strict = want_hits && m.before[at + e] != 0;
#pragma unroll
      for (int r = 0; r < kEdge; ++r)
        for (int c = 0; c < kEdge; ++c) {
          const T term = mid[r] * low[c];
          carry.e[r][c] = two ? term : carry.e[r][c] + term;
          if (want_hits && !(strict ? term < T(1) : term <= T(1))) missed |= 1u << (r * kEdge + c);
        }
      if (!two && ++others < m.others) continue;
#pragma unroll
      for (int r = 0; r < kEdge; ++r)
        for (int c = 0; c < kEdge; ++c) {
          const T sum = carry.e[r][c];
          carry.q[r][c] = (carry.q[r][c] * sum + carry.q[r][c]) + sum;
          if (!two) carry.e[r][c] = T(0);
          if (want_hits) sums.hits[r][c] += !(missed >> (r * kEdge + c) & 1);
        }
      others = 0;
      missed = 0;
    }
  }
#pragma unroll
  for (int r = 0; r < kEdge; ++r)
    for (int c = 0; c < kEdge; ++c) sums.loss[r][c] += static_cast<double>(log1p_of(carry.q[r][c]));
}

/// Points with numbers too large for products: one point and one of the thread's subsets at a time. The sums
/// stay in registers, so they are chosen by comparison.
template <bool want_hits>
__device__ __forceinline__ void add_logs(SubsetStage<double, kSubsetMid>& stage, const SubsetModel& m,
                                         const SubsetGroup& group, std::int64_t first, Sums& sums) {
  const int x = static_cast<int>(threadIdx.x) % kColumnThreads,
            y = static_cast<int>(threadIdx.x) / kColumnThreads;
  for (int task = 0; task < group.count * kEdge * kEdge; ++task) {
    const int place = task % (kEdge * kEdge), row = y + place / kEdge * kColumnThreads,
              column = x + place % kEdge * kColumnThreads;
    const std::int64_t begin = (group.first + task / (kEdge * kEdge)) * m.others, end = begin + m.others;
    LogSum sum;
    bool hit = true;
    for (std::int64_t at = begin; at < end; at += kSubsetEntries) {
      const int count = end - at < kSubsetEntries ? static_cast<int>(end - at) : kSubsetEntries;
      // As in add_factors.
      __syncthreads();
      fill_stage<true>(stage, m, at, count, first, 0);
      // As in add_factors.
      __syncthreads();
      for (int e = 0; e < count; ++e) {
        const double d = stage.mid[e][row] + stage.low[e][column];
        sum.add(d);
        if (want_hits) hit = hit && harmless(d, m.before[at + e] != 0);
      }
    }
    const double value = sum.value();
#pragma unroll
    for (int i = 0; i < kEdge * kEdge; ++i)
      if (i == place) {
        sums.loss[i / kEdge][i % kEdge] += value;
        if (want_hits) sums.hits[i / kEdge][i % kEdge] += hit;
      }
  }
}

template <class T, bool want_hits>
__device__ __forceinline__ void add_group(SubsetStage<T, kSubsetMid>& stage, const SubsetModel& m,
                                          const SubsetGroup& group, std::int64_t first, Sums& sums) {
  if (m.others == 1) add_factors<T, true, want_hits>(stage, m, group, first, sums);
  else add_factors<T, false, want_hits>(stage, m, group, first, sums);
}

template <bool want_hits>
__global__ void __launch_bounds__(kSubsetThreads, 1) subsets_kernel(Subsets op) {
  // One memory serves both precisions: it is filled anew for every group.
  __shared__ unsigned char memory[sizeof(SubsetStage<double, kSubsetMid>)] __align__(16);
  auto& wide = reinterpret_cast<SubsetStage<double, kSubsetMid>&>(memory);
  auto& narrow = reinterpret_cast<SubsetStage<float, kSubsetMid>&>(memory);
  const SubsetBlock block = op.blocks[blockIdx.x];
  const SubsetModel m = op.models[block.model];
  Sums sums;
  for (int g = 0; g < m.group_count; ++g) {
    const SubsetGroup group = m.groups[g];
    switch (group.arithmetic) {
      case SubsetArithmetic::float32: add_group<float, want_hits>(narrow, m, group, block.first, sums); break;
      case SubsetArithmetic::float64: add_group<double, want_hits>(wide, m, group, block.first, sums); break;
      case SubsetArithmetic::logs: add_logs<want_hits>(wide, m, group, block.first, sums); break;
    }
  }
  const int x = static_cast<int>(threadIdx.x) % kColumnThreads,
            y = static_cast<int>(threadIdx.x) / kColumnThreads;
#pragma unroll
  for (int r = 0; r < kEdge; ++r)
    for (int c = 0; c < kEdge; ++c) {
      const int column = x + c * kColumnThreads;
      const std::int64_t s = block.first + (y + r * kColumnThreads) * kSubsetLow + column;
      if (s >= subsets_of(m.nodes)) continue;
      if (op.loss) op.loss[block.model][s] = sums.loss[r][c];
      if (want_hits) op.hits[block.model][s] = sums.hits[r][c];
    }
}

}  // namespace

void subsets(const Subsets& op, void* stream) {
  if (op.block_count == 0) return;
  const dim3 grid(static_cast<unsigned>(op.block_count)), block(kSubsetThreads);
  const simt::Stream s = stream_of(stream);
  check(op.hits ? simt::launch(grid, block, 0, s, subsets_kernel<true>, op)
                : simt::launch(grid, block, 0, s, subsets_kernel<false>, op),
        "subsets");
}

}  // namespace shoal::KERNEL_NS
