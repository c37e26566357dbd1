// The tile of a matrix product in double precision that a thread block of covariance and combine computes: 64
// x 64 results, 256 threads as 16 x 16, 4 x 4 results each, the sum in chunks of 16 terms through shared
// memory. Device code only.
//
// A thread's rows and columns stand 16 apart: the 16 values that a half warp reads of an operand are
// neighbours, and the other operand's are two broadcasts.
#pragma once

#include "kernels/covariance.h"
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kProductEdge = kGramEdgeDevice;
constexpr int kProductSide = 16, kProductEach = kProductEdge / kProductSide,
              kProductThreads = kProductSide * kProductSide;
constexpr int kProductTerms = 16;
constexpr int kProductLoads = kProductEdge * kProductTerms / kProductThreads;
static_assert(kGramRun % kProductTerms == 0);

/// One past its edge, so that writing it along the terms is free of bank conflicts.
using Operand = double[kProductTerms][kProductEdge + 1];
using ProductSums = double[kProductEach][kProductEach];

/// Where load i of a thread stands in a chunk of an operand. Neighbouring threads read neighbouring terms
/// when the operand lies so in memory.
struct ChunkPlace {
  int place, term;
};
__device__ __forceinline__ ChunkPlace chunk_place(int i, bool along_terms) {
  const int at = static_cast<int>(threadIdx.x) + i * kProductThreads;
  if (along_terms) return {at / kProductTerms, at % kProductTerms};
  return {at % kProductEdge, at / kProductEdge};
}

/// One of the two factors. value(place, k): element k of row (or column) `place` of the tile, 0 outside of
/// the matrix.
template <class Value>
struct Factor {
  bool along_terms;
  Value value;

  __device__ __forceinline__ void fetch(double (&kept)[kProductLoads], std::int64_t k0) const {
#pragma unroll
    for (int i = 0; i < kProductLoads; ++i) {
      const ChunkPlace p = chunk_place(i, along_terms);
      kept[i] = value(p.place, k0 + p.term);
    }
  }
  __device__ __forceinline__ void keep(Operand& operand, const double (&kept)[kProductLoads]) const {
#pragma unroll
    for (int i = 0; i < kProductLoads; ++i) {
      const ChunkPlace p = chunk_place(i, along_terms);
      operand[p.term][p.place] = kept[i];
    }
  }
};
template <class Value>
Factor(bool, Value) -> Factor<Value>;

__device__ __forceinline__ void multiply_chunk(ProductSums& sum, const Operand& left, const Operand& right) {
  const int row = static_cast<int>(threadIdx.x) / kProductSide,
            column = static_cast<int>(threadIdx.x) % kProductSide;
#pragma unroll 4
  for (int k = 0; k < kProductTerms; ++k) {
    double a[kProductEach], b[kProductEach];
#pragma unroll
    for (int i = 0; i < kProductEach; ++i) {
      a[i] = left[k][row + i * kProductSide];
      b[i] = right[k][column + i * kProductSide];
    }
#pragma unroll
    for (int i = 0; i < kProductEach; ++i)
#pragma unroll
      for (int j = 0; j < kProductEach; ++j) sum[i][j] = fma(a[i], b[j], sum[i][j]);
  }
}

/// total = the product's elements of this thread, in runs of kGramRun terms (see kernels/covariance.h).
template <class Left, class Right>
__device__ __forceinline__ void product(ProductSums& total, const Left& left, const Right& right,
                                        std::int64_t terms) {
  __shared__ Operand left_chunk, right_chunk;
  double sum[kProductEach][kProductEach] = {}, a[kProductLoads], b[kProductLoads];
  left.fetch(a, 0);
  right.fetch(b, 0);
  for (std::int64_t k0 = 0; k0 < terms; k0 += kProductTerms) {
    // Without it a fast warp would overwrite the chunk that slow ones still multiply.
    __syncthreads();
    left.keep(left_chunk, a);
    right.keep(right_chunk, b);
    // Without it a warp would multiply what others have not written yet.
    __syncthreads();
    const std::int64_t next = k0 + kProductTerms;
    if (next < terms) {
      left.fetch(a, next);
      right.fetch(b, next);
    }
    multiply_chunk(sum, left_chunk, right_chunk);
    if (next % kGramRun != 0 && next < terms) continue;
#pragma unroll
    for (int i = 0; i < kProductEach; ++i)
#pragma unroll
      for (int j = 0; j < kProductEach; ++j) total[i][j] += sum[i][j], sum[i][j] = 0.0;
  }
}

/// Calls out(row, column, value) for the thread's results, counted from the tile's corner.
template <class Out>
__device__ __forceinline__ void for_products(const ProductSums& total, Out out) {
#pragma unroll
  for (int i = 0; i < kProductEach; ++i)
#pragma unroll
    for (int j = 0; j < kProductEach; ++j)
      out(static_cast<int>(threadIdx.x) / kProductSide + i * kProductSide,
          static_cast<int>(threadIdx.x) % kProductSide + j * kProductSide, total[i][j]);
}

}  // namespace
}  // namespace shoal::KERNEL_NS
