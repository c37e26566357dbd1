// Kernels with one mistake each, for tests of the emulator and its checker. With bug = 0 the same kernel is
// correct, and every build must be silent about it.
#pragma once

namespace planted {

enum class Defect {
  missing_barrier,    // neighbours read before all have written
  buffer_reused,      // written again while others still read
  static_overrun,     // one float past the last array
  pointer_overrun,    // the same through a pointer, whose bounds the compiler does not know
  inner_overrun,      // tile[8][i] of tile[8][32]
  dynamic_overrun,    // one float past dynamic shared memory
  global_overrun,     // one float past the output
  global_underrun,    // one float before it
  divergent_barrier,  // two different __syncthreads
  divergent_kind,     // __syncthreads_or against __syncthreads_and on one line
  early_exit,         // one thread leaves, others use a barrier
  half_warp_shuffle,  // full mask inside a branch of 16 lanes
  lane_not_in_mask,   // a lane outside the mask it names
  mixed_operations,   // half of the mask votes, half shuffles
  shuffle_inactive,   // reads a lane that takes no part
  warp_exchange,      // shared memory between lanes without __syncwarp
  blocks_write_one,   // two blocks write one element
  block_reads_block,  // a block reads what another wrote
  uninitialised_shared,
  uninitialised_dynamic,
  uninitialised_global,
  atomic_and_plain,       // a plain read beside atomics
  misaligned_vector,      // float4 at a multiple of 4 bytes
  write_to_constant,      // through a pointer without its const
  foreign_local,          // a local of another thread, through a pointer in shared memory
  async_no_wait,          // asynchronous copy read before the wait
  async_no_barrier,       // the copy of another thread read without a barrier
  async_reused,           // the next copy lands where others still read
  async_left_over,        // the kernel ends with copies on their way
  async_to_global,        // destination not in shared memory
  named_wrong_count,      // two thread counts at one barrier
  named_not_whole_warps,  // 48 threads
  named_id,               // barrier 16
  named_left_over,        // arrivals without the ones they wait for
  named_deadlock,         // waits for a warp that never comes
  named_early_read,       // the consumers read before the barrier
  named_early_release,    // the consumers release the buffer before they have read it
};

}  // namespace planted

// input and output hold 256 floats, input[0] a small integer. Launches the kernel; returns its status or
// throws simt::Error.
namespace emu {
int run_planted(planted::Defect which, int bug, const float* input, float* output);
}
namespace gpu {
int run_planted(planted::Defect which, int bug, const float* input, float* output);
}
