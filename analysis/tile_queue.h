// Tiles of ops, shared out over the threads of the CPU, or queued on a device at once.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <span>

#include "analysis/calculator.h"
#include "kernels/array.h"

namespace shoal {

/// Calls run(tiles, count, scratch): on a device once, with the tiles in its memory and no scratch, and waits
/// for it; on the CPU tile by tile, as threads get free, each thread with room for `scratch` doubles of its
/// own, aligned to 64 bytes.
template <class Tile, class Run>
void run_tiles(const Calculator& calculator, std::span<const Tile> tiles, std::size_t scratch, Run&& run) {
  if (tiles.empty()) return;
  if (calculator.device()) {
    const Input<Tile> there(calculator, tiles);
    run(there.get(), static_cast<int>(tiles.size()), static_cast<double*>(nullptr));
    calculator.device()->memory.synchronize(calculator.stream());
    return;
  }
  std::atomic<std::size_t> next{0};
  const auto workers = std::min(static_cast<std::size_t>(calculator.threads()), tiles.size());
  calculator.for_each(static_cast<int>(workers), [&](int) {
    AlignedArray<double> room(scratch);
    for (std::size_t i = next++; i < tiles.size(); i = next++) run(tiles.data() + i, 1, room.data());
  });
}

}  // namespace shoal
