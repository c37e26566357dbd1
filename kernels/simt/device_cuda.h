// simt.h under nvcc: CUDA itself, launches without <<<>>>, and the few PTX instructions that kernels use.
// Every helper with asm in it has a twin with the same meaning in tensor.h or sync.h; neither is changed
// alone.
#pragma once

#include <cooperative_groups.h>
#include <cuda_runtime.h>

#include <cassert>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "kernels/simt/bf16.h"
#include "kernels/simt/stream.h"

namespace simt {

using Status = cudaError_t;
constexpr Status kSuccess = cudaSuccess;

// More dynamic shared memory than this must be asked for, kernel by kernel.
constexpr size_t kSmemWithoutOptIn = 48 * 1024;

// Starts `kernel` on `stream`. Returns the launch's own error; what happens on the device later is the
// stream's to report.
template <class... P, class... A>
Status launch(dim3 grid, dim3 block, size_t dynamic_bytes, Stream stream, void (*kernel)(P...), A&&... args) {
  if (dynamic_bytes > kSmemWithoutOptIn) {
    const Status opted =
        cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                             cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(dynamic_bytes));
    if (opted != cudaSuccess) return opted;
  }
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = dynamic_bytes;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<P>(std::forward<A>(args))...);
}

// One untyped symbol, typed here: `extern __shared__` arrays of two types in one program would clash.
template <class T>
__device__ __forceinline__ T* dynamic_smem() {
  extern __shared__ __align__(128) unsigned char simt_dynamic_smem[];
  return reinterpret_cast<T*>(simt_dynamic_smem);
}

namespace detail {
__device__ __forceinline__ unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}
}  // namespace detail

// Asynchronous copies global -> shared of 4 and 16 bytes, both addresses aligned to their size. Before
// compute capability 8.0 they are ordinary copies, and commit and wait have nothing to do.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
__device__ __forceinline__ void cp_async4(void* dst, const void* src) {
  *static_cast<unsigned*>(dst) = *static_cast<const unsigned*>(src);
}
__device__ __forceinline__ void cp_async16(void* dst, const void* src) {
  *static_cast<uint4*>(dst) = *static_cast<const uint4*>(src);
}
__device__ __forceinline__ void cp_async_commit() {}
template <int kPending>
__device__ __forceinline__ void cp_async_wait() {}
#else
__device__ __forceinline__ void cp_async4(void* dst, const void* src) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;\n" ::"r"(detail::shared_address(dst)), "l"(src)
               : "memory");
}
__device__ __forceinline__ void cp_async16(void* dst, const void* src) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\n" ::"r"(detail::shared_address(dst)), "l"(src)
               : "memory");
}
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
// Waits until at most kPending of this thread's committed groups are still on their way.
template <int kPending>
__device__ __forceinline__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(kPending) : "memory");
}
#endif

// Four 8x8 matrices of 16-bit elements; lane 8i + j names row j of matrix i (16 bytes of shared memory,
// aligned to 16).
__device__ __forceinline__ void ldmatrix_x4(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(detail::shared_address(row))
               : "memory");
}

// Two 8x8 matrices, transposed on the way; lanes 0..15 name the rows, the other lanes' addresses are not
// used.
__device__ __forceinline__ void ldmatrix_x2_trans(uint32_t (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];\n"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(detail::shared_address(row))
               : "memory");
}

// d[16x8] += a[16x16] b[16x8], bf16 in, f32 out; fragments as in the PTX ISA. Needs compute capability 8.0:
// the caller asks first.
__device__ __forceinline__ void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4],
                                                  const uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
  __trap();
#else
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// Named barriers 1..15 (0 belongs to __syncthreads) for `threads` threads, a multiple of 32. bar_arrive does
// not wait.
__device__ __forceinline__ void bar_sync(int id, int threads) {
  asm volatile("bar.sync %0, %1;\n" ::"r"(id), "r"(threads) : "memory");
}
__device__ __forceinline__ void bar_arrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;\n" ::"r"(id), "r"(threads) : "memory");
}

}  // namespace simt
