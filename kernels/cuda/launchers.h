// The host side of every kernel: one launcher per op, in both worlds. `gpu` is what nvcc made of the sources
// in this folder, `emu` what the C++ compiler and kernels/simt made of the same files. No CUDA types: anyone
// may include this.
//
// A launcher queues its kernel and returns. gpu: DeviceError with the op's name when the launch is refused;
// emu: the kernel has ended on return, simt::Error when the emulation found a fault in it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/ops.h"
#include "kernels/statistics.h"

/// `apply_bias` ends what a library's matrix product began: outputs hold xW and become what Forward says. It
/// and `forward_hidden` split Forward between slabs that read the data and all others. `sort_by_key` is the
/// second half of shuffle; `check` gives a refused launch its name.
#define SHOAL_LAUNCHERS                                                                 \
  SHOAL_OPS(SHOAL_DECLARE_OP)                                                           \
  SHOAL_STATISTICS(SHOAL_DECLARE_OP)                                                    \
  void forward_hidden(const Forward&, void* stream);                                    \
  void apply_bias(const Forward&, void* stream);                                        \
  void sort_by_key(const Shuffle&, void* stream);                                       \
  std::size_t shuffle_scratch(int groups, std::int64_t samples);                        \
  std::size_t sort_scratch(std::int64_t values, std::int64_t samples, int value_bytes); \
  void check(int launch_status, const char* op);

namespace shoal::gpu {
SHOAL_LAUNCHERS
}
namespace shoal::emu {
SHOAL_LAUNCHERS
}

#undef SHOAL_LAUNCHERS
