// Residuals (kernels/residuals.h): a block takes 32 rows through all directions, 64 at a time from the last
// to the first: the scores of a tile from registers into shared memory, then the suffix sums of their squares
// row by row, then the sums over the rows. Then the blocks are added.
#include "kernels/residuals.h"

#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kBlockRows = kResidualRowsDevice, kColumns = 64, kSide = 16, kThreads = kSide * kSide;
constexpr int kEachRow = kBlockRows / kSide, kEachColumn = kColumns / kSide;
constexpr int kTerms = 16;
static_assert(kResidualRun % kTerms == 0);

struct ResidualMemory {
  double x[kTerms][kBlockRows + 1];
  double v[kTerms][kColumns + 1];
  double rest[kBlockRows][kColumns + 1];  // squared scores, then their suffix sums
};

__device__ __forceinline__ void load_chunk(ResidualMemory& m, const ResidualTask& task, std::int64_t row,
                                           int first, int k0) {
  for (int at = threadIdx.x; at < kBlockRows * kTerms; at += kThreads) {
    const int r = at / kTerms, k = k0 + at % kTerms;
    m.x[at % kTerms][r] = row + r < task.x.rows && k < task.x.columns ? centred(task.x, row + r, k) : 0.0;
  }
  for (int at = threadIdx.x; at < kColumns * kTerms; at += kThreads) {
    const int i = task.by_columns ? at % kColumns : at / kTerms,
              term = task.by_columns ? at / kColumns : at % kTerms, k = k0 + term;
    double v = 0.0;
    if (first + i < task.count && k < task.x.columns)
      v = task.by_columns ? task.directions[static_cast<std::int64_t>(k) * task.count + first + i]
                          : task.directions[static_cast<std::int64_t>(first + i) * task.x.columns + k];
    m.v[term][i] = v;
  }
}

/// m.rest = squared scores of the block's rows on directions first .. first + 63.
__device__ __forceinline__ void square_scores(ResidualMemory& m, const ResidualTask& task, std::int64_t row,
                                              int first) {
  const int ty = static_cast<int>(threadIdx.x) / kSide, tx = static_cast<int>(threadIdx.x) % kSide;
  double total[kEachRow][kEachColumn] = {}, sum[kEachRow][kEachColumn] = {};
  for (int k0 = 0; k0 < task.x.columns; k0 += kTerms) {
    // Without it a fast warp would overwrite the chunk that slow ones still multiply.
    __syncthreads();
    load_chunk(m, task, row, first, k0);
    // Without it a warp would multiply what others have not written yet.
    __syncthreads();
    for (int k = 0; k < kTerms; ++k)
#pragma unroll
      for (int i = 0; i < kEachRow; ++i)
#pragma unroll
        for (int j = 0; j < kEachColumn; ++j)
          sum[i][j] = fma(m.x[k][ty + i * kSide], m.v[k][tx + j * kSide], sum[i][j]);
    if ((k0 + kTerms) % kResidualRun != 0 && k0 + kTerms < task.x.columns) continue;
#pragma unroll
    for (int i = 0; i < kEachRow; ++i)
#pragma unroll
      for (int j = 0; j < kEachColumn; ++j) total[i][j] += sum[i][j], sum[i][j] = 0.0;
  }
#pragma unroll
  for (int i = 0; i < kEachRow; ++i)
#pragma unroll
    for (int j = 0; j < kEachColumn; ++j) m.rest[ty + i * kSide][tx + j * kSide] = total[i][j] * total[i][j];
}

__global__ void __launch_bounds__(kThreads) residuals_kernel(Residuals op) {
  __shared__ ResidualMemory m;
  const ResidualBlock block = op.blocks[blockIdx.x];
  const ResidualTask task = op.tasks[block.task];
  const int thread = static_cast<int>(threadIdx.x);
  double* squares = task.partials + block.row / kBlockRows * 2 * (task.count + 1);
  double* distances = squares + task.count + 1;
  if (thread == 0) squares[task.count] = distances[task.count] = 0.0;
  double rest = 0.0;  // of row `thread`: sum of the squared scores on all directions behind
  for (int first = (task.count - 1) / kColumns * kColumns; first >= 0; first -= kColumns) {
    square_scores(m, task, block.row, first);
    // Without it the sums below would begin before all scores are there.
    __syncthreads();
    if (thread < kBlockRows)
      for (int i = kColumns - 1; i >= 0; --i) m.rest[thread][i] = rest += m.rest[thread][i];
    // Without it the sums over the rows would read scores that are not added up yet.
    __syncthreads();
    if (thread < kColumns && first + thread < task.count) {
      double square = 0.0, distance = 0.0;
      for (int r = 0; r < kBlockRows; ++r) square += m.rest[r][thread], distance += sqrt(m.rest[r][thread]);
      squares[first + thread] = square;
      distances[first + thread] = distance;
    }
    // The next tile's scores do not overwrite sums that are still being read: square_scores begins with a
    // barrier.
  }
}

/// A block of threads a task.
__global__ void __launch_bounds__(kThreads) residual_sums_kernel(ResidualSums op) {
  const ResidualTask task = op.tasks[blockIdx.x];
  const std::int64_t blocks = (task.x.rows + op.rows_of_block - 1) / op.rows_of_block;
  const std::int64_t width = 2 * (static_cast<std::int64_t>(task.count) + 1);
  for (std::int64_t i = threadIdx.x; i < width; i += kThreads) {
    double sum = 0.0;
    for (std::int64_t b = 0; b < blocks; ++b) sum += task.partials[b * width + i];
    task.totals[i] = sum;
  }
}

}  // namespace

void residuals(const Residuals& op, void* stream) {
  if (op.block_count == 0) return;
  check(simt::launch(dim3(op.block_count), dim3(kThreads), 0, stream_of(stream), residuals_kernel, op),
        "residuals");
}

void residual_sums(const ResidualSums& op, void* stream) {
  if (op.task_count == 0) return;
  check(simt::launch(dim3(op.task_count), dim3(kThreads), 0, stream_of(stream), residual_sums_kernel, op),
        "residual_sums");
}

}  // namespace shoal::KERNEL_NS
