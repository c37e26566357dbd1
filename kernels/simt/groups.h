// The part of cooperative groups that kernels use: the block and tiles of a power of two lanes of a warp.
#pragma once

#include "kernels/simt/sync.h"
#include "kernels/simt/vector_types.h"

namespace cooperative_groups {

struct thread_block {
  static void sync(SIMT_HERE) { __syncthreads(at); }
  static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
  static unsigned num_threads() { return size(); }
  static unsigned thread_rank() {
    return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  }
  static dim3 group_index() { return blockIdx; }
  static dim3 thread_index() { return threadIdx; }
};
inline thread_block this_thread_block() { return {}; }

template <unsigned kLanes>
struct thread_block_tile {
  static_assert(kLanes >= 1 && kLanes <= 32 && (kLanes & (kLanes - 1)) == 0,
                "a tile is a power of two lanes of one warp");
  static constexpr unsigned size() { return kLanes; }
  static constexpr unsigned num_threads() { return kLanes; }
  static unsigned first_lane() { return simt::detail::current_lane() / kLanes * kLanes; }
  static unsigned thread_rank() { return simt::detail::current_lane() % kLanes; }
  static unsigned meta_group_rank() { return thread_block::thread_rank() / kLanes; }
  static unsigned meta_group_size() { return (thread_block::size() + kLanes - 1) / kLanes; }
  static unsigned mask() { return (kLanes == 32 ? ~0u : (1u << (kLanes & 31)) - 1u) << first_lane(); }

  static void sync(SIMT_HERE) { __syncwarp(mask(), at); }
  template <class T>
  static T shfl(T v, unsigned lane, SIMT_HERE) {
    return __shfl_sync(mask(), v, static_cast<int>(lane), kLanes, at);
  }
  template <class T>
  static T shfl_up(T v, unsigned delta, SIMT_HERE) {
    return __shfl_up_sync(mask(), v, delta, kLanes, at);
  }
  template <class T>
  static T shfl_down(T v, unsigned delta, SIMT_HERE) {
    return __shfl_down_sync(mask(), v, delta, kLanes, at);
  }
  template <class T>
  static T shfl_xor(T v, unsigned lanes, SIMT_HERE) {
    return __shfl_xor_sync(mask(), v, static_cast<int>(lanes), kLanes, at);
  }
  static unsigned ballot(int p, SIMT_HERE) { return __ballot_sync(mask(), p, at) >> first_lane(); }
  static int any(int p, SIMT_HERE) { return __any_sync(mask(), p, at); }
  static int all(int p, SIMT_HERE) { return __all_sync(mask(), p, at); }
  template <class T>
  static unsigned match_any(T v, SIMT_HERE) {
    return __match_any_sync(mask(), v, at) >> first_lane();
  }
};

template <unsigned kLanes>
thread_block_tile<kLanes> tiled_partition(const thread_block&) {
  return {};
}

}  // namespace cooperative_groups
