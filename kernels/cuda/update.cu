// Update (kernels/ops.h): a block computes the gradient of 128 inputs x one panel, the sum over the samples
// in chunks of 16, and applies the update rule to it from registers.
//
// Letters: b sample, k input, n column of the panel. Each gradient is one chain of fmaf in the order of b.
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

struct UpdateMemory {
  float x[2][kChunk][kTileRows];
  float dz[2][kChunk][kTileColumns];
};

struct UpdateTile {
  Inputs x;
  const float* dz;  // row 0 of the panel
  int dz_row;
  int k0, fan_in;  // the tile's first input
  int panel, width, rows;
};

/// Starts copying samples b0 .. b0+15 into one of the two buffers; samples behind the batch and inputs behind
/// fan_in become 0.
__device__ __forceinline__ void load_chunk(UpdateMemory& m, int buffer, const UpdateTile& t, int b0) {
  const int thread = threadIdx.x;
  const int column = thread % 32 * 4, k = t.k0 + column;
  const float* x = t.x.at(0, k);
  for (int i = 0; i < kTileRows * kChunk / 4 / kTileThreads; ++i) {
    const int row = thread / 32 + i * (kTileThreads / 32), b = b0 + row;
    copy4(&m.x[buffer][row][column], x + static_cast<std::int64_t>(b) * t.x.row, b < t.rows && k < t.fan_in);
  }
  const int n = thread % 16 * 4;
  for (int i = 0; i < kChunk * kTileColumns / 4 / kTileThreads; ++i) {
    const int row = thread / 16 + i * (kTileThreads / 16), b = b0 + row;
    if (n < t.width)
      copy4(&m.dz[buffer][row][n], t.dz + static_cast<std::int64_t>(b) * t.dz_row + n, b < t.rows);
  }
  simt::cp_async_commit();
}

/// A thread's results: inputs row + 0..3 and row + 16 + 0..3, columns column[q] + 0..3.
template <int groups>
__device__ __forceinline__ void multiply_chunk(float (&dw)[kThreadRows][4 * groups], const UpdateMemory& m,
                                               int buffer, int row, const int (&column)[groups]) {
#pragma unroll
  for (int b = 0; b < kChunk; ++b) {
    __align__(16) float x[kThreadRows], dz[4 * groups];
    store4(x, load4(&m.x[buffer][b][row]));
    store4(x + 4, load4(&m.x[buffer][b][row + 16]));
#pragma unroll
    for (int q = 0; q < groups; ++q) store4(dz + 4 * q, load4(&m.dz[buffer][b][column[q]]));
#pragma unroll
    for (int i = 0; i < kThreadRows; ++i)
#pragma unroll
      for (int j = 0; j < 4 * groups; ++j) dw[i][j] = fmaf(x[i], dz[j], dw[i][j]);
  }
}

__device__ __forceinline__ const StepCoefficients& coefficients_of(const Update& op, const Slab& s, int panel,
                                                                   int column) {
  return op.coefficients[op.block_model[s.block + (panel * kPanelWidth + column) / kBlockWidth]];
}

/// The rule on parameter `at` and its slots.
template <UpdateRule rule>
__device__ __forceinline__ void update_one(const Update& op, std::int64_t at, float g,
                                           const StepCoefficients& c) {
  float w = op.parameters[at], a = 0.0f, b = 0.0f, top = 0.0f;
  if (slot_count(rule) > 0) a = op.slot_a[at];
  if (slot_count(rule) > 1) b = op.slot_b[at];
  if (slot_count(rule) > 2) top = op.slot_c[at];
  apply_update<rule>(w, a, b, top, g, c);
  op.parameters[at] = w;
  if (slot_count(rule) > 0) op.slot_a[at] = a;
  if (slot_count(rule) > 1) op.slot_b[at] = b;
  if (slot_count(rule) > 2) op.slot_c[at] = top;
}

/// The same on four neighbouring parameters.
template <UpdateRule rule>
__device__ __forceinline__ void update_four(const Update& op, std::int64_t at, const float* g,
                                            const StepCoefficients& c) {
  __align__(16) float w[4], a[4] = {}, b[4] = {}, top[4] = {};
  store4(w, load4(op.parameters + at));
  if (slot_count(rule) > 0) store4(a, load4(op.slot_a + at));
  if (slot_count(rule) > 1) store4(b, load4(op.slot_b + at));
  if (slot_count(rule) > 2) store4(top, load4(op.slot_c + at));
#pragma unroll
  for (int j = 0; j < 4; ++j) apply_update<rule>(w[j], a[j], b[j], top[j], g[j], c);
  store4(op.parameters + at, load4(w));
  if (slot_count(rule) > 0) store4(op.slot_a + at, load4(a));
  if (slot_count(rule) > 1) store4(op.slot_b + at, load4(b));
  if (slot_count(rule) > 2) store4(op.slot_c + at, load4(top));
}

