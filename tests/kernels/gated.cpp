#include "tests/kernels/gated.h"

#include <cmath>

#include "tests/kernels/tolerance.h"
#include "tests/reference/random.h"
#include "tests/reference/sampling.h"

namespace shoal::test {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// (word / 2^9 + 1/2) / 2^23: the middle of one of 2^23 equal parts.
double uniform(const GateLayer& l, std::int64_t at) {
  return (reference::random_word(l.seed, l.stream, static_cast<std::uint64_t>(at)) / 512 + 0.5) / 8388608.0;
}

}  // namespace

Gated make_gated(const PopulationSpec& spec, const std::function<GateKind(int, int)>& choose) {
  Gated g{make_population(spec), {}, {}};
  Population& p = g.population;
  for (int m = 0; m < static_cast<int>(p.places.size()); ++m)
    for (int l = 0; is_hidden(p, m, l); ++l) {
      const GateKind kind = choose(m, l);
      if (kind == GateKind::none) continue;
      const Place& place = p.places[index(m)][index(l)];
      const int reader = p.places[index(m)][index(l + 1)].slab;
      p.slabs[index(reader)].partials = g.partials;
      g.partials += (p.slabs[index(reader)].columns + 63) / 64 * ((place.width + 15) / 16 * 16);
      const std::size_t n = g.layers.size();
      GateLayer layer{};
      layer.neuron = p.slabs[index(place.slab)].neuron + place.column;
      layer.neurons = place.width, layer.slab = reader, layer.model = m;
      layer.kind = kind, layer.size_penalty = static_cast<SizePenalty>(n % 3);
      layer.first_step = 1;
      layer.penalty = n % 4 == 0 ? 0.0f : 0.03f * static_cast<float>(n % 4);
      layer.rates[0] = 0.05f, layer.rates[1] = n % 2 == 0 ? 0.02f : 0.0f;
      layer.zone[0] = 2.0f, layer.zone[1] = 9.0f;
      layer.inertia = -1.0f, layer.threshold = 0.5f;
      layer.settings = {.lr = 1.0,
                        .momentum = 0.9,
                        .beta1 = 0.9,
                        .beta2 = 0.99,
                        .eps = 1e-4,
                        .l1 = 0.0,
                        .l2 = 0.0,
                        .weight_decay = 0.0,
                        .rule = spec.models[index(m)].rule};
      // The decay counts from the model's first step, however late the gates begin.
      layer.settings.lr_decay = static_cast<LrDecay>(n % 3), layer.settings.decay_steps = 150;
      layer.seed = 11 + n, layer.stream = 0x123456789ABCDEF0 + n;
      g.layers.push_back(layer), g.hidden.push_back(l);
    }
  return g;
}

PopulationSpec mixed_population(int classes) {
  PopulationSpec spec{.features = 5, .classes = classes, .models = {}, .rows = {9, 0, 4}};
  const std::vector<std::vector<int>> shapes = {{1},  {7},      {15}, {16}, {17},        {63},    {64},
                                                {65}, {300},    {20}, {70}, {20, 70, 5}, {9, 9},  {40, 16},
                                                {33}, {65, 63}, {12}, {31}, {16, 16, 1}, {64, 64}};
  for (std::size_t m = 0; m < shapes.size(); ++m)
    spec.models.push_back({shapes[m], m % 10 == 9 ? 1 : m % 10 == 4 ? 2 : 0, static_cast<UpdateRule>(m % 5)});
  return spec;
}

Gated mixed_gates(int classes, int round) {
  using enum GateKind;
  constexpr GateKind kKinds[] = {mask, size, random_size, liveness, liveness_switch, hard_concrete, none};
  return make_gated(mixed_population(classes),
                    [&](int m, int l) { return kKinds[(m + l + round) % kRounds]; });
}

std::vector<StepCoefficients> coefficients_at(const Gated& g, std::int64_t step) {
  std::vector<StepCoefficients> all;
  for (const ModelShape& m : g.population.spec.models)
    all.push_back(step_coefficients({.lr = 0.01,
                                     .momentum = 0.9,
                                     .beta1 = 0.9,
                                     .beta2 = 0.99,
                                     .eps = 1e-4,
                                     .l1 = 0.0,
                                     .l2 = 0.0,
                                     .weight_decay = 0.0,
                                     .rule = m.rule},
                                    static_cast<double>(step), 1));
  return all;
}

bool is_size(const GateLayer& l) { return l.kind == GateKind::size || l.kind == GateKind::random_size; }

double slope_of(const GateLayer& l, const reference::Vector& parameters, const reference::GateNoise& noise) {
  return l.kind == GateKind::random_size ? noise.slope : parameters[1];
}

Argument concrete_argument(double log_alpha, const reference::GateNoise& noise, std::size_t i) {
  if (noise.uniform.empty()) return {log_alpha, 0.0};
  const double u = noise.uniform[i], logit = std::log(u / (1.0 - u));
  return {1.5 * (logit + log_alpha),
          1.5 * (gamma(8.0) * (std::abs(logit) + std::abs(log_alpha)) + gamma(4.0))};
}

std::vector<reference::Vector> random_parameters(const Gated& g, std::uint64_t seed) {
  std::vector<reference::Vector> all;
  for (const GateLayer& l : g.layers) all.push_back(random_parameters(l, ++seed));
  return all;
}

