// Update on the CPU: see kernels/ops.h. The gradient of a few rows is computed into a small buffer, and the
// update rule is applied from there: dW is never stored whole, and weights and optimizer state are touched
// once a step.
#include "kernels/cpu/level.h"
#include "kernels/cpu/product.h"

namespace shoal::SHOAL_LEVEL {
namespace {

/// Where one panel's parameters are, and which models its blocks of 16 columns belong to.
struct PanelState {
  float *w, *a, *b, *top;  // parameters and slots at the panel's first weight
  const int* models;       // [width / 16]
  const StepCoefficients* coefficients;
  float* gradients;  // instead of an update; may be null
};

SHOAL_INLINE bool is_penalised(const StepCoefficients& c) {
  return c.l1 != 0.0f || c.l2 != 0.0f || c.keep != 1.0f;
}

template <UpdateRule rule>
SHOAL_INLINE void update_vector(const PanelState& p, const StepCoefficients& c, long at, V g) {
  constexpr int kSlots = slot_count(rule);
  V w = load(p.w + at), a = 0.0f, b = 0.0f, top = 0.0f;
  if constexpr (kSlots > 0) a = load(p.a + at);
  if constexpr (kSlots > 1) b = load(p.b + at);
  if constexpr (kSlots > 2) top = load(p.top + at);
  if (is_penalised(c)) {
    apply_update<rule, true>(w, a, b, top, g, c);
  } else {
    apply_update<rule, false>(w, a, b, top, g, c);
  }
  store(p.w + at, w);
  if constexpr (kSlots > 0) store(p.a + at, a);
  if constexpr (kSlots > 1) store(p.b + at, b);
  if constexpr (kSlots > 2) store(p.top + at, top);
}

template <UpdateRule rule>
SHOAL_INLINE void apply(const PanelState& p, int column, long at, V g) {
  if (p.gradients) return store(p.gradients + at, g);
  const StepCoefficients& c = p.coefficients[p.models[column / kBlockWidth]];
  if (c.active == kTrains) update_vector<rule>(p, c, at, g);
}

template <UpdateRule rule>
void update_weights(const Update& op, const Slab& s, int panel, const PanelState& p) {
  const Workspace& w = op.workspace;
  const int rows = batch_of(w, s).rows, width = panel_width(s, panel), stride = row_stride(s);
  const float* dz = w.deltas + s.outputs + panel * panel_stride(s);
  const Factor x = inputs_of(w, op.slabs, s);
  const float* gates = gates_of(op.gates, op.slabs, s);
  float* partials =
      op.partials && s.partials >= 0
          ? op.partials + s.partials + panel * static_cast<long>(round_up(s.fan_in, kBlockWidth))
          : nullptr;
  if (partials)
    for (int k = 0; k < s.fan_in; ++k) partials[k] = 0.0f;
  // Rows of the result are inputs: one run of them for data, one per panel of 64 for a layer below.
  for (int first = 0; first < s.fan_in; first += x.segment) {
    const Factor xt{x.base + (first / x.segment) * x.segment_stride, 1, x.row, rows, 0};
    const int count = smaller(x.segment, s.fan_in - first);
    product(xt, dz, stride, rows, count, width, [&](int k, int column, V g) {
      const long at = static_cast<long>(first + k) * width + column;
      // <W_k, P_k>: W is still that of this step.
      if (partials) partials[first + k] += sum_of(g * load(p.w + at));
      if (gates) g *= V(gates[first + k]);
      apply<rule>(p, column, at, g);
    });
  }
}

template <UpdateRule rule>
void update_bias(const Update& op, const Slab& s, int panel, const PanelState& p) {
  const Workspace& w = op.workspace;
  const int rows = batch_of(w, s).rows, width = panel_width(s, panel), stride = row_stride(s);
  const float* dz = w.deltas + s.outputs + panel * panel_stride(s);
  for (int column = 0; column < width; column += kLanes) {
    V g = 0.0f;
    for (int row = 0; row < rows; ++row) g += load(dz + row * stride + column);
    apply<rule>(p, column, column, g);
  }
}

/// Whether anything is to be done for a panel: weights that move, or sums for gates.
bool is_wanted(const Update& op, const Slab& s, int panel, const int* models) {
  if (op.gradients) return true;
  for (int block = 0; block < panel_width(s, panel) / kBlockWidth; ++block) {
    const int active = op.coefficients[models[block]].active;
    if (active == kTrains || (active == kGatesOnly && op.partials && s.partials >= 0)) return true;
  }
  return false;
}

template <UpdateRule rule>
void update_slab(const Update& op, const Slab& s) {
  const auto at = [](float* base, long offset) { return base ? base + offset : nullptr; };
  for (int panel = 0; panel < panel_count(s); ++panel) {
    const int* models = op.block_model + s.block + panel * (kPanelWidth / kBlockWidth);
    if (!is_wanted(op, s, panel, models)) continue;
    const auto state = [&](long offset) {
      return PanelState{at(op.parameters, offset),
                        at(op.slot_a, offset),
                        at(op.slot_b, offset),
                        at(op.slot_c, offset),
                        models,
                        op.coefficients,
                        at(op.gradients, offset)};
    };
    update_weights<rule>(op, s, panel, state(panel_weights(s, panel)));
    update_bias<rule>(op, s, panel, state(s.bias + panel * kPanelWidth));
  }
}

}  // namespace

void update(const Update& op, void*) {
  for (int i = 0; i < op.slab_count; ++i) {
    const Slab& s = op.slabs[i];
    if (batch_of(op.workspace, s).rows == 0) continue;
    switch (static_cast<UpdateRule>(s.rule)) {
      case UpdateRule::sgd: update_slab<UpdateRule::sgd>(op, s); break;
      case UpdateRule::momentum: update_slab<UpdateRule::momentum>(op, s); break;
      case UpdateRule::nesterov: update_slab<UpdateRule::nesterov>(op, s); break;
      case UpdateRule::adam: update_slab<UpdateRule::adam>(op, s); break;
      case UpdateRule::adamax: update_slab<UpdateRule::adamax>(op, s); break;
      case UpdateRule::amsgrad: update_slab<UpdateRule::amsgrad>(op, s); break;
    }
  }
}

}  // namespace shoal::SHOAL_LEVEL
