// When to add neurons: signals at a layer's edge, and what adding is worth.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/gradients.h"
#include "tools/signals.h"
#include "tools/studies/growth_run.h"

namespace shoal {
namespace {

constexpr std::int64_t kPart = 4096;  // samples at a time, so that a part's activations stay small

ModelSpec doubled(ModelSpec m) {
  m.hidden.back() *= 2;
  return m;
}

/// Outgoing weights of the old neurons divided by their gates at x0 = their number: together with the gates
/// they are what they were.
void compensate_gates(Layers& layers, int old) {
  LayerWeights& out = layers.back();
  for (std::size_t i = 0; i < out.weight.size(); ++i) {
    const int neuron = static_cast<int>(i % static_cast<std::size_t>(out.inputs));
    if (neuron < old) out.weight[i] *= static_cast<float>(1.0 + std::exp(static_cast<double>(neuron - old)));
  }
}

/// Samples first .. of the training data, as many as a part has.
Task part_of(const Task& task, std::int64_t first) {
  Task part = task;
  const std::int64_t before = first * task.train.features;
  part.train.count = std::min(kPart, task.train.count - first);
  if (part.train.bytes) part.train.bytes += before;
  if (part.train.values) part.train.values += before;
  part.train.labels += first;
  return part;
}

}  // namespace

EdgeSignals edge_signals(const Layers& layers, const ModelSpec& model, LossKind loss, const Task& task,
                         const MachineSpec& machine) {
  const int width = model.hidden.back();
  ModelSpec grown = doubled(model), gated = grown;
  GateSpec gate;
  gate.kind = GateKind::size, gate.slope = 1, gate.start = width;
  gated.gates.assign(gated.hidden.size(), {});
  gated.gates.back() = gate;
  const Layers silent = grow(layers, grown, task.shape, Growth::silent);
  Layers behind = grow(layers, grown, task.shape, Growth::fresh);
  compensate_gates(behind, width);
  EdgeSignals signals;
  std::vector<double> by_v(silent.back().weight.size());
  for (std::int64_t first = 0; first < task.train.count; first += kPart) {
    const Task part = part_of(task, first);
    const double share = static_cast<double>(part.train.count) / static_cast<double>(task.train.count);
    const ModelGradients g = gradients_of(grown, loss, part, machine, silent),
                         at_gate = gradients_of(gated, loss, part, machine, behind);
    signals.loss += share * g.loss;
    for (std::size_t i = 0; i < by_v.size(); ++i)
      by_v[i] += share * static_cast<double>(g.gradients.back().weight[i]);
    signals.gate -= share * static_cast<double>(at_gate.gates.back().gradients.front());
  }
  double squares = 0;
  for (std::size_t i = 0; i < by_v.size(); ++i)
    if (static_cast<int>(i % static_cast<std::size_t>(2 * width)) >= width) squares += by_v[i] * by_v[i];
  signals.silent = std::sqrt(squares / width);
  return signals;
}

std::optional<std::vector<Moment>> run_moments(const GrowthSpec& spec, const Population& p, Phases& phases) {
  std::vector<Moment> moments;
  for (const int width : growing_widths(spec)) {
    if (spec.moments.empty()) break;
    PhaseSpec base{fmt::format("when-{}-base", width), spec.moments.back(), {}};
    base.weight_epochs = spec.moments;
    for (ModelSpec m : p.spec.models) m.hidden = {width}, base.models.push_back({m});
    const auto trained = phases.train(base);
    if (!trained) return std::nullopt;
    PhaseSpec grown{fmt::format("when-{}-grown", width), spec.horizon, {}},
        kept{fmt::format("when-{}-kept", width), 2 * spec.horizon, {}};
    grown.epoch_losses = kept.epoch_losses = true;
    std::vector<Moment> of_width;
    p.report.say(fmt::format("gradients at the edge of {} neurons", width));
    for (std::size_t t = 0; t < spec.moments.size(); ++t)
      for (std::size_t m = 0; m < base.models.size(); ++m) {
        if (stop_requested()) return std::nullopt;
        if (trained->models[m].diverged) continue;
        const Layers& layers = trained->snapshots[t][m];
        ModelSpec model = base.models[m].spec;
        const std::uint64_t seed = model.seed;
        model.seed += static_cast<std::uint64_t>(t + 1) << 32;
        const EdgeSignals s = edge_signals(layers, model, p.spec.loss, p.task, p.spec.machine);
        of_width.push_back({width, spec.moments[t], seed, s.loss, s.silent, s.gate, {}, {}});
        kept.models.push_back({model, layers});
        grown.models.push_back({doubled(model), grow(layers, doubled(model), p.task.shape, Growth::silent)});
      }
    if (of_width.empty()) continue;
    const auto with = phases.train(grown), without = phases.train(kept);
    if (!with || !without) return std::nullopt;
    for (std::size_t i = 0; i < of_width.size(); ++i) {
      const PhaseResult &a = with->models[i], &b = without->models[i];
      if (a.diverged || b.diverged) continue;
      for (const int h : horizons_of(spec)) {
        const auto after = static_cast<std::size_t>(h);
        of_width[i].train_gain.push_back(b.epoch_train_loss[2 * after - 1] - a.epoch_train_loss[after - 1]);
        of_width[i].test_gain.push_back(b.epoch_test_loss[2 * after - 1] - a.epoch_test_loss[after - 1]);
      }
      moments.push_back(of_width[i]);
    }
  }
  return moments;
}

}  // namespace shoal