template <int groups>
struct Result {
  __align__(16) float dw[kThreadRows][4 * groups];
  float db;  // of column threadIdx.x; only in the tile of the first inputs
};

/// Calls four(at, column, g) for each of the thread's runs of four columns and one(at, column, g) for its
/// bias.
template <int groups, class Four, class One>
__device__ __forceinline__ void for_results(const Slab& s, const UpdateTile& t, Result<groups>& r, Four four,
                                            One one) {
  const int lane = threadIdx.x % 32,
            row = static_cast<int>(threadIdx.x) / 32 * kWarpRows + lane / kLaneColumns * 4;
  const std::int64_t weights = panel_weights(s, t.panel);
#pragma unroll
  for (int q = 0; q < groups; ++q) {
    const int column = lane % kLaneColumns * 4 + 32 * q;
    if (column >= t.width) continue;
#pragma unroll
    for (int i = 0; i < kThreadRows; ++i) {
      const int k = t.k0 + row + i % 4 + i / 4 * 16;
      if (k < t.fan_in)
        four(weights + static_cast<std::int64_t>(k) * t.width + column, column, &r.dw[i][4 * q]);
    }
  }
  const int column = threadIdx.x;
  if (t.k0 == 0 && column < t.width) one(s.bias + t.panel * kPanelWidth + column, column, r.db);
}

template <UpdateRule rule, int groups>
__device__ __forceinline__ void update_results(const Update& op, const Slab& s, const UpdateTile& t,
                                               Result<groups>& r) {
  for_results(
      s, t, r,
      [&](std::int64_t at, int column, const float* g) {
        const StepCoefficients& c = coefficients_of(op, s, t.panel, column);
        if (c.active == kTrains) update_four<rule>(op, at, g, c);
      },
      [&](std::int64_t at, int column, float g) {
        const StepCoefficients& c = coefficients_of(op, s, t.panel, column);
        if (c.active == kTrains) update_one<rule>(op, at, g, c);
      });
}

template <int groups>
__device__ __forceinline__ void finish(const Update& op, const Slab& s, const UpdateTile& t,
                                       Result<groups>& r) {
  if (op.gradients) {
    for_results(
        s, t, r, [&](std::int64_t at, int, const float* g) { store4(op.gradients + at, load4(g)); },
        [&](std::int64_t at, int, float g) { op.gradients[at] = g; });
    return;
  }
  switch (static_cast<UpdateRule>(s.rule)) {
    case UpdateRule::sgd: return update_results<UpdateRule::sgd>(op, s, t, r);
    case UpdateRule::momentum: return update_results<UpdateRule::momentum>(op, s, t, r);
    case UpdateRule::nesterov: return update_results<UpdateRule::nesterov>(op, s, t, r);
    case UpdateRule::adam: return update_results<UpdateRule::adam>(op, s, t, r);
    case UpdateRule::adamax: return update_results<UpdateRule::adamax>(op, s, t, r);
    case UpdateRule::amsgrad: return update_results<UpdateRule::amsgrad>(op, s, t, r);
  }
}

/// This panel's share of dg for the tile's inputs, <W_k, P_k>: 8 lanes hold a row of P between them. Their
/// sums meet in a fixed tree. Lanes behind the panel's width hold copies of lane 0's work and add nothing.
template <int groups>
__device__ __forceinline__ void sum_gate_gradients(const Update& op, const Slab& s, const UpdateTile& t,
                                                   const Result<groups>& r, int row) {
  const int lane = threadIdx.x % 32;
  const float* weights = op.parameters + panel_weights(s, t.panel);
  float* partials =
      op.partials + s.partials + static_cast<std::int64_t>(t.panel) * round_up(s.fan_in, kBlockWidth);
#pragma unroll
  for (int i = 0; i < kThreadRows; ++i) {
    const int k = t.k0 + row + i % 4 + i / 4 * 16;
    float sum = 0.0f;
    for (int q = 0; q < groups; ++q) {
      const int column = lane % kLaneColumns * 4 + 32 * q;
      if (column >= t.width || k >= t.fan_in) continue;
      const float4 w = load4(weights + static_cast<std::int64_t>(k) * t.width + column);
      const float* p = &r.dw[i][4 * q];
      sum = fmaf(w.x, p[0], sum), sum = fmaf(w.y, p[1], sum);
      sum = fmaf(w.z, p[2], sum), sum = fmaf(w.w, p[3], sum);
    }
    for (int distance = kLaneColumns / 2; distance > 0; distance /= 2)
      sum += __shfl_xor_sync(0xffffffffu, sum, distance);
    if (lane % kLaneColumns == 0 && k < t.fan_in) partials[k] = sum;
  }
}

