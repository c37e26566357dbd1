// The gradient by x0 over the training data, of networks trained again up to some epochs.
#include <algorithm>
#include <map>
#include <set>

#include "tools/studies/slope_rows.h"

namespace shoal {
namespace {

bool wanted(SlopeKind kind) { return kind == SlopeKind::random || kind == SlopeKind::mean_zone; }

/// Networks of one arm after `epochs`, with their x0; those that diverged are left out.
struct Trained {
  std::vector<Layers> layers;
  std::vector<double> x0;
};

/// One of each arm that is looked at; nothing when stopped.
std::map<SlopeKind, Trained> train(const SlopeSpec& s, const GradientTask& t, int epochs) {
  RunSpec spec = t.spec;
  spec.epochs = epochs;
  spec.evaluate_each_epoch = spec.evaluate_train = spec.neuron_moments = false;
  std::vector<std::uint64_t> seeds;
  for (const ModelSpec& m : t.spec.models)
    if (std::ranges::find(seeds, m.seed) == seeds.end() && seeds.size() < t.seeds) seeds.push_back(m.seed);
  const std::vector<SlopeArm> arms = slope_arms(s);
  const std::vector<ModelSpec> all = slope_models(s, t.spec.models.front(), seeds);
  std::vector<SlopeKind> kinds;
  spec.models.clear();
  for (std::size_t m = 0; m < all.size(); ++m) {
    const SlopeKind kind = arms[m / seeds.size()].kind;
    if (wanted(kind)) spec.models.push_back(all[m]), kinds.push_back(kind);
  }
  std::vector<Layers> layers(spec.models.size());
  RunHooks hooks;
  hooks.stop = t.stop;
  hooks.unfolded_weights = [&](std::int64_t m, std::span<const LayerWeights> of) {
    layers[static_cast<std::size_t>(m)].assign(of.begin(), of.end());
  };
  const RunResult result = run(spec, t.task, hooks);
  std::map<SlopeKind, Trained> found;
  if (result.stopped) return found;
  for (std::size_t m = 0; m < layers.size(); ++m) {
    if (result.models[m].status != ModelStatus::ok) continue;
    found[kinds[m]].layers.push_back(std::move(layers[m]));
    found[kinds[m]].x0.push_back(result.models[m].gates.front().size);
  }
  return found;
}

}  // namespace

std::vector<SizeGradient> size_gradients(const SlopeSpec& s, const GradientTask& t) {
  DataView part = t.task.train;
  part.count = std::min(part.count, t.samples);
  std::vector<SizeGradient> found;
  for (const int epoch : std::set<int>(t.epochs.begin(), t.epochs.end())) {
    if (t.stop && *t.stop) return {};
    for (auto& [kind, trained] : train(s, t, epoch)) {
      // An evaluation of a random slope takes the slope of the mean zone.
      const double k = slope_of_zone(0.5 * (s.zone_low + s.zone_high));
      const auto gradients = gradients_by_x0(trained.layers, trained.x0, k, part, t.task.scale, t.task.shift,
                                             t.spec.machine, t.stop);
      if (t.stop && *t.stop) return {};
      found.push_back({kind, epoch, gradients});
    }
  }
  if (t.stop && *t.stop) return {};
  return found;
}

}  // namespace shoal
