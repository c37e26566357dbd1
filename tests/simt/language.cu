#include "tests/simt/language.h"

#include "kernels/simt/simt.h"

namespace KERNEL_NS {
namespace {

namespace cg = cooperative_groups;
using language::Atomic;
using language::BlockOp;
using language::LaneOp;

// ---- lanes

__device__ unsigned tile_op(LaneOp op, unsigned v, int argument) {
  const auto tile = cg::tiled_partition<8>(cg::this_thread_block());
  const auto a = static_cast<unsigned>(argument);
  switch (op) {
    case LaneOp::tile8_shfl: return tile.shfl(v, a);
    case LaneOp::tile8_up: return tile.shfl_up(v, a);
    case LaneOp::tile8_down: return tile.shfl_down(v, a);
    case LaneOp::tile8_xor: return tile.shfl_xor(v, a);
    case LaneOp::tile8_ballot: return tile.ballot(v & 1);
    case LaneOp::tile8_any: return tile.any((v & 15) == 0);
    case LaneOp::tile8_all: return tile.all((v & 3) != 0);
    case LaneOp::tile8_match: return tile.match_any(v & 3);
    default: break;
  }
  tile.sync();
  return tile.thread_rank() + 100 * tile.meta_group_rank() + 10000 * tile.meta_group_size() +
         1000000 * tile.size();
}

// Reductions and matching within a warp came with compute capabilities 8.0 and 7.0.
__device__ unsigned reduce_op(LaneOp op, unsigned mask, unsigned v) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  const int s = static_cast<int>(v);
  switch (op) {
    case LaneOp::add: return __reduce_add_sync(mask, v);
    case LaneOp::min_unsigned: return __reduce_min_sync(mask, v);
    case LaneOp::max_unsigned: return __reduce_max_sync(mask, v);
    case LaneOp::min_signed: return static_cast<unsigned>(__reduce_min_sync(mask, s));
    case LaneOp::max_signed: return static_cast<unsigned>(__reduce_max_sync(mask, s));
    case LaneOp::bit_and: return __reduce_and_sync(mask, v);
    case LaneOp::bit_or: return __reduce_or_sync(mask, v);
    case LaneOp::bit_xor: return __reduce_xor_sync(mask, v);
    default: break;
  }
#endif
  return 0;
}

__device__ unsigned lane_op(LaneOp op, unsigned mask, unsigned v, int argument, int width) {
  const auto delta = static_cast<unsigned>(argument);
  int all_alike = 0;
  const unsigned active = __activemask();
  __syncwarp(mask);  // nobody leaves before all have looked
  switch (op) {
    case LaneOp::shfl: return __shfl_sync(mask, v, argument, width);
    case LaneOp::shfl_up: return __shfl_up_sync(mask, v, delta, width);
    case LaneOp::shfl_down: return __shfl_down_sync(mask, v, delta, width);
    case LaneOp::shfl_xor: return __shfl_xor_sync(mask, v, argument, width);
    case LaneOp::ballot: return __ballot_sync(mask, v & 1);
    case LaneOp::any: return __any_sync(mask, v == delta);
    case LaneOp::all: return __all_sync(mask, v != delta);
    case LaneOp::match_any: return __match_any_sync(mask, v & 3);
    case LaneOp::match_all: return __match_all_sync(mask, v / delta, &all_alike) + (all_alike ? 0u : 7u);
    case LaneOp::active: return active;
    default: return op < LaneOp::tile8_shfl ? reduce_op(op, mask, v) : tile_op(op, v, argument);
  }
}

__global__ void lane_ops(LaneOp op, unsigned mask, const unsigned* in, int argument, int width,
                         unsigned* out) {
  const int t = threadIdx.x;
  if (mask >> (t % warpSize) & 1) out[t] = lane_op(op, mask, in[t], argument, width);
}

__global__ void wide_shuffle(const double* in, const long long* in_integer, double* out,
                             long long* out_integer) {
  const int t = threadIdx.x;
  out[t] = __shfl_xor_sync(0xffffffffu, in[t], 5);
  out_integer[t] = __shfl_xor_sync(0xffffffffu, in_integer[t], 5);
}

// ---- blocks

__device__ int block_op(BlockOp op, int v) {
  const auto block = cg::this_thread_block();
  const auto tile = cg::tiled_partition<16>(block);
  switch (op) {
    case BlockOp::count: return __syncthreads_count(v);
    case BlockOp::all: return __syncthreads_and(v);
    case BlockOp::any: return __syncthreads_or(v);
    case BlockOp::rank: return static_cast<int>(block.thread_rank() + 1000 * block.size());
    case BlockOp::x: return static_cast<int>(threadIdx.x + 10 * blockDim.x);
    case BlockOp::y: return static_cast<int>(threadIdx.y + 10 * blockDim.y);
    case BlockOp::z: return static_cast<int>(block.thread_index().z + 10 * blockDim.z);
    case BlockOp::tile16_number: return static_cast<int>(tile.meta_group_rank() * 100 + tile.thread_rank());
    default: return static_cast<int>(tile.meta_group_size());
  }
}

__global__ void block_ops(BlockOp op, const int* in, int* out) {
  const auto rank = cg::this_thread_block().thread_rank();
  const int result = block_op(op, in[rank]);
  cg::this_thread_block().sync();
  out[rank] = result;
}

__global__ void grid_indices(int* out) {
  const auto g = cg::this_thread_block().group_index();
  int* mine = out + 6 * (g.x + gridDim.x * (g.y + gridDim.y * g.z));
  mine[0] = static_cast<int>(blockIdx.x);
  mine[1] = static_cast<int>(blockIdx.y);
  mine[2] = static_cast<int>(blockIdx.z);
  mine[3] = static_cast<int>(gridDim.x * blockDim.x);
  mine[4] = static_cast<int>(gridDim.y * blockDim.y);
  mine[5] = static_cast<int>(gridDim.z * blockDim.z);
}

__global__ void tickets(int* counter, int* ticket) {
  ticket[blockIdx.x * blockDim.x + threadIdx.x] = atomicAdd(counter, 1);
}

__global__ void dynamic_nan(int words, int* out) {
  const unsigned* memory = simt::dynamic_smem<unsigned>();
  int nan = 0;
  for (int i = 0; i < words; ++i) nan += memory[i] == 0xffffffffu;
  out[0] = nan;
}

__global__ void callback(void (*function)()) { function(); }
__global__ void empty() {}

// ---- atomics

template <class T>
__device__ T atomic_op(Atomic op, T* cell, T v) {
  switch (op) {
    case Atomic::add: return atomicAdd(cell, v);
    case Atomic::min: return atomicMin(cell, v);
    case Atomic::max: return atomicMax(cell, v);
    case Atomic::bit_and: return atomicAnd(cell, v);
    case Atomic::bit_or: return atomicOr(cell, v);
    case Atomic::bit_xor: return atomicXor(cell, v);
    case Atomic::exchange: return atomicExch(cell, v);
    case Atomic::compare_swap: return atomicCAS(cell, v, v + T{1});
    default: return T{};
  }
}

__global__ void atomic_int(Atomic op, int* cell, const int* value, int* old) {
  const int t = threadIdx.x;
  old[t] = op == Atomic::sub ? atomicSub(cell, value[t]) : atomic_op(op, cell, value[t]);
}

__global__ void atomic_unsigned(Atomic op, unsigned* cell, const unsigned* value, unsigned* old) {
  const int t = threadIdx.x;
  if (op == Atomic::sub) old[t] = atomicSub(cell, value[t]);
  else if (op == Atomic::increment) old[t] = atomicInc(cell, value[t]);
  else if (op == Atomic::decrement) old[t] = atomicDec(cell, value[t]);
  else old[t] = atomic_op(op, cell, value[t]);
}

__global__ void atomic_long(Atomic op, unsigned long long* cell, const unsigned long long* value,
                            unsigned long long* old) {
  const int t = threadIdx.x;
  old[t] = atomic_op(op, cell, value[t]);
}

__global__ void atomic_add(float* cell, double* wide_cell, const float* value) {
  const float v = value[threadIdx.x];
  atomicAdd(cell, v);
  atomicAdd(wide_cell, static_cast<double>(v));
  if (threadIdx.x == 0) atomicExch(cell + 1, v);
}

// ---- scalars

__global__ void integers(const unsigned* in, int n, unsigned* out) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= n) return;
  const unsigned v = in[i], w = in[(i + 1) % n];
  const int s = static_cast<int>(v);
  const unsigned long long wide = static_cast<unsigned long long>(v) << 32 | w;
  unsigned* o = out + 16 * i;
  o[0] = static_cast<unsigned>(__popc(v));
  o[1] = static_cast<unsigned>(__ffs(s));
  o[2] = static_cast<unsigned>(__clz(s));
  o[3] = __brev(v);
  o[4] = __umulhi(v, w);
  o[5] = static_cast<unsigned>(__mulhi(s, static_cast<int>(w)));
  o[6] = static_cast<unsigned>(__popcll(wide));
  o[7] = static_cast<unsigned>(__ffsll(static_cast<long long>(wide)));
  o[8] = static_cast<unsigned>(__clzll(static_cast<long long>(wide)));
  o[9] = __funnelshift_l(v, w, 5);
  o[10] = __funnelshift_r(v, w, 5);
  o[11] = static_cast<unsigned>(min(s, static_cast<int>(w)));
  o[12] = max(v, w);
  o[13] = __float_as_uint(__int_as_float(s & 0x007fffff));
  o[14] = static_cast<unsigned>(__float_as_int(__uint_as_float(w & 0x007fffffu)));
  o[15] = static_cast<unsigned>(__longlong_as_double(__double_as_longlong(3.0)));
}

