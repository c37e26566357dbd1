// The tile that a thread block of forward, backward and update computes: 128 rows by 64 columns of the
// result, 128 threads, 8x8 results per thread, the sum in chunks of 16 terms through two buffers in shared
// memory.
//
// A warp owns 32 whole rows, its lanes stand as 4 rows x 8 columns. So a tile that hangs over the last row
// idles in whole warps, and every float4 that a warp reads from shared memory is free of bank conflicts:
//   operand [term][64]         lanes read 8 neighbouring float4, the 4 rows of lanes the same ones
//   operand [row][kChunk + 4]  rows r .. r+7 start at banks 0 20 8 28 16 4 24 12
#pragma once

namespace shoal {

constexpr int kTileThreads = 128;
constexpr int kTileRows = 128;
constexpr int kTileColumns = 64;
constexpr int kChunk = 16;
constexpr int kPaddedChunk = kChunk + 4;
constexpr int kWarpRows = 32;
constexpr int kLaneRows = 4;
constexpr int kLaneColumns = 8;
constexpr int kThreadRows = 8;

}  // namespace shoal
