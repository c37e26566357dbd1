#include "tests/kernels/cases.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/kernels/tolerance.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

PopulationSpec crowd() {
  PopulationSpec spec{.features = 7, .classes = 3, .models = {}, .rows = {20, 0, 33}, .spare_rows = 2};
  const int widths[] = {1, 16, 5, 33, 20, 48, 2, 64, 17, 31};
  for (int m = 0; m < 40; ++m) {
    ModelShape shape{{widths[m % 10]}, m % 3, static_cast<UpdateRule>(m / 7)};
    if (m % 4 == 3) shape.hidden.push_back(widths[(m + 3) % 10]);
    spec.models.push_back(shape);
  }
  return spec;
}

}  // namespace

const std::vector<Case>& odd_cases() {
  using enum UpdateRule;
  static const std::vector<Case> cases = {
      {"1-1-1, one row", {1, 1, {{{1}}}, {1}}},
      {"narrow, side by side", {7, 7, {{{1}}, {{7}}, {{15}}, {{16}}, {{17}, 0, adam}, {{16}, 0, adam}}, {7}}},
      {"around a panel", {15, 15, {{{63}, 0, momentum}, {{64}, 0, nesterov}, {{65}, 0, adamax}}, {16}, 3}},
      {"two panels and deep ones",
       {16, 16, {{{130}, 0, adam}, {{17, 65}, 0, adam}, {{31, 1}, 0, adam}}, {15}}},
      {"deep and narrow, two groups",
       {17, 17, {{{16, 1}}, {{16, 64, 7}, 1}, {{7, 130, 15}, 1}, {{17}}, {{33, 16}, 1}}, {17, 1}, 1}},
      {"63 everywhere", {63, 63, {{{64}, 0, momentum}, {{65, 63}, 0, momentum}}, {63}}},
      {"64 everywhere", {64, 64, {{{64}, 0, nesterov}, {{64, 63}, 0, adam}}, {64}}},
      {"65 everywhere", {65, 65, {{{130}, 0, adamax}, {{7, 65}, 0, adam}, {{65}, 0, amsgrad}}, {65}, 7}},
      {"130 everywhere", {130, 130, {{{130}, 0, adam}, {{17, 130}}}, {130}}},
      {"a crowd of forty", crowd()},
  };
  return cases;
}

std::vector<reference::Model> random_models(const Population& p, std::uint64_t seed, bool gated) {
  std::vector<reference::Model> models;
  for (int m = 0; m < static_cast<int>(p.places.size()); ++m) {
    const std::uint64_t own = seed * 1000 + static_cast<std::uint64_t>(m);
    models.push_back(reference::make_model(sizes_of(p, m), own));
    reference::Draws draws(own + 500);
    if (gated)
      for (reference::Layer& layer : models.back().layers)
        for (double& g : layer.gate)
          g = draws.below(8) == 0 ? 0.0 : static_cast<double>(static_cast<float>(draws.uniform(-1.5, 1.5)));
  }
  return models;
}

std::vector<reference::Samples> random_batches(const Population& p, std::uint64_t seed) {
  std::vector<reference::Samples> batches;
  for (const int rows : p.spec.rows)
    batches.push_back(reference::make_samples(rows, p.spec.features, p.spec.classes, ++seed));
  return batches;
}

const reference::Samples& batch_of_model(const Population& p, const std::vector<reference::Samples>& batches,
                                         int model) {
  return batches[index(p.spec.models[index(model)].group)];
}

void set_models(Rig& rig, const std::vector<reference::Model>& models) {
  const Population& p = rig.population;
  rig.arena.set(rig.parameters, parameters_of(p, models));
  if (!rig.gates) return;
  std::vector<float> gates(index(p.neurons), 1.0f);
  for (std::size_t m = 0; m < models.size(); ++m)
    for (std::size_t l = 0; l < models[m].layers.size(); ++l) {
      const Place& place = p.places[m][l];
      const auto first = p.slabs[index(place.slab)].neuron + place.column;
      const reference::Vector& gate = models[m].layers[l].gate;
      for (std::size_t n = 0; n < gate.size(); ++n) gates[index(first) + n] = static_cast<float>(gate[n]);
    }
  rig.arena.set(rig.gates, gates);
}

