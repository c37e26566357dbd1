// SetGates and UpdateGates (kernels/ops.h): a block per gated layer, its threads share the neurons. Sums over
// the neurons are double, in a fixed tree.
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) set_gates_kernel(SetGates op) {
  const GateLayer& l = op.layers[blockIdx.x];
  const std::int64_t step = op.coefficients ? op.coefficients[l.model].step : 0;
  const bool work = op.coefficients ? gates_work(l, step) : gates_work_after(l, op.epochs);
  const float slope = has_size(l.kind) ? gate_slope(l, op.parameters, step) : 0.0f;
  for (int i = threadIdx.x; i < l.neurons; i += kThreads)
    op.gates[l.neuron + i] = work ? gate_value(l, op.parameters, i, slope, step) : 1.0f;
}

/// dg_i: the panels' shares in order.
__device__ __forceinline__ float gate_gradient(const float* partials, const Slab& s, int i) {
  const std::int64_t stride = round_up(s.fan_in, kBlockWidth);
  float sum = 0.0f;
  for (int p = 0; p < panel_count(s); ++p) sum += partials[s.partials + p * stride + i];
  return sum;
}

struct SizeMemory {
  double by_x0[kThreads], by_k[kThreads];
};

__device__ void update_size(SizeMemory& m, const UpdateGates& op, const GateLayer& l, std::int64_t step) {
  const int thread = threadIdx.x;
  const float slope = gate_slope(l, op.state.parameters, step);
  SizeTerms sum{0.0, 0.0};
  for (int i = thread; i < l.neurons; i += kThreads) {
    const float dg = gate_gradient(op.partials, op.slabs[l.slab], i);
    const SizeTerms term = size_terms(l, op.state.parameters, i, slope, dg);
    sum.by_x0 += term.by_x0, sum.by_k += term.by_k;
  }
  m.by_x0[thread] = sum.by_x0, m.by_k[thread] = sum.by_k;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    // Without it a thread would add a sum that its owner has not written yet.
    __syncthreads();
    if (thread < half) m.by_x0[thread] += m.by_x0[thread + half], m.by_k[thread] += m.by_k[thread + half];
  }
  // The barriers above have let every thread read x0 and k before they change.
  if (thread == 0) finish_size(l, op.state, op.gradients, {m.by_x0[0], m.by_k[0]}, slope, step);
}

__device__ void update_neurons(const UpdateGates& op, const GateLayer& l, std::int64_t step) {
  const StepCoefficients c = gate_coefficients(l, step, 0);
  for (int i = threadIdx.x; i < l.neurons; i += kThreads) {
    const float dg = gate_gradient(op.partials, op.slabs[l.slab], i);
    if (op.gradients) {
      op.gradients[l.neuron + i] = neuron_gate_gradient(l, op.state.parameters[l.neuron + i], i, dg, step);
    } else {
      step_neuron_gate(l, op.state, i, dg, step, c);
    }
  }
}

__global__ void __launch_bounds__(kThreads) update_gates_kernel(UpdateGates op) {
  __shared__ SizeMemory m;
  const GateLayer& l = op.layers[blockIdx.x];
  const StepCoefficients& c = op.coefficients[l.model];
  const bool rests = op.batches[op.slabs[l.slab].group].rows == 0;
  if (!learns(l.kind) || !c.active || rests || !gates_work(l, c.step)) return;
  if (has_size(l.kind)) update_size(m, op, l, c.step);
  else update_neurons(op, l, c.step);
}

}  // namespace

void set_gates(const SetGates& op, void* stream) {
  if (op.layer_count == 0) return;
  check(simt::launch(dim3(op.layer_count), dim3(kThreads), 0, stream_of(stream), set_gates_kernel, op),
        "set_gates");
}

void update_gates(const UpdateGates& op, void* stream) {
  if (op.layer_count == 0) return;
  check(simt::launch(dim3(op.layer_count), dim3(kThreads), 0, stream_of(stream), update_gates_kernel, op),
        "update_gates");
}

}  // namespace shoal::KERNEL_NS
