// Shuffle (kernels/ops.h): the random keys. Sorting by them is CUB's (shuffle_sort.cu), in the emulation the
// host's (shuffle_sort_emu.cpp).
#include "kernels/cuda/device.h"
#include "kernels/philox.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kThreads = 256;
constexpr int kWords = 4;  // of one Philox call

/// A thread writes four neighbouring keys of one group. blocks_per_group: ceil(samples / (4 * kThreads)).
__global__ void __launch_bounds__(kThreads) shuffle_keys_kernel(Shuffle op, int blocks_per_group) {
  const int group = static_cast<int>(blockIdx.x) / blocks_per_group;
  const std::int64_t quad =
      static_cast<std::int64_t>(static_cast<int>(blockIdx.x) % blocks_per_group) * kThreads + threadIdx.x;
  if (quad * kWords >= op.samples) return;
  const PhiloxWords words = philox_quad(op.seeds[group], op.streams[group], static_cast<std::uint64_t>(quad));
  std::uint32_t* keys = op.keys + group * op.samples;
#pragma unroll
  for (int i = 0; i < kWords; ++i)
    if (quad * kWords + i < op.samples) keys[quad * kWords + i] = words.word[i];
}

}  // namespace

void shuffle(const Shuffle& op, void* stream) {
  const int per_group = static_cast<int>(blocks_for(op.samples, kWords * kThreads));
  if (op.group_count == 0 || per_group == 0) return;
  const dim3 grid(static_cast<unsigned>(op.group_count) * per_group);
  check(simt::launch(grid, dim3(kThreads), 0, stream_of(stream), shuffle_keys_kernel, op, per_group),
        "shuffle");
  sort_by_key(op, stream);
}

}  // namespace shoal::KERNEL_NS
