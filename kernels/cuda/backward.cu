// Backward (kernels/ops.h): a block computes the deltas of 128 samples x 64 input columns of one model.
//
// Letters: b sample, k input column, n column of the slab. Both operands lie with n innermost, as the sum
// needs them: dz[b][n] and W[k][n]. Each result is one chain of fmaf in the order of n. Padding columns of
// the slab take part: their deltas are 0.
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

struct BackwardMemory {
  float dz[2][kTileRows][kPaddedChunk];
  float w[2][kTileColumns][kPaddedChunk];
};

struct BackwardTile {
  int first, rows;  // the tile's first sample; samples of the batch
  int k0;           // the tile's first input
};

/// Starts copying columns n0 .. n0+15 of the deltas and of W into one of the two buffers. They lie in one
/// panel. Samples behind the batch and inputs behind fan_in become 0.
__device__ __forceinline__ void load_chunk(BackwardMemory& m, int buffer, const Backward& op, const Slab& s,
                                           const BackwardTile& t, int n0) {
  const int thread = threadIdx.x, n = thread % 4 * 4, panel = n0 / kPanelWidth, width = panel_width(s, panel);
  const float* dz = op.workspace.deltas + panel_rows(s, panel) + n0 % kPanelWidth + n;
  const float* w = op.parameters + panel_weights(s, panel) + n0 % kPanelWidth + n;
  for (int i = 0; i < kTileRows * kChunk / 4 / kTileThreads; ++i) {
    const int row = thread / 4 + i * (kTileThreads / 4), b = t.first + row;
    copy4(&m.dz[buffer][row][n], dz + static_cast<std::int64_t>(b) * row_stride(s), b < t.rows);
  }
  for (int i = 0; i < kTileColumns * kChunk / 4 / kTileThreads; ++i) {
    const int row = thread / 4 + i * (kTileThreads / 4), k = t.k0 + row;
    copy4(&m.w[buffer][row][n], w + static_cast<std::int64_t>(k) * width, k < s.fan_in);
  }
  simt::cp_async_commit();
}

/// A thread's results: samples row + 4 i, inputs column + 8 j.
template <int columns>
__device__ __forceinline__ void multiply_chunk(float (&sum)[kThreadRows][columns], const BackwardMemory& m,
                                               int buffer, int row, int column) {
#pragma unroll
  for (int n4 = 0; n4 < kChunk; n4 += 4) {
    float4 dz[kThreadRows];
#pragma unroll
    for (int i = 0; i < kThreadRows; ++i) dz[i] = load4(&m.dz[buffer][row + kLaneRows * i][n4]);
#pragma unroll
    for (int j = 0; j < columns; ++j) {
      const float4 w = load4(&m.w[buffer][column + kLaneColumns * j][n4]);
#pragma unroll
      for (int i = 0; i < kThreadRows; ++i) {
        sum[i][j] = fmaf(dz[i].x, w.x, sum[i][j]);
        sum[i][j] = fmaf(dz[i].y, w.y, sum[i][j]);
        sum[i][j] = fmaf(dz[i].z, w.z, sum[i][j]);
        sum[i][j] = fmaf(dz[i].w, w.w, sum[i][j]);
      }
    }
  }
}

/// columns: inputs per thread; 8 serve a tile of 64 input columns, 4 one of up to 32.
template <int columns>
__device__ void backward_tile(BackwardMemory& m, const Backward& op, const Slab& s, const BackwardTile& t) {
  const int lane = threadIdx.x % 32, warp_row = static_cast<int>(threadIdx.x) / 32 * kWarpRows;
  const int row = warp_row + lane / kLaneColumns, column = lane % kLaneColumns;
  const bool busy = t.first + warp_row < t.rows;
  float sum[kThreadRows][columns] = {};
  load_chunk(m, 0, op, s, t, 0);
  for (int n0 = 0, buffer = 0; n0 < s.columns; n0 += kChunk, buffer ^= 1) {
    simt::cp_async_wait<0>();
    // Without it a thread would multiply values that another thread's copies have not brought yet, and the
    // copies started below would overwrite the other buffer while slow warps still read the previous chunk
    // from it.
    __syncthreads();
    if (n0 + kChunk < s.columns) load_chunk(m, buffer ^ 1, op, s, t, n0 + kChunk);
    if (busy) multiply_chunk<columns>(sum, m, buffer, row, column);
  }
  const Slab& below = op.slabs[s.input];
  const std::int64_t base = panel_rows(below, 0);
#pragma unroll
  for (int j = 0; j < columns; ++j) {
    const int k = t.k0 + column + kLaneColumns * j, c = s.input_column + k;
    if (k >= round_up(s.fan_in, kBlockWidth)) continue;
    const float gate = op.gates ? op.gates[below.neuron + c] : 1.0f;
#pragma unroll
    for (int i = 0; i < kThreadRows; ++i) {
      const int b = t.first + row + kLaneRows * i;
      if (b >= t.rows) continue;
      const std::int64_t at = base + c / kPanelWidth * panel_stride(below) +
                              static_cast<std::int64_t>(b) * row_stride(below) + c % kPanelWidth;
      const bool open = k < s.fan_in && op.workspace.outputs[at] > 0.0f;
      op.workspace.deltas[at] = open ? gate * sum[i][j] : 0.0f;
    }
  }
}

__global__ void __launch_bounds__(kTileThreads) backward_kernel(Backward op) {
  __shared__ __align__(16) BackwardMemory m;
  const Tile tile = op.tiles[blockIdx.x];
  const Slab& s = op.slabs[tile.slab];
  const int rows = batch_of(op.workspace, s).rows;
  if (tile.row >= rows || s.input < 0) return;
  const BackwardTile t{tile.row, rows, tile.panel * kTileColumns};
  if (s.fan_in - t.k0 > 32) backward_tile<8>(m, op, s, t);
  else backward_tile<4>(m, op, s, t);
}

}  // namespace

void backward(const Backward& op, void* stream) {
  if (op.tile_count == 0) return;
  check(simt::launch(dim3(op.tile_count), dim3(kTileThreads), 0, stream_of(stream), backward_kernel, op),
        "backward");
}

}  // namespace shoal::KERNEL_NS
