// What is left of an arm's networks at the moment when their gates begin.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tools/studies/pretrain_rows.h"

namespace shoal {
namespace {

/// 0, 1, 2, 4, ..., and the whole layer.
std::vector<double> places(int neurons) {
  std::vector<double> x0{0};
  for (int x = 1; x < neurons; x *= 2) x0.push_back(x);
  x0.push_back(neurons);
  return x0;
}

/// The weights of one arm's networks when its gates begin; those that diverged are left out. Nothing when
/// stopped.
std::vector<Layers> weights_at(int dose, const CutTask& c) {
  RunSpec spec = c.spec;
  spec.models.clear();
  for (ModelSpec m : c.spec.models) {
    if (m.gates.empty() || m.gates.front().kind != GateKind::size || m.gates.front().begin != dose) continue;
    m.id = model_id(m, c.task.shape);  // its own weights to begin with
    m.gates.clear();
    spec.models.push_back(m);
  }
  spec.epochs = dose, spec.evaluate_each_epoch = spec.evaluate_train = spec.neuron_moments = false;
  std::vector<Layers> models(spec.models.size());
  RunHooks hooks;
  hooks.stop = c.stop;
  hooks.weights = [&](std::int64_t m, std::span<const LayerWeights> layers) {
    models[static_cast<std::size_t>(m)].assign(layers.begin(), layers.end());
  };
  const RunResult result = run(spec, c.task, hooks);
  if (result.stopped) return {};
  std::vector<Layers> kept;
  for (std::size_t m = 0; m < models.size(); ++m)
    if (result.models[m].status == ModelStatus::ok) kept.push_back(std::move(models[m]));
  return kept;
}

}  // namespace

std::vector<Cut> cuts_of(const PretrainSpec& s, const CutTask& c) {
  std::vector<int> doses = s.doses;
  std::ranges::sort(doses);
  const auto [last, end] = std::ranges::unique(doses);
  doses.erase(last, end);
  std::vector<Cut> cuts;
  for (const int dose : doses) {
    if (dose == 0) continue;  // nothing has been learned yet
    if (c.say) c.say(fmt::format("what is left at the moment when the gate begins after epoch {}", dose));
    const std::vector<Layers> models = weights_at(dose, c);
    if (c.stop && *c.stop) return {};
    if (models.empty()) continue;
    Cut cut{.dose = dose, .x0 = places(s.neurons)};
    std::vector<Layers> all;
    for (const double x0 : cut.x0)
      for (const Layers& m : models) all.push_back(x0 < s.neurons ? fold_size_gate(m, x0, 1.0) : m);
    const auto scores =
        evaluate_models(all, c.test, c.task.scale, c.task.shift, c.spec.loss, c.spec.machine, c.stop);
    if (scores.size() != all.size()) return {};
    for (std::size_t i = 0; i < cut.x0.size(); ++i) {
      std::vector<double> accuracy, loss;
      for (std::size_t m = 0; m < models.size(); ++m) {
        accuracy.push_back(scores[i * models.size() + m].accuracy);
        loss.push_back(scores[i * models.size() + m].loss);
      }
      cut.test_accuracy.push_back(summarize(accuracy)), cut.test_loss.push_back(summarize(loss));
    }
    cuts.push_back(std::move(cut));
  }
  return cuts;
}

}  // namespace shoal
