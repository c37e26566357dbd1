#include "engine/toy_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace shoal {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

void require(bool holds, const std::string& sentence) {
  if (!holds) throw SpecError(sentence);
}

UpdateSettings settings_of(const ModelSpec& m) {
  UpdateSettings s{};
  const OptimizerSpec& o = m.optimizer;
  s.lr = o.lr, s.momentum = o.momentum, s.beta1 = o.beta1, s.beta2 = o.beta2, s.eps = o.eps;
  s.l1 = o.l1, s.l2 = o.l2, s.weight_decay = o.weight_decay, s.rule = o.rule;
  s.last_step = m.weights_rest, s.lr_decay = o.lr_decay, s.decay_steps = o.decay_epochs;
  return s;
}

auto tied(const UpdateSettings& s) {
  return std::tie(s.lr, s.momentum, s.beta1, s.beta2, s.eps, s.l1, s.l2, s.weight_decay, s.last_step,
                  s.lr_decay, s.decay_steps);
}

/// Calls visit(parameter's number in the group, its place in layers) for every parameter of a network.
template <class SomeLayers, class Visit>
void for_each_parameter(SomeLayers& layers, Visit visit) {
  auto &hidden = layers[0], &output = layers[1];
  const int features = hidden.inputs, classes = output.outputs, neuron = features + 1 + classes;
  for (int i = 0; i < hidden.outputs; ++i) {
    for (int f = 0; f < features; ++f) visit(i * neuron + f, hidden.weight[size(i * features + f)]);
    visit(i * neuron + features, hidden.bias[size(i)]);
    for (int c = 0; c < classes; ++c)
      visit(i * neuron + features + 1 + c, output.weight[size(c * hidden.outputs + i)]);
  }
}

}  // namespace

ToyPoints toy_points(const Task& task) {
  const DataView& d = task.train;
  const int stride = static_cast<int>((d.count + kToyPointStep - 1) / kToyPointStep * kToyPointStep);
  ToyPoints p{static_cast<int>(d.count), stride,
              AlignedArray<float>(size(stride) * size(task.shape.features)),
              std::vector<std::int32_t>(size(stride))};
  for (std::int64_t i = 0; i < d.count; ++i) {
    for (int f = 0; f < d.features; ++f) {
      const std::size_t at = size(i * d.features + f);
      const float raw = d.values ? d.values[at] : static_cast<float>(d.bytes[at]);
      const float x = std::fma(raw, task.scale, task.shift);
      require(std::isfinite(x), fmt::format("input {} of point {} is {}: inputs must be finite", f, i, x));
      p.inputs[size(f) * size(stride) + size(i)] = x;
    }
    p.labels[size(i)] = d.labels[i];
    require(
        d.labels[i] >= 0 && d.labels[i] < task.shape.classes,
        fmt::format("point {} has the label {}: labels are 0 to {}", i, d.labels[i], task.shape.classes - 1));
  }
  return p;
}

std::int64_t group_floats(const ToyGroup& g, TaskShape shape) {
  return static_cast<std::int64_t>(kToyLanes) * toy_parameters(g.hidden, shape.features, shape.classes);
}

ToyGrouping group_toys(const ToySpec& spec, TaskShape shape) {
  std::vector<UpdateSettings> settings;
  for (const ModelSpec& m : spec.networks) settings.push_back(settings_of(m));
  std::vector<std::size_t> order(spec.networks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto width = [&](std::size_t m) { return spec.networks[m].hidden[0]; };
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const UpdateSettings &s = settings[a], &t = settings[b];
    if (s.rule != t.rule) return s.rule < t.rule;
    if (width(a) != width(b)) return width(a) > width(b);
    return tied(s) != tied(t) ? tied(s) < tied(t) : a < b;
  });
  ToyGrouping g;
  std::int64_t first = 0;
  std::size_t place = kToyLanes;  // within the last group
  for (const std::size_t m : order) {
    const UpdateRule rule = settings[m].rule;
    if (place == kToyLanes || g.groups.back().rule != static_cast<int>(rule)) {
      g.groups.push_back({first, width(m), static_cast<int>(rule)});
      first += group_floats(g.groups.back(), shape);
      g.network.resize(g.groups.size() * kToyLanes, -1);
      g.setting.resize(g.groups.size() * kToyLanes, -1);
      place = 0;
    }
    if (g.settings.empty() || g.settings.back().rule != rule || tied(g.settings.back()) != tied(settings[m]))
      g.settings.push_back(settings[m]);
    const std::size_t at = (g.groups.size() - 1) * kToyLanes + place++;
    g.network[at] = static_cast<std::int64_t>(m);
    g.setting[at] = static_cast<int>(g.settings.size()) - 1;
  }
  return g;
}

void put_toy(const Layers& layers, int group_hidden, float* parameters, std::size_t lane) {
  const auto at = [&](std::int64_t k) -> float& { return parameters[size(k) * kToyLanes + lane]; };
  for_each_parameter(layers, [&](int k, float w) { at(k) = w; });
  const int classes = layers[1].outputs, first = group_hidden * (layers[0].inputs + 1 + classes);
  for (int c = 0; c < classes; ++c) at(first + c) = layers[1].bias[size(c)];
}

Layers get_toy(TaskShape shape, int hidden, int group_hidden, const float* parameters, std::size_t lane) {
  const int features = shape.features, classes = shape.classes;
  Layers layers(2);
  layers[0] = {features, hidden, std::vector<float>(size(features * hidden)),
               std::vector<float>(size(hidden))};
  layers[1] = {hidden, classes, std::vector<float>(size(hidden * classes)),
               std::vector<float>(size(classes))};
  const auto at = [&](std::int64_t k) { return parameters[size(k) * kToyLanes + lane]; };
  for_each_parameter(layers, [&](int k, float& w) { w = at(k); });
  const int first = group_hidden * (features + 1 + classes);
  for (int c = 0; c < classes; ++c) layers[1].bias[size(c)] = at(first + c);
  return layers;
}

}  // namespace shoal