/// groups = 2 serves panels of up to 64 columns, 1 of up to 32.
template <int groups>
__device__ void update_tile(UpdateMemory& m, const Update& op, const Slab& s, const UpdateTile& t) {
  const int lane = threadIdx.x % 32, warp_row = static_cast<int>(threadIdx.x) / 32 * kWarpRows;
  const int row = warp_row + lane / kLaneColumns * 4;
  int column[groups];
#pragma unroll
  for (int q = 0; q < groups; ++q) {
    const int n = lane % kLaneColumns * 4 + 32 * q;
    column[q] =
        n < t.width ? n : 0;  // lanes behind the panel's width do lane 0's work again, and do not store it
  }
  const bool busy = t.k0 + warp_row < t.fan_in;
  const bool sums_bias = t.k0 == 0 && static_cast<int>(threadIdx.x) < t.width;
  Result<groups> r{};
  load_chunk(m, 0, t, 0);
  for (int b0 = 0, buffer = 0; b0 < t.rows; b0 += kChunk, buffer ^= 1) {
    simt::cp_async_wait<0>();
    // Without it a thread would multiply values that another thread's copies have not brought yet, and the
    // copies started below would overwrite the other buffer while slow warps still read the previous chunk
    // from it.
    __syncthreads();
    if (b0 + kChunk < t.rows) load_chunk(m, buffer ^ 1, t, b0 + kChunk);
    if (busy) multiply_chunk<groups>(r.dw, m, buffer, row, column);
    if (sums_bias)
      for (int b = 0; b < kChunk; ++b) r.db += m.dz[buffer][b][threadIdx.x];
  }
  if (op.partials && s.partials >= 0) sum_gate_gradients<groups>(op, s, t, r, row);
  if (t.x.gates) {
#pragma unroll
    for (int i = 0; i < kThreadRows; ++i) {
      const int k = t.k0 + row + i % 4 + i / 4 * 16;
      const float g = k < t.fan_in ? t.x.gates[k] : 0.0f;
#pragma unroll
      for (int j = 0; j < 4 * groups; ++j) r.dw[i][j] *= g;
    }
  }
  finish(op, s, t, r);
}

/// Nothing to do for a panel whose models are all frozen, or rest and have no gates below.
__device__ __forceinline__ bool any_active(const Update& op, const Slab& s, const UpdateTile& t) {
  if (op.gradients) return true;
  const bool sums = op.partials && s.partials >= 0;
  for (int column = 0; column < t.width; column += kBlockWidth) {
    const int active = coefficients_of(op, s, t.panel, column).active;
    if (active == kTrains || (active == kGatesOnly && sums)) return true;
  }
  return false;
}

__global__ void __launch_bounds__(kTileThreads) update_kernel(Update op) {
  __shared__ __align__(16) UpdateMemory m;
  const Tile tile = op.tiles[blockIdx.x];
  const Slab& s = op.slabs[tile.slab];
  const UpdateTile t{inputs_of(op.workspace, op.slabs, s, op.gates),
                     op.workspace.deltas + panel_rows(s, tile.panel),
                     row_stride(s),
                     tile.row,
                     s.fan_in,
                     tile.panel,
                     panel_width(s, tile.panel),
                     batch_of(op.workspace, s).rows};
  if (t.rows == 0 || !any_active(op, s, t)) return;
  if (t.width > 32) update_tile<2>(m, op, s, t);
  else update_tile<1>(m, op, s, t);
}

}  // namespace

void update(const Update& op, void* stream) {
  if (op.tile_count == 0) return;
  check(simt::launch(dim3(op.tile_count), dim3(kTileThreads), 0, stream_of(stream), update_kernel, op),
        "update");
}

}  // namespace shoal::KERNEL_NS
