#include "engine/gradients.h"

#include "engine/driver.h"
#include "engine/initialize.h"

namespace shoal {
namespace {

/// A layer's gates out of the arrays of a wave.
GateGradients gates_of(const Wave& wave, std::size_t n, const StepGradients& step) {
  const GateLayer& l = wave.gates[n];
  const auto first = static_cast<std::size_t>(l.neuron), neurons = static_cast<std::size_t>(l.neurons);
  const auto part = [&](const std::vector<float>& array, std::size_t count) {
    const auto begin = array.begin() + static_cast<std::ptrdiff_t>(first);
    return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
  GateGradients g;
  g.kind = l.kind;
  g.parameters = part(wave.gate.parameters, has_size(l.kind) ? 2 : neurons);
  g.gates = part(step.gates, neurons);
  if (learns(l.kind))
    g.gradients = part(step.learned, l.kind == GateKind::random_size ? 1 : has_size(l.kind) ? 2 : neurons);
  if (l.kind == GateKind::random_size)
    g.slope = static_cast<double>(gate_slope(l, wave.gate.parameters.data(), 1));
  if (l.kind == GateKind::hard_concrete)
    for (int i = 0; i < l.neurons; ++i)
      g.uniform.push_back(static_cast<double>(gate_uniform(l, l.neurons + i)));
  return g;
}

}  // namespace

ModelGradients gradients_of(const ModelSpec& model, LossKind loss, const Task& task,
                            const MachineSpec& machine, std::span<const LayerWeights> start) {
  RunSpec run;
  run.models = {model};
  run.models[0].id = model_id(model, task.shape);  // its own weights and random numbers
  run.models[0].batch = static_cast<int>(task.train.count);
  for (GateSpec& g : run.models[0].gates) g.begin = 0;
  run.loss = loss, run.neuron_moments = false, run.machine = machine;
  validate(run.models[0], task.shape);
  const std::vector<std::int64_t> all{0};
  Wave wave = make_wave(all, run, task,
                        [&](std::int64_t) { return std::vector<LayerWeights>(start.begin(), start.end()); });
  const bool on_device = machine.kind != MachineSpec::Kind::cpu;
  const auto driver =
      on_device ? device_driver(wave, run, task, open_device(machine)) : cpu_driver(wave, run, task);
  const StepGradients step = driver->gradients();
  ModelGradients g;
  g.weights = get_weights(wave.layout, 0, wave.parameters.data());
  g.gradients = get_weights(wave.layout, 0, step.parameters.data());
  g.loss = step.loss[0];
  if (!wave.gates.empty()) g.gates.resize(model.hidden.size());
  for (std::size_t n = 0; n < wave.gates.size(); ++n)
    g.gates[static_cast<std::size_t>(wave.layout.gates[n].layer)] = gates_of(wave, n, step);
  return g;
}

}  // namespace shoal
