// SetGates and UpdateGates on the CPU: see kernels/ops.h. A few numbers a neuron and step: compiled once.
#include "kernels/cpu/plain_ops.h"

namespace shoal::cpu {
namespace {

/// dg_i: the panels' shares in order.
float gate_gradient(const float* partials, const Slab& s, int i) {
  const std::int64_t stride = round_up(s.fan_in, kBlockWidth);
  float sum = 0.0f;
  for (int p = 0; p < panel_count(s); ++p) sum += partials[s.partials + p * stride + i];
  return sum;
}

void update_size(const UpdateGates& op, const GateLayer& l, std::int64_t step) {
  const float* parameters = op.state.parameters;
  const float slope = gate_slope(l, parameters, step);
  SizeTerms sum{0.0, 0.0};
  for (int i = 0; i < l.neurons; ++i) {
    const float dg = gate_gradient(op.partials, op.slabs[l.slab], i);
    const SizeTerms term = size_terms(l, parameters, i, slope, dg);
    sum.by_x0 += term.by_x0, sum.by_k += term.by_k;
  }
  finish_size(l, op.state, op.gradients, sum, slope, step);
}

void update_neurons(const UpdateGates& op, const GateLayer& l, std::int64_t step) {
  const StepCoefficients c = gate_coefficients(l, step, 0);
  for (int i = 0; i < l.neurons; ++i) {
    const float dg = gate_gradient(op.partials, op.slabs[l.slab], i);
    if (op.gradients) {
      op.gradients[l.neuron + i] = neuron_gate_gradient(l, op.state.parameters[l.neuron + i], i, dg, step);
    } else {
      step_neuron_gate(l, op.state, i, dg, step, c);
    }
  }
}

}  // namespace

void set_gates(const SetGates& op, void*) {
  for (int n = 0; n < op.layer_count; ++n) {
    const GateLayer& l = op.layers[n];
    const std::int64_t step = op.coefficients ? op.coefficients[l.model].step : 0;
    const bool work = op.coefficients ? gates_work(l, step) : gates_work_after(l, op.epochs);
    const float slope = has_size(l.kind) ? gate_slope(l, op.parameters, step) : 0.0f;
    for (int i = 0; i < l.neurons; ++i)
      op.gates[l.neuron + i] = work ? gate_value(l, op.parameters, i, slope, step) : 1.0f;
  }
}

void update_gates(const UpdateGates& op, void*) {
  for (int n = 0; n < op.layer_count; ++n) {
    const GateLayer& l = op.layers[n];
    const StepCoefficients& c = op.coefficients[l.model];
    const bool rests = op.batches[op.slabs[l.slab].group].rows == 0;
    if (!learns(l.kind) || !c.active || rests || !gates_work(l, c.step)) continue;
    if (has_size(l.kind)) update_size(op, l, c.step);
    else update_neurons(op, l, c.step);
  }
}

}  // namespace shoal::cpu
