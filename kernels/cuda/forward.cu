// Forward (kernels/ops.h): a block computes 128 samples x one panel, the sum over k in chunks of 16.
//
// Letters: b sample, k input, n column of the panel. Each result is one chain of fmaf in the order of k,
// whatever its place in the tile: a model gets the same bits wherever it stands.
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

struct ForwardMemory {
  float x[2][kTileRows][kPaddedChunk];
  float w[2][kChunk][kTileColumns];
  float g[2][kChunk];
};

/// What a block needs to know of its tile.
struct ForwardTile {
  Inputs x;
  const float* w;  // [fan_in][width]
  int fan_in, width;
  int first, rows;  // the tile's first sample; samples of the batch
};

/// Starts copying the inputs and weights of k0 .. k0+15 into one of the two buffers. Samples behind the batch
/// and weights behind fan_in become 0 (inputs behind fan_in are readable: rows are padded to 16).
template <bool gated>
__device__ __forceinline__ void load_chunk(ForwardMemory& m, int buffer, const ForwardTile& t, int k0) {
  const int thread = threadIdx.x;
  const float* x = t.x.at(t.first, k0);
  for (int i = 0; i < kTileRows * kChunk / 4 / kTileThreads; ++i) {
    const int b = thread / 4 + i * (kTileThreads / 4), k = thread % 4 * 4;
    copy4(&m.x[buffer][b][k], x + static_cast<std::int64_t>(b) * t.x.row + k, t.first + b < t.rows);
  }
  for (int i = 0; i < kChunk * kTileColumns / 4 / kTileThreads; ++i) {
    const int k = thread / 16 + i * (kTileThreads / 16), n = thread % 16 * 4;
    if (n < t.width)
      copy4(&m.w[buffer][k][n], t.w + static_cast<std::int64_t>(k0 + k) * t.width + n, k0 + k < t.fan_in);
  }
  if (gated && thread < kChunk) {
    if (k0 + thread < t.fan_in) simt::cp_async4(&m.g[buffer][thread], t.x.gates + k0 + thread);
    else m.g[buffer][thread] = 0.0f;
  }
  simt::cp_async_commit();
}

/// Results of a thread: rows row + 4 i, columns column[q] + 0..3.
template <int groups>
struct Place {
  int row;
  int column[groups];
};

/// groups = 2 serves panels of up to 64 columns, 1 of up to 32. Lanes behind the panel's width do the work of
/// lane 0 again, and do not store it.
template <int groups>
__device__ __forceinline__ Place<groups> place_of(int width) {
  const int lane = threadIdx.x % 32;
  Place<groups> p;
  p.row = static_cast<int>(threadIdx.x) / 32 * kWarpRows + lane / kLaneColumns;
#pragma unroll
  for (int q = 0; q < groups; ++q) {
    const int column = lane % kLaneColumns * 4 + 32 * q;
    p.column[q] = column < width ? column : 0;
  }
  return p;
}

template <int groups, bool gated>
__device__ __forceinline__ void multiply_chunk(float (&z)[kThreadRows][4 * groups], const ForwardMemory& m,
                                               int buffer, const Place<groups>& p) {
#pragma unroll
  for (int k4 = 0; k4 < kChunk; k4 += 4) {
    __align__(16) float x[kThreadRows][4], g[4];
    if (gated) store4(g, load4(&m.g[buffer][k4]));
#pragma unroll
    for (int i = 0; i < kThreadRows; ++i) {
      store4(x[i], load4(&m.x[buffer][p.row + kLaneRows * i][k4]));
      if (gated)
        for (int k = 0; k < 4; ++k) x[i][k] *= g[k];
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      __align__(16) float w[4 * groups];
#pragma unroll
      for (int q = 0; q < groups; ++q) store4(w + 4 * q, load4(&m.w[buffer][k4 + k][p.column[q]]));
#pragma unroll
      for (int i = 0; i < kThreadRows; ++i)
#pragma unroll
        for (int j = 0; j < 4 * groups; ++j) z[i][j] = fmaf(x[i][k], w[j], z[i][j]);
    }
  }
}

/// Four neighbouring columns of one sample: bias, z where it is wanted, ReLU.
__device__ __forceinline__ void finish(const Workspace& w, const Slab& s, std::int64_t at, const float* bias,
                                       float4 z) {
  z.x += bias[0], z.y += bias[1], z.z += bias[2], z.w += bias[3];
  if (w.preactivations) store4(w.preactivations + at, z);
  if (!s.is_output) z = make_float4(relu(z.x), relu(z.y), relu(z.z), relu(z.w));
  store4(w.outputs + at, z);
}