__global__ void floats(const float* in, int n, float* out) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= n) return;
  const float x = __ldg(in + i), a = fabsf(x) + 0.5f;
  float* o = out + 16 * i;
  __stcs(o + 0, rsqrtf(a));
  o[1] = static_cast<float>(rsqrt(static_cast<double>(a)));
  o[2] = __expf(x);
  o[3] = __logf(a);
  o[4] = __log2f(a);
  o[5] = __powf(a, 1.5f);
  __sincosf(x, &o[6], &o[7]);
  o[8] = __fdividef(x, a);
  o[9] = __saturatef(x);
  // Two roundings: a fused multiply-add would leave the rounding error of x * x instead of 0.
  o[10] = __fadd_rn(__fmul_rn(x, x), -__fmul_rn(x, x));
  o[11] = __fmaf_rn(x, x, -__fmul_rn(x, x));
  o[12] = static_cast<float>(__float2int_rn(x));
  o[13] = static_cast<float>(__float2int_rz(x) + 10 * __float2int_rd(x) + 100 * __float2int_ru(x));
  o[14] = min(x, 0.25f) + max(x, 0.25f);
  o[15] = simt::from_bf16(simt::to_bf16(x));
}

__global__ void vectors(const float* in, int n, float* out) {
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    const float4 v = reinterpret_cast<const float4*>(in)[i];
    const float2 low = make_float2(v.x, v.y);
    reinterpret_cast<float2*>(out)[2 * i] = low;
    reinterpret_cast<float2*>(out)[2 * i + 1] = make_float2(v.z, v.w);
  }
}

