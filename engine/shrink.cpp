#include "engine/shrink.h"

#include <algorithm>
#include <numeric>

#include "engine/initialize.h"
#include "engine/safetensors.h"

namespace shoal {
namespace {

/// Whether a gate of this kind that is 0 stays 0.
bool closes_for_good(const GateLayer& l) {
  return l.kind == GateKind::liveness || (l.kind == GateKind::liveness_switch && l.inertia >= 0.0f);
}

/// Places in the present layer of the neurons in `left`, both ascending and in the specification's numbers.
std::vector<int> places_in(const std::vector<int>& present, const std::vector<int>& left) {
  std::vector<int> places;
  for (std::size_t i = 0; i < present.size(); ++i)
    if (std::binary_search(left.begin(), left.end(), present[i])) places.push_back(static_cast<int>(i));
  return places;
}

std::vector<int> all_places(int count) {
  std::vector<int> places(static_cast<std::size_t>(count));
  std::iota(places.begin(), places.end(), 0);
  return places;
}

/// Rows `out` and columns `in` of a layer.
LayerWeights cut(const LayerWeights& layer, const std::vector<int>& in, const std::vector<int>& out) {
  LayerWeights small{static_cast<int>(in.size()), static_cast<int>(out.size()), {}, {}};
  for (const int n : out) {
    const float* row = layer.weight.data() + static_cast<std::int64_t>(n) * layer.inputs;
    for (const int k : in) small.weight.push_back(row[k]);
    small.bias.push_back(layer.bias[static_cast<std::size_t>(n)]);
  }
  return small;
}

/// What a model keeps of each layer of the old wave: places, the data first and the classes last.
std::vector<std::vector<int>> places_of(const Wave& old, std::size_t m, const KeptNeurons& kept) {
  std::vector<std::vector<int>> places{all_places(old.layout.shape.features)};
  for (std::size_t l = 0; l < kept.size(); ++l) places.push_back(places_in(old.kept[m][l], kept[l]));
  places.push_back(all_places(old.layout.shape.classes));
  return places;
}

void move_array(const Wave& old, const AlignedArray<float>& from, const Wave& wave, AlignedArray<float>& to) {
  if (to.size() == 0) return;
  for (std::size_t m = 0; m < wave.specs.size(); ++m) {
    const auto model = static_cast<std::int64_t>(m);
    std::vector<LayerWeights> layers = get_weights(old.layout, model, from.data());
    const auto places = places_of(old, m, wave.kept[m]);
    for (std::size_t l = 0; l < layers.size(); ++l) layers[l] = cut(layers[l], places[l], places[l + 1]);
    put_weights(wave.layout, model, layers, to.data());
  }
}

/// Where each gated layer of a wave begins in the per-neuron arrays, by model and layer.
const GateLayer& gates_at(const Wave& wave, const GatePlace& place) {
  for (std::size_t n = 0; n < wave.gates.size(); ++n)
    if (wave.layout.gates[n].model == place.model && wave.layout.gates[n].layer == place.layer)
      return wave.gates[n];
  throw std::logic_error("a layer has lost its gates");
}

void move_gates(const Wave& old, Wave& wave) {
  for (std::size_t n = 0; n < wave.gates.size(); ++n) {
    const GatePlace& place = wave.layout.gates[n];
    const auto m = static_cast<std::size_t>(place.model), layer = static_cast<std::size_t>(place.layer);
    const std::int64_t from = gates_at(old, place).neuron, to = wave.gates[n].neuron;
    // x0 and k stand at the first two places, whichever neurons are there.
    const std::vector<int> places = has_size(wave.gates[n].kind)
                                        ? all_places(kBlockWidth)
                                        : places_in(old.kept[m][layer], wave.kept[m][layer]);
    const auto move = [&](const std::vector<float>& source, std::vector<float>& target) {
      for (std::size_t i = 0; i < places.size(); ++i)
        target[static_cast<std::size_t>(to) + i] = source[static_cast<std::size_t>(from + places[i])];
    };
    move(old.gate.parameters, wave.gate.parameters);
    move(old.gate.slot_a, wave.gate.slot_a);
    move(old.gate.slot_b, wave.gate.slot_b);
    if (wave.layout.slots > 2) move(old.gate.slot_c, wave.gate.slot_c);
    move(old.gate.sign_mean, wave.gate.sign_mean);
    move(old.gate.sign_variance, wave.gate.sign_variance);
  }
}

}  // namespace

std::optional<Kept> survivors(const Wave& wave) {
  Kept kept = wave.kept;
  bool any = false;
  for (std::size_t n = 0; n < wave.gates.size(); ++n) {
    const GateLayer& l = wave.gates[n];
    const auto m = static_cast<std::size_t>(l.model),
               layer = static_cast<std::size_t>(wave.layout.gates[n].layer);
    if (!wave.specs[m].remove_dead || wave.frozen[m] || !closes_for_good(l)) continue;
    // Until its gates begin a neuron works, whatever its gate will be.
    if (!gates_work_after(l, static_cast<int>(wave.positions.front().epoch))) continue;
    const float* parameters = wave.gate.parameters.data() + l.neuron;
    std::vector<int> alive;
    for (int i = 0; i < l.neurons; ++i) {
      // A strict gate that started below 0 is as shut as one that has come to 0.
      const bool shut = l.kind == GateKind::liveness ? parameters[i] <= 0.0f : parameters[i] == 0.0f;
      if (!shut) alive.push_back(wave.kept[m][layer][static_cast<std::size_t>(i)]);
    }
    if (alive.empty()) alive.push_back(wave.kept[m][layer].front());
    any |= alive.size() < kept[m][layer].size();
    kept[m][layer] = std::move(alive);
  }
  if (!any) return std::nullopt;
  return kept;
}

Wave shrink(const Wave& old, Kept kept, const RunSpec& run, const Task& task) {
  Wave wave = empty_wave(old.models, run, task, std::move(kept));
  move_array(old, old.parameters, wave, wave.parameters);
  move_array(old, old.slot_a, wave, wave.slot_a);
  move_array(old, old.slot_b, wave, wave.slot_b);
  move_array(old, old.slot_c, wave, wave.slot_c);
  move_gates(old, wave);
  wave.positions.assign(wave.positions.size(), old.positions.front());
  wave.loss = old.loss, wave.correct = old.correct;
  wave.frozen = old.frozen, wave.frozen_epoch = old.frozen_epoch;
  return wave;
}

std::vector<LayerWeights> at_full_size(std::span<const LayerWeights> layers, const KeptNeurons& kept,
                                       const ModelSpec& model) {
  std::vector<LayerWeights> full;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerWeights& small = layers[l];
    const int inputs = l == 0 ? small.inputs : model.hidden[l - 1],
              outputs = l < model.hidden.size() ? model.hidden[l] : small.outputs;
    const std::vector<int> in = l == 0 ? all_places(inputs) : kept[l - 1],
                           out = l < kept.size() ? kept[l] : all_places(outputs);
    LayerWeights layer{
        inputs, outputs,
        std::vector<float>(static_cast<std::size_t>(inputs) * static_cast<std::size_t>(outputs)),
        std::vector<float>(static_cast<std::size_t>(outputs))};
    for (std::size_t n = 0; n < out.size(); ++n) {
      const float* from = small.weight.data() + n * in.size();
      float* to = layer.weight.data() + static_cast<std::int64_t>(out[n]) * inputs;
      for (std::size_t k = 0; k < in.size(); ++k) to[in[k]] = from[k];
      layer.bias[static_cast<std::size_t>(out[n])] = small.bias[n];
    }
    full.push_back(std::move(layer));
  }
  return full;
}

