// The only header a kernel source includes. Compiled by nvcc it is CUDA plus a few helpers; compiled by a C++
// compiler it is an emulation of the same language, in which the threads of a block are fibers (README.md
// here).
//
//   KERNEL_NS                     the namespace of the source: gpu under nvcc, emu otherwise. One program can
//   hold both. simt::launch(grid, block, dynamic_bytes, stream, kernel, args...) -> simt::Status
//   simt::dynamic_smem<T>()       dynamic shared memory
//   simt::cp_async4 / cp_async16 / cp_async_commit / cp_async_wait<N>
//   simt::ldmatrix_x4 / ldmatrix_x2_trans / mma_m16n8k16_bf16 / to_bf16 / from_bf16
//   simt::bar_sync(id, threads) / bar_arrive(id, threads)
//
// Rules for kernel sources are in README.md.
#pragma once

#if defined(__CUDACC__)
#define KERNEL_NS gpu
#include "kernels/simt/device_cuda.h"
#else
#define KERNEL_NS emu
#include "kernels/simt/device_emulated.h"
#endif
