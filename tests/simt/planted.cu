#include "tests/simt/planted.h"

#include "kernels/simt/simt.h"

namespace KERNEL_NS {
namespace {

using planted::Defect;

constexpr int kThreads = 128;

// ---- order within a block

__global__ void missing_barrier(const float* in, float* out, int bug) {
  __shared__ float tile[kThreads];
  const int t = threadIdx.x;
  tile[t] = in[t];
  if (!bug) __syncthreads();
  out[t] = tile[kThreads - 1 - t];
}

__global__ void buffer_reused(const float* in, float* out, int bug) {
  __shared__ float tile[kThreads];
  const int t = threadIdx.x;
  float sum = 0.0f;
  for (int part = 0; part < 2; ++part) {
    tile[t] = in[part * kThreads + t];
    __syncthreads();
    sum += tile[kThreads - 1 - t];
    if (!bug) __syncthreads();
  }
  out[t] = sum;
}

__global__ void warp_exchange(const float* in, float* out, int bug) {
  __shared__ float tile[kThreads];
  const int t = threadIdx.x;
  tile[t] = in[t];
  if (!bug) __syncwarp();
  out[t] = tile[t ^ 1];
}

__global__ void atomic_and_plain(const float* in, float* out, int bug) {
  __shared__ unsigned count;
  if (threadIdx.x == 0) count = 0;
  __syncthreads();
  atomicAdd(&count, 1u);
  if (!bug) __syncthreads();
  out[threadIdx.x] = in[0] + static_cast<float>(count);
}

// ---- bounds

__global__ void static_overrun(const float* in, float* out, int bug) {
  __shared__ float tile[kThreads];
  const int t = threadIdx.x;
  tile[bug && t == kThreads - 1 ? t + 1 : t] = in[t];
  __syncthreads();
  out[t] = tile[0];
}

__global__ void pointer_overrun(const float* in, float* out, int bug) {
  __shared__ float tile[kThreads];
  const int t = threadIdx.x;
  float* first = tile + static_cast<int>(in[0]);
  first[bug && t == kThreads - 1 ? t + 1 : t] = in[t];
  __syncthreads();
  out[t] = first[0];
}

__global__ void inner_overrun(const float* in, float* out, int bug) {
  __shared__ float tile[8][32];
  const int t = threadIdx.x;
  for (int row = t / 32 + bug; row < 8 + bug; row += 4) tile[row][t % 32] = in[t];
  __syncthreads();
  out[t] = tile[7][t % 32];
}

__global__ void dynamic_overrun(const float* in, float* out, int bug) {
  float* tile = simt::dynamic_smem<float>();
  const int t = threadIdx.x;
  tile[bug && t == kThreads - 1 ? t + 1 : t] = in[t];
  __syncthreads();
  out[t] = tile[0];
}

__global__ void global_overrun(const float* in, float* out, int bug) {
  for (int i = threadIdx.x; i < 256 + bug; i += kThreads) out[i] = in[0];
}

__global__ void global_underrun(const float* in, float* out, int bug) {
  for (int i = static_cast<int>(threadIdx.x) - bug; i < 256; i += kThreads) out[i] = in[0];
}

__global__ void misaligned_vector(const float* in, float* out, int bug) {
  const float4 v = *reinterpret_cast<const float4*>(in + bug);
  out[threadIdx.x] = v.x + v.w;
}

__device__ const float kTable[4] = {1.0f, 2.0f, 3.0f, 4.0f};

__global__ void write_to_constant(const float* in, float* out, int bug) {
  float* table = const_cast<float*>(kTable);
  if (bug && threadIdx.x == 0) *static_cast<volatile float*>(table + static_cast<int>(in[1])) = 5.0f;
  out[threadIdx.x] = table[threadIdx.x % 4];
}

__global__ void foreign_local(const float* in, float* out, int bug) {
  __shared__ volatile float* letter;
  volatile float mine[2] = {in[threadIdx.x], 0.0f};
  if (threadIdx.x == 0) letter = mine;
  __syncthreads();
  volatile float* from = bug ? letter : mine;
  out[threadIdx.x] = from[0];
  __syncthreads();
}

// ---- barriers and masks

__global__ void divergent_barrier(const float* in, float* out, int bug) {
  if (bug && threadIdx.x >= kThreads / 2) __syncthreads();
  else __syncthreads();
  out[threadIdx.x] = in[threadIdx.x];
}

__global__ void divergent_kind(const float* in, float* out, int bug) {
  // clang-format off
  const int any = bug && threadIdx.x % 2 ? __syncthreads_and(1) : __syncthreads_or(1);
  // clang-format on
  out[threadIdx.x] = in[threadIdx.x] + static_cast<float>(any);
}

__global__ void early_exit(const float* in, float* out, int bug) {
  if (bug && threadIdx.x == kThreads / 2) return;
  __syncthreads();
  out[threadIdx.x] = in[threadIdx.x];
}

__global__ void half_warp_shuffle(const float* in, float* out, int bug) {
  float v = in[threadIdx.x];
  if (threadIdx.x % 32 < 16) v = __shfl_xor_sync(bug ? 0xffffffffu : 0x0000ffffu, v, 1);
  out[threadIdx.x] = v;
}

__global__ void lane_not_in_mask(const float* in, float* out, int bug) {
  const int lane = threadIdx.x % 32;
  float v = in[threadIdx.x];
  if (lane < 16) v = __shfl_xor_sync(bug ? 0x00007fffu : 0x0000ffffu, v, 1);
  out[threadIdx.x] = v;
}

__global__ void mixed_operations(const float* in, float* out, int bug) {
  float v = in[threadIdx.x];
  if (bug && threadIdx.x % 2) v += static_cast<float>(__ballot_sync(0xffffffffu, 1));
  else v += __shfl_sync(0xffffffffu, v, 0);
  out[threadIdx.x] = v;
}

__global__ void shuffle_inactive(const float* in, float* out, int bug) {
  float v = in[threadIdx.x];
  if (threadIdx.x % 32 < 16) v = __shfl_sync(0x0000ffffu, v, bug ? 16 : 15);
  out[threadIdx.x] = v;
}

// ---- blocks

__global__ void blocks_write_one(const float* in, float* out, int bug) {
  const int stride = bug ? kThreads - 1 : kThreads;
  out[blockIdx.x * stride + threadIdx.x] = in[threadIdx.x];
}

__global__ void block_reads_block(const float* in, float* out, int bug) {
  const int mine = blockIdx.x * kThreads + threadIdx.x, other = (1 - blockIdx.x) * kThreads + threadIdx.x;
  out[mine] = in[mine];
  out[mine] += in[bug ? mine : other] + (bug ? out[other] : 0.0f);
}

// ---- values

__global__ void uninitialised_shared(const float* in, float* out, int bug) {
  __shared__ float tile[kThreads];
  const int t = threadIdx.x;
  if (t < kThreads - bug) tile[t] = in[t];
  __syncthreads();
  out[t] = tile[t];
}

__global__ void uninitialised_dynamic(const float* in, float* out, int bug) {
  float* tile = simt::dynamic_smem<float>();
  const int t = threadIdx.x;
  if (t < kThreads - bug) tile[t] = in[t];
  __syncthreads();
  out[t] = tile[t];
}

__global__ void uninitialised_global(const float* in, float* out, int bug) {
  float* last = out + 128 + threadIdx.x;
  if (!bug) *last = 0.0f;
  out[threadIdx.x] = in[threadIdx.x] + *last;
}

// ---- asynchronous copies: 8 tiles of 32 floats, two buffers

__global__ void async_sum(const float* in, float* out, int no_wait, int no_barrier, int reused,
                          int left_over) {
  __shared__ __align__(16) float tile[2][32];
  const int t = threadIdx.x;
  float sum = 0.0f;
  simt::cp_async4(&tile[0][t], in + t);
  simt::cp_async_commit();
  for (int i = 0; i < 8; ++i) {
    if (i < 7 + left_over) simt::cp_async4(&tile[(i + 1) % 2][t], in + (i + 1) % 8 * 32 + t);
    simt::cp_async_commit();
    if (!no_wait) simt::cp_async_wait<1>();
    if (!no_barrier) __syncthreads();
    sum += tile[i % 2][31 - t];
    if (!reused) __syncthreads();
  }
  if (!left_over) simt::cp_async_wait<0>();
  out[t] = sum;
}

__global__ void async_to_global(const float* in, float* out, int bug) {
  __shared__ __align__(16) float tile[32];
  simt::cp_async4(bug ? out + threadIdx.x : tile + threadIdx.x, in + threadIdx.x);
  simt::cp_async_commit();
  simt::cp_async_wait<0>();
  out[threadIdx.x] = bug ? 0.0f : tile[threadIdx.x];
}

// ---- named barriers: warp 0 produces, warps 1..3 consume, one buffer

__global__ void named_pipeline(const float* in, float* out, int early_read, int early_release) {
  __shared__ float tile[32];
  constexpr int kFull = 1, kEmpty = 2;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  float sum = 0.0f;
  for (int i = 0; i < 4; ++i) {
    if (warp == 0) {
      if (i > 0) simt::bar_sync(kEmpty, kThreads);
      tile[lane] = in[i * 32 + lane];
      simt::bar_arrive(kFull, kThreads);
    } else {
      if (early_read) sum += tile[31 - lane];
      simt::bar_sync(kFull, kThreads);
      if (early_release && i < 3) simt::bar_arrive(kEmpty, kThreads);
      if (!early_read) sum += tile[31 - lane];
      if (!early_release && i < 3) simt::bar_arrive(kEmpty, kThreads);
    }
  }
  out[threadIdx.x] = sum;
}

__global__ void named_misuse(const float* in, float* out, int id, int count_of_half, int extra, int absent) {
  const int warp = threadIdx.x / 32;
  if (warp < 2) {
    simt::bar_sync(id, warp == 0 ? 64 : count_of_half);
  } else if (extra) {
    simt::bar_arrive(5, 128);
  }
  if (absent && warp == 0) simt::bar_sync(3, 64);
  out[threadIdx.x] = in[threadIdx.x];
}

using Kernel = void (*)(const float*, float*, int);

// The kernels with the plain list of parameters; null for the others.
Kernel plain_kernel(Defect which) {
  switch (which) {
    case Defect::missing_barrier: return missing_barrier;
    case Defect::buffer_reused: return buffer_reused;
    case Defect::static_overrun: return static_overrun;
    case Defect::pointer_overrun: return pointer_overrun;
    case Defect::inner_overrun: return inner_overrun;
    case Defect::dynamic_overrun: return dynamic_overrun;
    case Defect::global_overrun: return global_overrun;
    case Defect::global_underrun: return global_underrun;
    case Defect::divergent_barrier: return divergent_barrier;
    case Defect::divergent_kind: return divergent_kind;
    case Defect::early_exit: return early_exit;
    case Defect::half_warp_shuffle: return half_warp_shuffle;
    case Defect::lane_not_in_mask: return lane_not_in_mask;
    case Defect::mixed_operations: return mixed_operations;
    case Defect::shuffle_inactive: return shuffle_inactive;
    case Defect::warp_exchange: return warp_exchange;
    case Defect::blocks_write_one: return blocks_write_one;
    case Defect::block_reads_block: return block_reads_block;
    case Defect::uninitialised_shared: return uninitialised_shared;
    case Defect::uninitialised_dynamic: return uninitialised_dynamic;
    case Defect::uninitialised_global: return uninitialised_global;
    case Defect::atomic_and_plain: return atomic_and_plain;
    case Defect::misaligned_vector: return misaligned_vector;
    case Defect::write_to_constant: return write_to_constant;
    case Defect::foreign_local: return foreign_local;
    default: return nullptr;
  }
}

int run_async(Defect which, int bug, const float* in, float* out) {
  const auto flag = [=](Defect p) { return which == p ? bug : 0; };
  if (which == Defect::async_to_global)
    return static_cast<int>(simt::launch(dim3(1), dim3(32), 0, nullptr, async_to_global, in, out, bug));
  return static_cast<int>(simt::launch(dim3(1), dim3(32), 0, nullptr, async_sum, in, out,
                                       flag(Defect::async_no_wait), flag(Defect::async_no_barrier),
                                       flag(Defect::async_reused), flag(Defect::async_left_over)));
}

int run_named(Defect which, int bug, const float* in, float* out) {
  const dim3 block(kThreads);
  const auto flag = [=](Defect p) { return which == p ? bug : 0; };
  if (which == Defect::named_early_read || which == Defect::named_early_release)
    return static_cast<int>(simt::launch(dim3(1), block, 0, nullptr, named_pipeline, in, out,
                                         flag(Defect::named_early_read), flag(Defect::named_early_release)));
  const int count = flag(Defect::named_wrong_count) ? 96 : flag(Defect::named_not_whole_warps) ? 48 : 64;
  return static_cast<int>(simt::launch(dim3(1), block, 0, nullptr, named_misuse, in, out,
                                       flag(Defect::named_id) ? 16 : 4, count, flag(Defect::named_left_over),
                                       flag(Defect::named_deadlock)));
}

}  // namespace

int run_planted(Defect which, int bug, const float* in, float* out) {
  const Kernel kernel = plain_kernel(which);
  if (kernel) {
    const bool two_blocks = which == Defect::blocks_write_one || which == Defect::block_reads_block;
    const bool dynamic = which == Defect::dynamic_overrun || which == Defect::uninitialised_dynamic;
    return static_cast<int>(simt::launch(dim3(two_blocks ? 2 : 1), dim3(kThreads),
                                         dynamic ? kThreads * sizeof(float) : 0, nullptr, kernel, in, out,
                                         bug));
  }
  return which <= Defect::async_to_global ? run_async(which, bug, in, out) : run_named(which, bug, in, out);
}

}  // namespace KERNEL_NS
