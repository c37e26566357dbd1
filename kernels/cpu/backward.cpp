// Backward on the CPU: see kernels/ops.h.
#include "kernels/cpu/level.h"
#include "kernels/cpu/product.h"

namespace shoal::SHOAL_LEVEL {
namespace {

/// scratch[n][k] = g_k W[first + k][n] for the slab's real neurons n and k = 0 .. count, zero up to `width`.
void transpose_weights(const float* parameters, const Slab& s, const float* gates, int first, int count,
                       int width, float* scratch) {
  for (int p = 0; p < panel_count(s); ++p) {
    const int panel = panel_width(s, p), real = smaller(panel, s.width - p * kPanelWidth);
    const float* weights = parameters + panel_weights(s, p) + static_cast<long>(first) * panel;
    float* out = scratch + static_cast<long>(p) * kPanelWidth * width;
    for (int n = 0; n < real; ++n) {
      for (int k = 0; k < count; ++k)
        out[n * width + k] = gates ? gates[first + k] * weights[k * panel + n] : weights[k * panel + n];
      for (int k = count; k < width; ++k) out[n * width + k] = 0.0f;
    }
  }
}

void backward_slab(const Backward& op, const Slab& s) {
  const Workspace& w = op.workspace;
  const int rows = batch_of(w, s).rows;
  if (rows == 0 || s.input < 0) return;
  const Slab& in = op.slabs[s.input];
  const float* gates = gates_of(op.gates, op.slabs, s);
  const Factor dz{w.deltas + s.outputs, row_stride(s), 1, kPanelWidth, static_cast<long>(panel_stride(s))};
  for (int first = 0; first < s.fan_in; first += kPanelWidth) {
    const int count = smaller(kPanelWidth, s.fan_in - first), width = round_up(count, kBlockWidth);
    transpose_weights(op.parameters, s, gates, first, count, width, w.scratch);
    const int column0 = s.input_column + first, stride = row_stride(in);
    const long offset = in.outputs + (column0 / kPanelWidth) * panel_stride(in) + column0 % kPanelWidth;
    const float* r_in = w.outputs + offset;
    float* dz_in = w.deltas + offset;
    product(dz, w.scratch, width, s.width, rows, width, [&](int row, int column, V dr) {
      V d = 0.0f;
      stdx::where(load(r_in + row * stride + column) > V(0.0f), d) = dr;
      store(dz_in + row * stride + column, d);
    });
  }
}

}  // namespace

void backward(const Backward& op, void*) {
  // Last to first: a slab stands behind its input, and its deltas must be there before it passes them down.
  for (int i = op.slab_count - 1; i >= 0; --i) backward_slab(op, op.slabs[i]);
}

}  // namespace shoal::SHOAL_LEVEL
