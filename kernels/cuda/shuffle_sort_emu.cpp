// The sort of Shuffle for the emulation, where device memory is host memory: CUB cannot be emulated.
#include <algorithm>
#include <numeric>

#include "kernels/cuda/launchers.h"
#include "kernels/simt/host.h"

namespace shoal::emu {

void sort_by_key(const Shuffle& op, void*) {
  for (int g = 0; g < op.group_count; ++g) {
    const std::uint32_t* keys = op.keys + g * op.samples;
    std::int32_t* order = op.order + g * op.samples;
    std::iota(order, order + op.samples, 0);
    std::stable_sort(order, order + op.samples,
                     [&](std::int32_t a, std::int32_t b) { return keys[a] < keys[b]; });
    simt::mark_initialised(order, static_cast<std::size_t>(op.samples) * sizeof(std::int32_t));
  }
}

std::size_t shuffle_scratch(int, std::int64_t) { return 0; }

}  // namespace shoal::emu