void set_batches(Rig& rig, const std::vector<reference::Samples>& batches) {
  const Population& p = rig.population;
  std::vector<float> inputs(index(p.inputs), std::nanf(""));
  std::vector<std::int32_t> labels;
  std::vector<Batch> table = p.batches;
  for (std::size_t g = 0; g < batches.size(); ++g) {
    table[g].first = static_cast<std::int64_t>(labels.size());
    for (std::size_t b = 0; b < batches[g].inputs.size(); ++b) {
      float* row = inputs.data() + table[g].inputs + static_cast<std::int64_t>(b) * p.input_stride;
      for (int f = 0; f < p.input_stride; ++f)
        row[f] = f < p.spec.features ? static_cast<float>(batches[g].inputs[b][index(f)]) : 0.0f;
      labels.push_back(batches[g].labels[b]);
    }
  }
  rig.arena.set(rig.workspace.inputs, inputs);
  rig.arena.set(rig.batches, table);
  rig.labels = rig.arena.put(labels, "labels of all groups");
}

int width_of(const Population& p, int model, int layer) { return p.places[index(model)][index(layer)].width; }

bool is_hidden(const Population& p, int model, int layer) {
  return index(layer) + 1 < p.places[index(model)].size();
}

reference::Matrix times_gate(reference::Matrix values, const reference::Vector& gate) {
  for (reference::Vector& row : values)
    for (std::size_t n = 0; n < gate.size(); ++n) row[n] *= gate[n];
  return values;
}

reference::Matrix magnitude_of(const reference::Matrix& x, const reference::Layer& layer) {
  reference::Matrix positive = x;
  reference::Layer weights = layer;
  for (reference::Vector& row : positive)
    for (double& v : row) v = std::abs(v);
  for (reference::Vector& row : weights.weight)
    for (double& w : row) w = std::abs(w);
  for (double& b : weights.bias) b = std::abs(b);
  return reference::affine(positive, weights);
}

reference::Optimizer in_reference(const UpdateSettings& s) {
  reference::Optimizer o{
      .lr = s.lr, .momentum = s.momentum, .beta1 = s.beta1, .beta2 = s.beta2, .eps = s.eps};
  o.penalty = {s.l1, s.l2};
  o.decay = s.weight_decay;
  switch (s.rule) {
    case UpdateRule::sgd: o.rule = reference::Rule::sgd; break;
    case UpdateRule::momentum: o.rule = reference::Rule::momentum; break;
    case UpdateRule::nesterov: o.rule = reference::Rule::nesterov; break;
    case UpdateRule::adam: o.rule = reference::Rule::adam; break;
    case UpdateRule::adamax: o.rule = reference::Rule::adamax; break;
    case UpdateRule::amsgrad: o.rule = reference::Rule::amsgrad; break;
  }
  return o;
}

reference::Loss in_reference(LossKind kind) {
  return kind == LossKind::cross_entropy ? reference::Loss::cross_entropy : reference::Loss::squared_error;
}

ExpectedStep expected_step(const reference::Optimizer& o, double w, const reference::Slots& slots, double g,
                           double e, int t) {
  reference::Slots after = slots;
  ExpectedStep x{};
  x.w = updated(o, w, g, after, t), x.a = after.a, x.b = after.b, x.c = after.c;
  for (const double other : {g - e, g + e}) {
    reference::Slots moved = slots;
    x.w_tolerance = std::max(x.w_tolerance, 2.0 * std::abs(updated(o, w, other, moved, t) - x.w));
    x.a_tolerance = std::max(x.a_tolerance, 2.0 * std::abs(moved.a - x.a));
    x.b_tolerance = std::max(x.b_tolerance, 2.0 * std::abs(moved.b - x.b));
    x.c_tolerance = std::max(x.c_tolerance, 2.0 * std::abs(moved.c - x.c));
  }
  const double all = std::abs(slots.a) + std::abs(g) + o.penalty.l1 + o.penalty.l2 * std::abs(w);
  double rate = o.lr;
  if (o.rule == reference::Rule::adam || o.rule == reference::Rule::adamax ||
      o.rule == reference::Rule::amsgrad)
    rate /= 1.0 - std::pow(o.beta1, t);
  if (o.rule == reference::Rule::adam) rate /= std::sqrt(x.b / (1.0 - std::pow(o.beta2, t))) + o.eps;
  if (o.rule == reference::Rule::adamax) rate /= x.b;
  if (o.rule == reference::Rule::amsgrad) rate /= std::sqrt(x.c / (1.0 - std::pow(o.beta2, t))) + o.eps;
  x.w_tolerance += gamma(16) * (std::abs(w) + rate * all) + kSmallest;
  x.a_tolerance += gamma(16) * all + kSmallest;
  x.b_tolerance += gamma(16) * std::abs(x.b) + kSmallest;
  x.c_tolerance += gamma(16) * std::abs(x.c) + kSmallest;
  return x;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace shoal::test