template <int groups, bool gated>
__device__ void forward_tile(ForwardMemory& m, const Forward& op, const Slab& s, int panel,
                             const ForwardTile& t) {
  const Place<groups> p = place_of<groups>(t.width);
  const bool busy = t.first + static_cast<int>(threadIdx.x) / 32 * kWarpRows < t.rows;
  float z[kThreadRows][4 * groups] = {};
  load_chunk<gated>(m, 0, t, 0);
  for (int k0 = 0, buffer = 0; k0 < t.fan_in; k0 += kChunk, buffer ^= 1) {
    simt::cp_async_wait<0>();
    // Without it a thread would multiply values that another thread's copies have not brought yet, and the
    // copies started below would overwrite the other buffer while slow warps still read the previous chunk
    // from it.
    __syncthreads();
    if (k0 + kChunk < t.fan_in) load_chunk<gated>(m, buffer ^ 1, t, k0 + kChunk);
    if (busy) multiply_chunk<groups, gated>(z, m, buffer, p);
  }
  const float* bias = op.parameters + s.bias + panel * kPanelWidth;
  const std::int64_t base = panel_rows(s, panel);
#pragma unroll
  for (int q = 0; q < groups; ++q) {
    const int column = static_cast<int>(threadIdx.x) % kLaneColumns * 4 + 32 * q;
    if (column >= t.width) continue;
#pragma unroll
    for (int i = 0; i < kThreadRows; ++i) {
      const int b = t.first + p.row + kLaneRows * i;
      if (b >= t.rows) continue;
      finish(op.workspace, s, base + static_cast<std::int64_t>(b) * row_stride(s) + column, bias + column,
             make_float4(z[i][4 * q], z[i][4 * q + 1], z[i][4 * q + 2], z[i][4 * q + 3]));
    }
  }
}

/// `hidden_only`: leave the slabs that read the data to somebody else.
__global__ void __launch_bounds__(kTileThreads) forward_kernel(Forward op, bool hidden_only) {
  __shared__ __align__(16) ForwardMemory m;
  const Tile tile = op.tiles[blockIdx.x];
  const Slab& s = op.slabs[tile.slab];
  const int rows = batch_of(op.workspace, s).rows;
  if (tile.row >= rows || (hidden_only && s.input < 0)) return;
  const ForwardTile t{inputs_of(op.workspace, op.slabs, s, op.gates),
                      op.parameters + panel_weights(s, tile.panel),
                      s.fan_in,
                      panel_width(s, tile.panel),
                      tile.row,
                      rows};
  if (t.width > 32)
    t.x.gates ? forward_tile<2, true>(m, op, s, tile.panel, t)
              : forward_tile<2, false>(m, op, s, tile.panel, t);
  else
    t.x.gates ? forward_tile<1, true>(m, op, s, tile.panel, t)
              : forward_tile<1, false>(m, op, s, tile.panel, t);
}

/// One thread per four columns of a row of the tile.
__global__ void __launch_bounds__(kTileThreads) apply_bias_kernel(Forward op) {
  const Tile tile = op.tiles[blockIdx.x];
  const Slab& s = op.slabs[tile.slab];
  const int left = batch_of(op.workspace, s).rows - tile.row, rows = left < kTileRows ? left : kTileRows;
  if (rows <= 0 || s.input >= 0) return;
  const int quads = panel_width(s, tile.panel) / 4;
  const std::int64_t base = panel_rows(s, tile.panel);
  for (int i = threadIdx.x; i < rows * quads; i += kTileThreads) {
    const int b = tile.row + i / quads, column = i % quads * 4;
    const std::int64_t at = base + static_cast<std::int64_t>(b) * row_stride(s) + column;
    finish(op.workspace, s, at, op.parameters + s.bias + tile.panel * kPanelWidth + column,
           load4(op.workspace.outputs + at));
  }
}

void launch_forward(const Forward& op, bool hidden_only, void* stream) {
  if (op.tile_count == 0) return;
  check(simt::launch(dim3(op.tile_count), dim3(kTileThreads), 0, stream_of(stream), forward_kernel, op,
                     hidden_only),
        "forward");
}

}  // namespace

void forward(const Forward& op, void* stream) { launch_forward(op, false, stream); }
void forward_hidden(const Forward& op, void* stream) { launch_forward(op, true, stream); }

void apply_bias(const Forward& op, void* stream) {
  if (op.tile_count == 0) return;
  check(simt::launch(dim3(op.tile_count), dim3(kTileThreads), 0, stream_of(stream), apply_bias_kernel, op),
        "apply_bias");
}

}  // namespace shoal::KERNEL_NS
