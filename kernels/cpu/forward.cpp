// Forward on the CPU: see kernels/ops.h.
#include "kernels/cpu/level.h"
#include "kernels/cpu/product.h"

namespace shoal::SHOAL_LEVEL {
namespace {

/// Row k of a panel times the gate of input k, into scratch.
const float* gated(const float* weights, const float* gates, int fan_in, int width, float* scratch) {
  for (int k = 0; k < fan_in; ++k)
    for (int n = 0; n < width; n += kLanes)
      store(scratch + k * width + n, V(gates[k]) * load(weights + k * width + n));
  return scratch;
}

void forward_slab(const Forward& op, const Slab& s) {
  const Workspace& w = op.workspace;
  const int rows = batch_of(w, s).rows;
  if (rows == 0) return;
  const Factor x = inputs_of(w, op.slabs, s);
  const float* gates = gates_of(op.gates, op.slabs, s);
  for (int p = 0; p < panel_count(s); ++p) {
    const int width = panel_width(s, p), stride = row_stride(s);
    const float* weights = op.parameters + panel_weights(s, p);
    if (gates) weights = gated(weights, gates, s.fan_in, width, w.scratch);
    const float* bias = op.parameters + s.bias + p * kPanelWidth;
    const long offset = s.outputs + p * panel_stride(s);
    float* out = w.outputs + offset;
    float* z_out = w.preactivations ? w.preactivations + offset : nullptr;
    product(x, weights, width, s.fan_in, rows, width, [&](int row, int column, V sum) {
      const V z = sum + load(bias + column);
      store(out + row * stride + column, s.is_output ? z : relu(z));
      if (z_out) store(z_out + row * stride + column, z);
    });
  }
}

}  // namespace

void forward(const Forward& op, void*) {
  for (int i = 0; i < op.slab_count; ++i) forward_slab(op, op.slabs[i]);
}

}  // namespace shoal::SHOAL_LEVEL
