// SubsetGradients (kernels/subsets.h): a block of 256 threads takes 256 subsets, 4 rows of the table, through
// all points; a thread holds the gradients of all nodes for one subset. One chain of sums per gradient:
// always the same bits.
#include "kernels/cuda/subset_tables.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kRows = kSubsetThreads / kSubsetLow;
constexpr int kParts = kSubsetMid / kRows;  // thread blocks of a block of subsets

template <class T>
struct Stage {
  SubsetStage<T, kRows> tables;
  T contributions[kSubsetEntries][kMostSubsetNodes];
};

template <class T>
__device__ __forceinline__ void fill_contributions(Stage<T>& stage, const SubsetModel& m, std::int64_t begin,
                                                   int count) {
  for (int i = static_cast<int>(threadIdx.x); i < count * kMostSubsetNodes; i += kSubsetThreads) {
    const int e = i / kMostSubsetNodes, k = i % kMostSubsetNodes;
    stage.contributions[e][k] =
        k < m.nodes ? static_cast<T>(m.contributions[(begin + e) * m.nodes + k]) : T(0);
  }
}

/// gradients += sum over the group's points of sum_c contribution_c e_c / (1 + sum_c e_c): per point the
/// numerator and the denominator, then one division.
template <class T>
__device__ __forceinline__ void add_factors(Stage<T>& stage, const SubsetModel& m, const SubsetGroup& group,
                                            std::int64_t first, int first_row, double* gradients) {
  const int lane = static_cast<int>(threadIdx.x) % kSubsetLow,
            row = static_cast<int>(threadIdx.x) / kSubsetLow;
  const std::int64_t begin = group.first * m.others,
                     end = begin + static_cast<std::int64_t>(group.count) * m.others;
  T sum[kMostSubsetNodes] = {}, numerator[kMostSubsetNodes] = {}, total = T(1);
  int others = 0;
  for (std::int64_t at = begin; at < end; at += kSubsetEntries) {
    const int count = end - at < kSubsetEntries ? static_cast<int>(end - at) : kSubsetEntries;
    // Without it a thread would fill a stage that another one still reads.
    __syncthreads();
    fill_stage<false>(stage.tables, m, at, count, first, first_row);
    fill_contributions(stage, m, at, count);
    // Without it a thread would read entries that another one has not filled yet.
    __syncthreads();
    for (int e = 0; e < count; ++e) {
      const T term = stage.tables.mid[e][row] * stage.tables.low[e][lane];
      total += term;
#pragma unroll
      for (int k = 0; k < kMostSubsetNodes; ++k) numerator[k] += stage.contributions[e][k] * term;
      if (++others < m.others) continue;
      const T inverse = T(1) / total;
#pragma unroll
      for (int k = 0; k < kMostSubsetNodes; ++k) {
        sum[k] += numerator[k] * inverse;
        numerator[k] = T(0);
      }
      total = T(1);
      others = 0;
    }
  }
#pragma unroll
  for (int k = 0; k < kMostSubsetNodes; ++k) gradients[k] += static_cast<double>(sum[k]);
}

/// Points with numbers too large for products: once for the logarithm of the sum, once for the shares.
__device__ __forceinline__ void add_logs(Stage<double>& stage, const SubsetModel& m, const SubsetGroup& group,
                                         std::int64_t first, int first_row, double* gradients) {
  const int lane = static_cast<int>(threadIdx.x) % kSubsetLow,
            row = static_cast<int>(threadIdx.x) / kSubsetLow;
  for (int p = 0; p < group.count; ++p) {
    const std::int64_t begin = (group.first + p) * m.others, end = begin + m.others;
    LogSum sum;
    for (int pass = 0; pass < 2; ++pass)
      for (std::int64_t at = begin; at < end; at += kSubsetEntries) {
        const int count = end - at < kSubsetEntries ? static_cast<int>(end - at) : kSubsetEntries;
        // As in add_factors.
        __syncthreads();
        fill_stage<true>(stage.tables, m, at, count, first, first_row);
        fill_contributions(stage, m, at, count);
        // As in add_factors.
        __syncthreads();
        for (int e = 0; e < count; ++e) {
          const double d = stage.tables.mid[e][row] + stage.tables.low[e][lane];
          if (pass == 0) {
            sum.add(d);
            continue;
          }
          const double share = sum.share(d);
#pragma unroll
          for (int k = 0; k < kMostSubsetNodes; ++k) gradients[k] += stage.contributions[e][k] * share;
        }
      }
  }
}

__global__ void __launch_bounds__(kSubsetThreads) subset_gradients_kernel(SubsetGradients op) {
  // One memory serves both precisions: it is filled anew for every group.
  __shared__ unsigned char memory[sizeof(Stage<double>)] __align__(16);
  auto& stage = reinterpret_cast<Stage<double>&>(memory);
  auto& narrow = reinterpret_cast<Stage<float>&>(memory);
  const SubsetBlock block = op.blocks[blockIdx.x / kParts];
  const SubsetModel m = op.models[block.model];
  const int first_row = static_cast<int>(blockIdx.x % kParts) * kRows;
  if (block.first + first_row * kSubsetLow >= subsets_of(m.nodes)) return;
  double gradients[kMostSubsetNodes] = {};
  for (int g = 0; g < m.group_count; ++g) {
    const SubsetGroup group = m.groups[g];
    switch (group.arithmetic) {
      case SubsetArithmetic::float32: add_factors(narrow, m, group, block.first, first_row, gradients); break;
      case SubsetArithmetic::float64: add_factors(stage, m, group, block.first, first_row, gradients); break;
      case SubsetArithmetic::logs: add_logs(stage, m, group, block.first, first_row, gradients); break;
    }
  }
  const std::int64_t s = block.first + first_row * kSubsetLow + static_cast<int>(threadIdx.x);
  if (s >= subsets_of(m.nodes)) return;
#pragma unroll
  for (int k = 0; k < kMostSubsetNodes; ++k)
    if (k < m.nodes) op.gradients[k * op.stride + (s - op.first)] = gradients[k];
}

}  // namespace

void subset_gradients(const SubsetGradients& op, void* stream) {
  if (op.block_count == 0) return;
  check(simt::launch(dim3(static_cast<unsigned>(op.block_count) * kParts), dim3(kSubsetThreads), 0,
                     stream_of(stream), subset_gradients_kernel, op),
        "subset_gradients");
}

}  // namespace shoal::KERNEL_NS
