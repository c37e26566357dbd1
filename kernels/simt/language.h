// The words of the CUDA language that are not functions.
#pragma once

#include "kernels/simt/vector_types.h"

#define __global__
#define __device__
#define __host__
#define __constant__ static
// One block at a time in a process: a function-local static IS memory shared by the block.
#define __shared__ static
#undef __forceinline__
#define __forceinline__ inline __attribute__((always_inline))
#undef __noinline__
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __grid_constant__

// The scheduler rewrites these at every switch of fibers; for the one thread that reads them they never
// change, hence const here and variable in scheduler.cpp.
extern const uint3 threadIdx, blockIdx;
extern const dim3 blockDim, gridDim;
constexpr int warpSize = 32;