// ---- tensor cores

__global__ void matrix(const uint16_t* a, const uint16_t* b, float* d, uint32_t* fragment_a,
                       uint32_t* fragment_b) {
  __shared__ __align__(16) uint16_t tile_a[16][16];
  __shared__ __align__(16) uint16_t tile_b[16][8];
  const int lane = threadIdx.x;
  for (int i = lane; i < 256; i += 32) tile_a[i / 16][i % 16] = a[i];
  for (int i = lane; i < 128; i += 32) tile_b[i / 8][i % 8] = b[i];
  __syncwarp();
  uint32_t fa[4], fb[2];
  simt::ldmatrix_x4(fa, &tile_a[lane % 16][lane / 16 * 8]);
  simt::ldmatrix_x2_trans(fb, &tile_b[lane % 16][0]);
  const int row = lane / 4, column = lane % 4 * 2;
  float acc[4];
  for (int i = 0; i < 4; ++i) acc[i] = d[(row + i / 2 * 8) * 8 + column + i % 2];
  simt::mma_m16n8k16_bf16(acc, fa, fb);
  for (int i = 0; i < 4; ++i) d[(row + i / 2 * 8) * 8 + column + i % 2] = acc[i];
  for (int i = 0; i < 4; ++i) fragment_a[lane * 4 + i] = fa[i];
  for (int i = 0; i < 2; ++i) fragment_b[lane * 2 + i] = fb[i];
}