reference::Vector random_parameters(const GateLayer& l, std::uint64_t seed) {
  reference::Draws draws(seed);
  const auto number = [&](double low, double high) {
    return static_cast<double>(static_cast<float>(draws.uniform(low, high)));
  };
  if (is_size(l)) return {number(-1.0, l.neurons + 1.0), number(-1.0, 2.0)};
  reference::Vector parameters;
  for (int i = 0; i < l.neurons; ++i)
    parameters.push_back(
        draws.below(8) == 0 ? 0.0 : number(-0.5, 1.5) * (l.kind == GateKind::hard_concrete ? 3 : 1));
  for (double& p : parameters) p = static_cast<double>(static_cast<float>(p));
  return parameters;
}

std::vector<float> gate_array(const Gated& g, const std::vector<reference::Vector>& of_layers,
                              float elsewhere) {
  std::vector<float> array(index(g.population.neurons), elsewhere);
  for (std::size_t n = 0; n < g.layers.size(); ++n)
    for (std::size_t i = 0; i < of_layers[n].size(); ++i)
      array[index(g.layers[n].neuron) + i] = static_cast<float>(of_layers[n][i]);
  return array;
}

reference::Vector of_layer(const std::vector<float>& array, const GateLayer& l, std::size_t count) {
  reference::Vector values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<double>(array[index(l.neuron) + i]));
  return values;
}

reference::GateSettings in_reference(const GateLayer& l) {
  reference::GateSettings s;
  switch (l.kind) {
    case GateKind::size: s.kind = reference::Gate::size; break;
    case GateKind::random_size: s.kind = reference::Gate::random_size; break;
    case GateKind::liveness: s.kind = reference::Gate::liveness; break;
    case GateKind::liveness_switch: s.kind = reference::Gate::liveness_switch; break;
    case GateKind::hard_concrete: s.kind = reference::Gate::hard_concrete; break;
    default: s.kind = reference::Gate::mask; break;
  }
  s.size_penalty = l.size_penalty == SizePenalty::integral ? reference::SizePenalty::integral
                   : l.size_penalty == SizePenalty::sum    ? reference::SizePenalty::sum
                                                           : reference::SizePenalty::start;
  s.neurons = l.neurons, s.lambda = l.penalty;
  s.inertia = l.inertia, s.threshold = l.threshold;
  return s;
}

reference::GateNoise noise_of(const GateLayer& l, std::int64_t step) {
  const double share = step == 0 ? 0.5 : uniform(l, step), low = l.zone[0], high = l.zone[1];
  reference::GateNoise noise;
  if (l.kind == GateKind::random_size) noise.slope = reference::slope_of_zone(low + share * (high - low));
  if (step > 0 && l.kind == GateKind::hard_concrete)
    for (int i = 0; i < l.neurons; ++i) noise.uniform.push_back(uniform(l, step * l.neurons + i));
  return noise;
}

reference::Optimizer rule_of(const GateLayer& l, std::int64_t step) {
  reference::Optimizer rule = in_reference(l.settings);
  const double gone = static_cast<double>(step - 1) / static_cast<double>(l.settings.decay_steps);
  if (l.settings.lr_decay == LrDecay::cosine) rule.lr = 0.5 * (1.0 + std::cos(2.0 * std::acos(0.0) * gone));
  if (l.settings.lr_decay == LrDecay::linear) rule.lr = 1.0 - gone;
  return rule;
}

GateRig::GateRig(Rig& r, const Gated& g, const std::vector<reference::Vector>& parameters)
    : rig(r), gated(g) {
  const auto neurons = index(g.population.neurons);
  layers = rig.arena.put(g.layers, "gate layers");
  state.parameters = rig.arena.put(gate_array(g, parameters, kUntouched), "gate parameters");
  state.slot_a = rig.arena.put(std::vector<float>(neurons, 0.0f), "gate slot_a");
  state.slot_b = rig.arena.put(std::vector<float>(neurons, 0.0f), "gate slot_b");
  state.slot_c = rig.arena.put(std::vector<float>(neurons, 0.0f), "gate slot_c");
  std::vector<float> signs(neurons, kUntouched);
  for (std::size_t n = 0; n < g.layers.size(); ++n)
    for (std::size_t i = 0; i < parameters[n].size(); ++i)
      signs[index(g.layers[n].neuron) + i] = parameters[n][i] > 0.0   ? 1.0f
                                             : parameters[n][i] < 0.0 ? -1.0f
                                                                      : 0.0f;
  state.sign_mean = rig.arena.put(signs, "sign_mean");
  state.sign_variance = rig.arena.put(std::vector<float>(neurons, 0.0f), "sign_variance");
  partials = rig.arena.put(std::vector<float>(index(g.partials), kUntouched), "partials");
  gradients = rig.arena.put(std::vector<float>(neurons, kUntouched), "gate gradients");
  rig.partials = partials;
}

void GateRig::set_gates(bool evaluation, int epochs) {
  rig.machine.ops.set_gates({layers, static_cast<int>(gated.layers.size()), state.parameters,
                             evaluation ? nullptr : rig.coefficients, epochs, rig.gates},
                            rig.arena.stream());
}

void GateRig::update_gates(bool only_gradients) {
  rig.machine.ops.update_gates({layers, static_cast<int>(gated.layers.size()), rig.slabs(), rig.batches,
                                partials, rig.coefficients, state, only_gradients ? gradients : nullptr},
                               rig.arena.stream());
}

}  // namespace shoal::test