std::vector<std::int32_t> flatten(const Kept& kept) {
  std::vector<std::int32_t> flat;
  for (const KeptNeurons& model : kept)
    for (const std::vector<int>& layer : model) {
      flat.push_back(static_cast<std::int32_t>(layer.size()));
      flat.insert(flat.end(), layer.begin(), layer.end());
    }
  return flat;
}

Kept unflatten(std::span<const std::int32_t> flat, std::span<const std::int64_t> models, const RunSpec& run) {
  const auto fits = [](bool holds) {
    if (!holds) throw WeightsError("a checkpoint is damaged: its neurons are not those of its models");
  };
  Kept kept;
  std::size_t at = 0;
  for (const std::int64_t m : models) {
    kept.emplace_back();
    for (const int width : run.models[static_cast<std::size_t>(m)].hidden) {
      fits(at < flat.size() && flat[at] >= 1 && flat[at] <= width);
      const auto count = static_cast<std::size_t>(flat[at++]);
      fits(at + count <= flat.size());
      std::vector<int> layer(flat.begin() + static_cast<std::ptrdiff_t>(at),
                             flat.begin() + static_cast<std::ptrdiff_t>(at + count));
      fits(std::is_sorted(layer.begin(), layer.end(), std::less_equal<>()) && layer.front() >= 0 &&
           layer.back() < width);
      kept.back().push_back(std::move(layer));
      at += count;
    }
  }
  fits(at == flat.size());
  return kept;
}

}  // namespace shoal