template <class... P, class... A>
int start(unsigned blocks, dim3 threads, void (*kernel)(P...), A... args) {
  return static_cast<int>(simt::launch(dim3(blocks), threads, 0, nullptr, kernel, args...));
}

}  // namespace

int run_lane_op(LaneOp op, unsigned mask, int threads, const unsigned* in, int argument, int width,
                unsigned* out) {
  return start(1, dim3(static_cast<unsigned>(threads)), lane_ops, op, mask, in, argument, width, out);
}
int run_wide_shuffle(const double* in, const long long* in_integer, double* out, long long* out_integer) {
  return start(1, dim3(32), wide_shuffle, in, in_integer, out, out_integer);
}
int run_block_op(BlockOp op, const int* in, int* out) {
  return start(1, dim3(4, 3, 5), block_ops, op, in, out);
}
int run_grid_indices(int* out) {
  return static_cast<int>(simt::launch(dim3(3, 2, 4), dim3(1, 1, 1), 0, nullptr, grid_indices, out));
}
int run_atomic_int(Atomic op, int* cell, const int* value, int* old) {
  return start(1, dim3(64), atomic_int, op, cell, value, old);
}
int run_atomic_unsigned(Atomic op, unsigned* cell, const unsigned* value, unsigned* old) {
  return start(1, dim3(64), atomic_unsigned, op, cell, value, old);
}
int run_atomic_long(Atomic op, unsigned long long* cell, const unsigned long long* value,
                    unsigned long long* old) {
  return start(1, dim3(64), atomic_long, op, cell, value, old);
}
int run_atomic_add(float* cell, double* wide_cell, const float* value) {
  return start(1, dim3(64), atomic_add, cell, wide_cell, value);
}
int run_integers(const unsigned* in, int n, unsigned* out) {
  return start(static_cast<unsigned>(n + 63) / 64, dim3(64), integers, in, n, out);
}
int run_floats(const float* in, int n, float* out) {
  return start(static_cast<unsigned>(n + 63) / 64, dim3(64), floats, in, n, out);
}
int run_vectors(const float* in, int n, float* out) { return start(1, dim3(32), vectors, in, n, out); }
int run_tickets(int blocks, int threads, int* counter, int* ticket) {
  return start(static_cast<unsigned>(blocks), dim3(static_cast<unsigned>(threads)), tickets, counter, ticket);
}
int run_dynamic_nan(int words, int* out) {
  return static_cast<int>(
      simt::launch(dim3(2), dim3(1), static_cast<size_t>(words) * 4, nullptr, dynamic_nan, words, out));
}
int run_matrix(const uint16_t* a, const uint16_t* b, float* d, uint32_t* fragment_a, uint32_t* fragment_b) {
  return start(1, dim3(32), matrix, a, b, d, fragment_a, fragment_b);
}
int run_callback(void (*function)()) { return start(1, dim3(1), callback, function); }
int run_empty(unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned smem) {
  return static_cast<int>(simt::launch(dim3(gx, gy, gz), dim3(bx, by, bz), smem, nullptr, empty));
}

}  // namespace KERNEL_NS
