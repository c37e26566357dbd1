// Marks for code that every machine compiles: a function marked SHOAL_INLINE exists only where it is called.
// That matters twice: nvcc needs the __host__ __device__ pair, and the CPU sources are compiled once per
// instruction-set level, so an out-of-line copy of an inline function, compiled for AVX-512, could be the one
// the linker keeps for everybody.
#pragma once

#if defined(__CUDACC__)
#define SHOAL_INLINE __host__ __device__ __forceinline__
#else
#define SHOAL_INLINE inline __attribute__((always_inline))
#endif
