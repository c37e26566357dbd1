#include "tests/simt/samples.h"

#include "kernels/simt/simt.h"

namespace KERNEL_NS {
namespace {

// ---- matrix product

constexpr int kTileM = 128, kTileN = 128, kTileK = 8, kPerThread = 8, kGemmThreads = 256;

__device__ __forceinline__ void load4(float* to, const float* from) {
  *reinterpret_cast<float4*>(to) = *reinterpret_cast<const float4*>(from);
}

__global__ void __launch_bounds__(kGemmThreads) sgemm(int m, int n, int k, const float* __restrict__ a,
                                                      const float* __restrict__ b, float* __restrict__ c) {
  __shared__ __align__(16) float tile_a[kTileK][kTileM];  // transposed
  __shared__ __align__(16) float tile_b[kTileK][kTileN];
  const int t = threadIdx.x, tx = t % (kTileN / kPerThread), ty = t / (kTileN / kPerThread);
  const int row0 = blockIdx.y * kTileM, column0 = blockIdx.x * kTileN;
  float sum[kPerThread][kPerThread] = {};
  for (int k0 = 0; k0 < k; k0 += kTileK) {
    for (int i = t; i < kTileM * kTileK; i += kGemmThreads) {
      const int r = i / kTileK, j = i % kTileK;
      tile_a[j][r] = row0 + r < m && k0 + j < k ? a[static_cast<size_t>(row0 + r) * k + k0 + j] : 0.0f;
    }
    for (int i = t; i < kTileK * kTileN; i += kGemmThreads) {
      const int r = i / kTileN, j = i % kTileN;
      tile_b[r][j] = k0 + r < k && column0 + j < n ? b[static_cast<size_t>(k0 + r) * n + column0 + j] : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int j = 0; j < kTileK; ++j) {
      float x[kPerThread], y[kPerThread];
#pragma unroll
      for (int i = 0; i < kPerThread; i += 4) {
        load4(&x[i], &tile_a[j][ty * kPerThread + i]);
        load4(&y[i], &tile_b[j][tx * kPerThread + i]);
      }
#pragma unroll
      for (int p = 0; p < kPerThread; ++p)
#pragma unroll
        for (int q = 0; q < kPerThread; ++q) sum[p][q] = fmaf(x[p], y[q], sum[p][q]);
    }
    __syncthreads();
  }
#pragma unroll
  for (int p = 0; p < kPerThread; ++p)
#pragma unroll
    for (int q = 0; q < kPerThread; ++q) {
      const int r = row0 + ty * kPerThread + p, j = column0 + tx * kPerThread + q;
      if (r < m && j < n) c[static_cast<size_t>(r) * n + j] = sum[p][q];
    }
}

// ---- moments (Chan, Golub, LeVeque 1979: merging means and sums of squared deviations)

constexpr int kMomentThreads = 256, kMomentWarps = kMomentThreads / 32;

struct Moments {
  float count, mean, squares;
};

__device__ __forceinline__ Moments merge(Moments a, Moments b) {
  const float count = a.count + b.count;
  if (count == 0.0f) return a;
  const float difference = b.mean - a.mean, weight = b.count / count;
  return {count, a.mean + difference * weight,
          a.squares + b.squares + difference * difference * a.count * weight};
}

__device__ __forceinline__ Moments merge_warp(Moments m) {
  for (int delta = 16; delta > 0; delta /= 2)
    m = merge(m, {__shfl_down_sync(0xffffffffu, m.count, delta), __shfl_down_sync(0xffffffffu, m.mean, delta),
                  __shfl_down_sync(0xffffffffu, m.squares, delta)});
  return m;
}

__global__ void __launch_bounds__(kMomentThreads)
    mean_variance(const float* __restrict__ x, int rows, int columns, float* mean, float* variance) {
  __shared__ Moments of_warp[kMomentWarps];
  const int column = blockIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  Moments m{0.0f, 0.0f, 0.0f};
  for (int r = threadIdx.x; r < rows; r += kMomentThreads)
    m = merge(m, {1.0f, __ldg(&x[static_cast<size_t>(r) * columns + column]), 0.0f});
  m = merge_warp(m);
  if (lane == 0) of_warp[warp] = m;
  __syncthreads();
  if (warp != 0) return;
  m = merge_warp(lane < kMomentWarps ? of_warp[lane] : Moments{0.0f, 0.0f, 0.0f});
  if (lane == 0) {
    mean[column] = m.mean;
    variance[column] = m.squares / m.count;
  }
}

// ---- softmax

__global__ void softmax(const float* __restrict__ x, int rows, int columns, float* __restrict__ p) {
  namespace cg = cooperative_groups;
  const auto warp = cg::tiled_partition<32>(cg::this_thread_block());
  const int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = warp.thread_rank();
  if (row >= rows) return;  // whole warps leave, and no barrier of the block follows
  const float* from = x + static_cast<size_t>(row) * columns;
  float largest = -INFINITY, sum = 0.0f;
  for (int i = lane; i < columns; i += 32) largest = fmaxf(largest, from[i]);
  for (int lanes = 16; lanes > 0; lanes /= 2) largest = fmaxf(largest, warp.shfl_xor(largest, lanes));
  for (int i = lane; i < columns; i += 32) sum += expf(from[i] - largest);
  for (int lanes = 16; lanes > 0; lanes /= 2) sum += warp.shfl_xor(sum, lanes);
  for (int i = lane; i < columns; i += 32)
    p[static_cast<size_t>(row) * columns + i] = expf(from[i] - largest) / sum;
}

// ---- asynchronous copies

__global__ void column_sums(const float* __restrict__ x, int tiles, float* __restrict__ out) {
  __shared__ __align__(16) float tile[2][4][128];
  const int t = threadIdx.x, row = t / 32, first = t % 32 * 4;
  float sum = 0.0f;
  simt::cp_async16(&tile[0][row][first], &x[row * 128 + first]);
  simt::cp_async_commit();
  for (int i = 0; i < tiles; ++i) {
    if (i + 1 < tiles)
      simt::cp_async16(&tile[(i + 1) % 2][row][first], &x[((i + 1) * 4 + row) * 128 + first]);
    simt::cp_async_commit();
    simt::cp_async_wait<1>();
    __syncthreads();
    for (int r = 0; r < 4; ++r) sum += tile[i % 2][r][t];
    __syncthreads();
  }
  out[t] = sum;
}

}  // namespace

int run_sgemm(int m, int n, int k, const float* a, const float* b, float* c) {
  const dim3 grid((n + kTileN - 1) / kTileN, (m + kTileM - 1) / kTileM);
  return static_cast<int>(simt::launch(grid, dim3(kGemmThreads), 0, nullptr, sgemm, m, n, k, a, b, c));
}
int run_mean_variance(const float* x, int rows, int columns, float* mean, float* variance) {
  return static_cast<int>(simt::launch(dim3(columns), dim3(kMomentThreads), 0, nullptr, mean_variance, x,
                                       rows, columns, mean, variance));
}
int run_softmax(const float* x, int rows, int columns, float* p) {
  return static_cast<int>(
      simt::launch(dim3((rows + 7) / 8), dim3(256), 0, nullptr, softmax, x, rows, columns, p));
}
int run_column_sums(const float* x, int tiles, float* sum) {
  return static_cast<int>(simt::launch(dim3(1), dim3(128), 0, nullptr, column_sums, x, tiles, sum));
}

}  // namespace KERNEL_NS
