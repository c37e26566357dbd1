#include "engine/wave.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/driver.h"
#include "engine/hash.h"
#include "engine/initialize.h"

namespace shoal {

UpdateSettings update_settings(const OptimizerSpec& o, std::int64_t steps_per_epoch) {
  return {o.lr,
          o.momentum,
          o.beta1,
          o.beta2,
          o.eps,
          o.l1,
          o.l2,
          o.weight_decay,
          o.rule,
          o.group_lasso,
          -1,
          o.lr_decay,
          o.decay_epochs * steps_per_epoch};
}

namespace {

GateLayer gate_layer(const GatePlace& place, const ModelSpec& model, TaskShape shape, std::int64_t steps) {
  const auto layer = static_cast<std::size_t>(place.layer);
  const GateSpec& g = model.gates[layer];
  GateLayer l{};
  l.neuron = place.neuron, l.neurons = model.hidden[layer], l.slab = place.slab, l.model = place.model;
  l.kind = g.kind, l.size_penalty = g.size_penalty;
  l.begin_epoch = g.begin, l.first_step = g.begin * steps + 1;
  l.penalty = static_cast<float>(g.penalty);
  l.rates[0] = static_cast<float>(g.lr), l.rates[1] = static_cast<float>(g.slope_lr);
  l.zone[0] = static_cast<float>(g.zone_low), l.zone[1] = static_cast<float>(g.zone_high);
  l.inertia = static_cast<float>(g.inertia), l.threshold = static_cast<float>(g.threshold);
  OptimizerSpec rule = model.optimizer;
  rule.lr = 1.0, rule.l1 = rule.l2 = rule.weight_decay = rule.group_lasso = 0.0;
  l.settings = update_settings(rule, steps);
  l.seed = model.seed;
  l.stream = hash_words({kGateNoiseStream, model_id(model, shape), layer});
  return l;
}

/// What a layer's gates know before training.
void start_gates(const GateLayer& l, const GateSpec& g, std::uint64_t stream, GateArrays& arrays) {
  float* p = arrays.parameters.data() + l.neuron;
  if (has_size(g.kind)) {
    p[0] = static_cast<float>(g.start), p[1] = static_cast<float>(g.slope);
    return;
  }
  for (int i = 0; i < l.neurons; ++i) {
    const double u = (philox_word(l.seed, stream, static_cast<std::uint64_t>(i)) + 0.5) * 0x1p-31 - 1.0;
    p[i] = g.kind == GateKind::mask ? g.mask[static_cast<std::size_t>(i)]
                                    : static_cast<float>(g.start + g.spread * u);
    arrays.sign_mean[static_cast<std::size_t>(l.neuron + i)] = Elementwise<float>::sign(p[i]);
  }
}

Kept all_neurons(std::span<const std::int64_t> models, const RunSpec& run) {
  Kept kept;
  for (const std::int64_t m : models) {
    kept.emplace_back();
    for (const int width : run.models[static_cast<std::size_t>(m)].hidden) {
      kept.back().emplace_back(static_cast<std::size_t>(width));
      std::iota(kept.back().back().begin(), kept.back().back().end(), 0);
    }
  }
  return kept;
}

/// A model with some of its neurons keeps its name.
ModelSpec with_neurons(ModelSpec model, const KeptNeurons& kept, TaskShape shape) {
  for (std::size_t l = 0; l < kept.size(); ++l) {
    const int width = static_cast<int>(kept[l].size());
    if (width == model.hidden[l]) continue;
    model.id = model_id(model, shape);
    model.hidden[l] = width;
  }
  return model;
}

/// Given weights are the model's own in shape, and finite.
void check_start(std::span<const LayerWeights> layers, const ModelSpec& model, TaskShape shape,
                 std::int64_t number) {
  const auto refuse = [&](const std::string& what) {
    throw SpecError(fmt::format("the weights that model {} is to start from {}", number, what));
  };
  const std::size_t count = model.hidden.size() + 1;
  if (layers.size() != count)
    refuse(fmt::format("have {} layer{}, and the model has {}", layers.size(), layers.size() == 1 ? "" : "s",
                       count));
  int inputs = shape.features;
  for (std::size_t l = 0; l < count; ++l) {
    const LayerWeights& layer = layers[l];
    const int outputs = l + 1 < count ? model.hidden[l] : shape.classes;
    const auto rows = static_cast<std::size_t>(outputs), columns = static_cast<std::size_t>(inputs);
    if (layer.outputs != outputs || layer.inputs != inputs)
      refuse(fmt::format("are {} x {} in layer {}, and the model's are {} x {}", layer.outputs, layer.inputs,
                         l, outputs, inputs));
    if (layer.weight.size() != rows * columns || layer.bias.size() != rows)
      refuse(fmt::format("hold {} weights and {} biases in layer {}, which is {} x {}", layer.weight.size(),
                         layer.bias.size(), l, outputs, inputs));
    const auto finite = [](float w) { return std::isfinite(w); };
    if (!std::ranges::all_of(layer.weight, finite) || !std::ranges::all_of(layer.bias, finite))
      refuse(fmt::format("are not all finite in layer {}", l));
    inputs = outputs;
  }
}

void add_gates(Wave& wave, const Task& task) {
  if (wave.layout.gates.empty()) return;
  GateArrays& a = wave.gate;
  for (auto* array : {&a.parameters, &a.slot_a, &a.slot_b, &a.sign_mean, &a.sign_variance})
    array->resize(static_cast<std::size_t>(wave.layout.neurons));
  if (wave.layout.slots >= 3) a.slot_c.resize(static_cast<std::size_t>(wave.layout.neurons));
  for (const GatePlace& place : wave.layout.gates) {
    const ModelSpec& model = wave.specs[static_cast<std::size_t>(place.model)];
    const GateLayer l = gate_layer(place, model, task.shape, steps_per_epoch(task.train.count, model.batch));
    const auto layer = static_cast<std::size_t>(place.layer);
    start_gates(l, model.gates[layer], hash_words({kGateStartStream, model_id(model, task.shape), layer}), a);
    wave.gates.push_back(l);
  }
}

}  // namespace

double gate_size(const GateLayer& l, const GateArrays& arrays) {
  const float* parameters = arrays.parameters.data();
  if (has_size(l.kind)) return parameters[l.neuron];
  double open = 0;
  for (int i = 0; i < l.neurons; ++i) open += gate_value(l, parameters, i, 0.0f, 0) != 0.0f;
  return open;
}

std::vector<float> evaluation_gates(const GateLayer& l, const GateArrays& arrays, int epochs) {
  std::vector<float> gates(static_cast<std::size_t>(l.neurons), 1.0f);
  if (!gates_work_after(l, epochs)) return gates;
  const float* parameters = arrays.parameters.data();
  const float slope = has_size(l.kind) ? gate_slope(l, parameters, 0) : 0.0f;
  for (int i = 0; i < l.neurons; ++i)
    gates[static_cast<std::size_t>(i)] = gate_value(l, parameters, i, slope, 0);
  return gates;
}

Wave empty_wave(std::span<const std::int64_t> models, const RunSpec& run, const Task& task, Kept kept) {
  Wave wave;
  wave.kept = kept.empty() ? all_neurons(models, run) : std::move(kept);
  wave.models.assign(models.begin(), models.end());
  for (const std::int64_t m : models) {
    wave.specs.push_back(
        with_neurons(run.models[static_cast<std::size_t>(m)], wave.kept[wave.specs.size()], task.shape));
    const ModelSpec& model = wave.specs.back();
    const std::int64_t steps = steps_per_epoch(task.train.count, model.batch);
    wave.settings.push_back(update_settings(model.optimizer, steps));
    if (model.weights_rest >= 0) wave.settings.back().last_step = model.weights_rest * steps;
  }
  wave.layout = make_layout(wave.specs, task.shape, run.order);
  const auto count = static_cast<std::size_t>(wave.layout.parameters);
  wave.parameters = AlignedArray<float>(count);
  if (wave.layout.slots >= 1) wave.slot_a = AlignedArray<float>(count);
  if (wave.layout.slots >= 2) wave.slot_b = AlignedArray<float>(count);
  if (wave.layout.slots >= 3) wave.slot_c = AlignedArray<float>(count);
  wave.positions.resize(wave.layout.packs.size());
  wave.loss.resize(models.size());
  wave.correct.resize(models.size());
  wave.frozen.resize(models.size());
  wave.frozen_epoch.assign(models.size(), -1);
  add_gates(wave, task);
  return wave;
}

Wave make_wave(std::span<const std::int64_t> models, const RunSpec& run, const Task& task,
               const StartWeights& start) {
  Wave wave = empty_wave(models, run, task);
  for (std::size_t m = 0; m < models.size(); ++m) {
    std::vector<LayerWeights> layers;
    if (start) layers = start(models[m]);
    if (layers.empty()) layers = initial_weights(wave.specs[m], task.shape);
    else check_start(layers, wave.specs[m], task.shape, models[m]);
    put_weights(wave.layout, static_cast<std::int64_t>(m), layers, wave.parameters.data());
  }
  return wave;
}

StepSize last_step(const Wave& wave, std::size_t m, std::int64_t steps) {
  StepSize sum;
  const auto at = [](const AlignedArray<float>& slot, std::int64_t offset) {
    return slot.size() > 0 ? slot.data() + offset : nullptr;
  };
  for (const ModelLayer& layer : wave.layout.layers[m]) {
    const Slab& s = wave.layout.slabs[static_cast<std::size_t>(layer.slab)];
    const auto add = [&](std::int64_t offset, std::int64_t rows, int width, int stride) {
      add_steps(sum, wave.settings[m], static_cast<double>(steps), rows, width, stride,
                at(wave.slot_a, offset), at(wave.slot_b, offset), at(wave.slot_c, offset));
    };
    const int end = layer.column + layer.width;
    for (int first = layer.column; first < end; first = (first / kPanelWidth + 1) * kPanelWidth) {
      const int panel = first / kPanelWidth, width = std::min(end, (panel + 1) * kPanelWidth) - first;
      add(panel_weights(s, panel) + first % kPanelWidth, s.fan_in, width, panel_width(s, panel));
    }
    add(s.bias + layer.column, 1, layer.width, layer.width);
  }
  return sum;
}

}  // namespace shoal
