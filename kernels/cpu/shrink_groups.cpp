// ShrinkGroups on the CPU: see kernels/ops.h.
#include "kernels/cpu/level.h"
#include "kernels/cpu/simd.h"

namespace shoal::SHOAL_LEVEL {
namespace {

/// Sum of squares of `rows` rows of a panel, per column, in order.
V squares_of(const float* w, int rows, int width) {
  V sum = 0.0f;
  for (int k = 0; k < rows; ++k) {
    const V v = load(w + static_cast<long>(k) * width);
    sum += v * v;
  }
  return sum;
}

/// 1 - shrink / norm, at least 0; a norm of 0 stays one.
V factor_of(V squares, float shrink) {
  const V norm = stdx::sqrt(squares);
  V factor = 0.0f;
  stdx::where(norm > V(shrink), factor) = V(1.0f) - V(shrink) / norm;
  return factor;
}

void shrink_panel(const ShrinkGroups& op, const Slab& s, int panel) {
  const int width = panel_width(s, panel);
  const int* models = op.block_model + s.block + panel * (kPanelWidth / kBlockWidth);
  for (int column = 0; column < width; column += kLanes) {
    const StepCoefficients& c = op.coefficients[models[column / kBlockWidth]];
    if (c.active != kTrains || c.group == 0.0f) continue;
    float* w = op.parameters + panel_weights(s, panel) + column;
    float* bias = op.parameters + s.bias + panel * kPanelWidth + column;
    const V b = load(bias), factor = factor_of(squares_of(w, s.fan_in, width) + b * b, c.group);
    for (int k = 0; k < s.fan_in; ++k, w += width) store(w, factor * load(w));
    store(bias, factor * b);
  }
}

}  // namespace

void shrink_groups(const ShrinkGroups& op, void*) {
  for (int i = 0; i < op.slab_count; ++i) {
    const Slab& s = op.slabs[i];
    if (s.is_output || batch_of(op.workspace, s).rows == 0) continue;
    for (int panel = 0; panel < panel_count(s); ++panel) shrink_panel(op, s, panel);
  }
}

}  // namespace shoal::SHOAL_LEVEL
