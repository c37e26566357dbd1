// Private to the checker: what it remembers of every 4-byte word of shared and device memory.
#pragma once

#include <cstdint>

namespace simt::detail {

constexpr uint16_t kThreadBits = 0x3ff;      // who: the thread
constexpr uint16_t kAtomicBit = 1 << 10;     // of a write
constexpr uint16_t kSeveralLanes = 1 << 10;  // of reads: other lanes of the same warp read as well
constexpr uint16_t kSeveralWarps = 1 << 11;  // of reads: other warps, too
constexpr int kByteShift = 12;               // who: which of the four bytes, from bit 12 on

// The last access of a kind. epoch 0: never.
struct Trace {
  uint32_t epoch;        // advances at every block barrier, block and launch
  uint32_t pc;           // offset in the program image
  uint32_t named_clock;  // of the accessing warp (WarpClocks::time); with kSeveralWarps the number of a
                         // ReaderClocks
  uint16_t sync_clock;   // of the accessing lane (Thread::sync_clock)
  uint16_t who;
};

struct Cell {
  Trace write, read;
};
static_assert(sizeof(Cell) == 32);

// The uninitialised values of device memory end with the host's own write, which has no thread.
constexpr uint32_t kHostEpoch = 1;

}  // namespace simt::detail
