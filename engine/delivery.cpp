#include "engine/delivery.h"

#include <algorithm>

#include "engine/initialize.h"
#include "engine/shrink.h"

namespace shoal {
namespace {

/// Moments of g r from those of r.
Moments scaled(Moments m, float g) {
  if (m.count == 0.0 || g == 1.0f) return m;
  m.mean *= g, m.squares *= static_cast<double>(g) * g;
  if (g == 0.0f) m.zeros = m.count;
  const float ends[2] = {m.min * g, m.max * g};
  m.min = std::min(ends[0], ends[1]), m.max = std::max(ends[0], ends[1]);
  return m;
}

/// Of a neuron that is not there any more: zeros.
Moments silent(double count) {
  Moments m = empty_moments();
  m.count = m.zeros = count, m.min = m.max = 0.0f;
  return m;
}

/// Gates into the results, and into the moments of the neurons' outputs.
void deliver_gates(const Wave& wave, std::vector<Moments>& moments, const Delivery& to) {
  for (std::size_t n = 0; n < wave.gates.size(); ++n) {
    const GateLayer& l = wave.gates[n];
    const auto m = static_cast<std::size_t>(wave.models[static_cast<std::size_t>(l.model)]);
    std::vector<GateResult>& results = to.results[m].gates;
    results.resize(to.spec.models[m].hidden.size());
    GateResult& r = results[static_cast<std::size_t>(wave.layout.gates[n].layer)];
    r.kind = l.kind, r.size = gate_size(l, wave.gate);
    const std::vector<float> gates = evaluation_gates(l, wave.gate, to.spec.epochs);
    const float* learned = wave.gate.parameters.data() + l.neuron;
    const auto layer = static_cast<std::size_t>(wave.layout.gates[n].layer);
    const std::vector<int>& kept = wave.kept[static_cast<std::size_t>(l.model)][layer];
    const auto width = static_cast<std::size_t>(to.spec.models[m].hidden[layer]);
    r.gates.assign(width, 0.0f);
    r.parameters.assign(has_size(l.kind) ? 2 : width, 0.0f);
    if (has_size(l.kind)) r.parameters = {learned[0], learned[1]};
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const auto neuron = static_cast<std::size_t>(kept[i]);
      r.gates[neuron] = gates[i];
      if (!has_size(l.kind)) r.parameters[neuron] = learned[i];
      if (to.spec.moments_before_relu) continue;
      Moments& of_neuron = moments[static_cast<std::size_t>(l.neuron) + i];
      of_neuron = scaled(of_neuron, gates[i]);
    }
  }
}

/// Row i of the weights behind a gated layer times g_i.
void fold(std::span<const GateResult> gates, std::span<LayerWeights> layers) {
  for (std::size_t l = 0; l < gates.size(); ++l) {
    LayerWeights& reader = layers[l + 1];
    const auto fan_in = static_cast<std::size_t>(reader.inputs);
    if (gates[l].kind == GateKind::none) continue;
    for (std::size_t at = 0; at < reader.weight.size(); ++at)
      reader.weight[at] *= gates[l].gates[at % fan_in];
  }
}

/// Moments of the neurons that are left, each at its own place in the model's layers.
void deliver_moments(const Wave& wave, std::size_t m, std::span<const Moments> moments, const Delivery& to) {
  const auto model = static_cast<std::size_t>(wave.models[m]);
  const std::vector<ModelLayer>& layers = wave.layout.layers[m];
  for (std::size_t l = 0; l + 1 < layers.size(); ++l) {
    const auto first = static_cast<std::size_t>(
        wave.layout.slabs[static_cast<std::size_t>(layers[l].slab)].neuron + layers[l].column);
    std::vector<Moments>& neurons =
        to.results[model].neurons.emplace_back(static_cast<std::size_t>(to.spec.models[model].hidden[l]),
                                               silent(static_cast<double>(to.train_count)));
    const std::vector<int>& kept = wave.kept[m][l];
    for (std::size_t i = 0; i < kept.size(); ++i)
      neurons[static_cast<std::size_t>(kept[i])] = moments[first + i];
  }
}

void deliver_weights(const Wave& wave, std::size_t m, const Delivery& to) {
  if (!to.hooks.weights && !to.hooks.unfolded_weights) return;
  const auto model = static_cast<std::size_t>(wave.models[m]);
  auto layers = at_full_size(get_weights(wave.layout, static_cast<std::int64_t>(m), wave.parameters.data()),
                             wave.kept[m], to.spec.models[model]);
  if (to.hooks.unfolded_weights) to.hooks.unfolded_weights(wave.models[m], layers);
  fold(to.results[model].gates, layers);
  if (to.hooks.weights) to.hooks.weights(wave.models[m], layers);
}

}  // namespace

void deliver(const Wave& wave, std::vector<Moments>& moments, const Delivery& to) {
  deliver_gates(wave, moments, to);
  for (std::size_t m = 0; m < wave.models.size(); ++m) {
    deliver_weights(wave, m, to);
    if (to.spec.neuron_moments) deliver_moments(wave, m, moments, to);
  }
}

}  // namespace shoal
