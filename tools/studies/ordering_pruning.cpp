// Networks that keep the first neurons of an order.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "kernels/philox.h"
#include "tools/studies/ordering_rows.h"
#include "tools/studies/pca_models.h"

namespace shoal {
namespace {

constexpr int kGreedySteps = 128;

/// A random order of 0 .. width - 1.
std::vector<int> random_order(int width, std::uint64_t seed) {
  std::vector<std::pair<std::uint32_t, int>> keyed;
  for (int n = 0; n < width; ++n)
    keyed.emplace_back(philox_word(seed, static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(n)),
                       n);
  std::ranges::sort(keyed);
  std::vector<int> order;
  for (const auto& [key, n] : keyed) order.push_back(n);
  return order;
}

std::vector<int> order_of(const OrderedModel& m, Pruning by) {
  if (by == Pruning::random) return random_order(m.width, m.seed);
  return descending(m.scores.back().of[static_cast<std::size_t>(by)]);
}

/// The networks pruned by one order, all of them and all counts as one population.
struct PrunedModels {
  std::vector<Layers> models;
  std::vector<std::pair<int, int>> keys;  // width, kept
};

void add_model(PrunedModels& batch, const OrderedModel& m, std::span<const int> order) {
  for (const int k : kept_counts(m.width)) {
    std::vector<int> kept(order.begin(), order.begin() + k);
    std::ranges::sort(kept);  // the layer's own order, so that all kept is the network itself
    batch.models.push_back(keep_neurons(m.layers, kept));
    batch.keys.emplace_back(m.width, k);
  }
}

}  // namespace

std::string_view name_of(Pruning by) {
  if (by == Pruning::random) return "random";
  if (by == Pruning::greedy) return "greedy";
  return name_of(static_cast<Measure>(by));
}

std::string_view words_of(Pruning by) {
  if (by == Pruning::random) return "random order";
  if (by == Pruning::greedy) return "exact rise, taken anew";
  return words_of(static_cast<Measure>(by));
}

std::vector<std::vector<int>> greedy_orders(std::span<const OrderedModel> models, const PruningTask& task) {
  DataView part = task.train;
  part.count = std::min(part.count, task.greedy_samples);
  std::vector<std::vector<int>> alive(models.size()), removed(models.size());
  for (std::size_t m = 0; m < models.size(); ++m) {
    alive[m].resize(static_cast<std::size_t>(models[m].width));
    std::iota(alive[m].begin(), alive[m].end(), 0);
  }
  for (;;) {
    std::vector<Layers> left;
    std::vector<std::size_t> numbers;
    for (std::size_t m = 0; m < models.size(); ++m)
      if (alive[m].size() > 1) {
        left.push_back(keep_neurons(models[m].layers, alive[m]));
        numbers.push_back(m);
      }
    if (left.empty()) break;
    const auto found = removals_of(left, part, task.scale, task.shift, task.machine, task.stop);
    if (found.size() != left.size()) return {};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      std::vector<int>& mine = alive[numbers[i]];
      std::vector<double> loss;
      for (const NeuronRemoval& r : found[i].neurons) loss.push_back(r.loss);
      const int step = std::max(1, models[numbers[i]].width / kGreedySteps);
      std::vector<int> order = descending(loss);
      std::ranges::reverse(order);
      order.resize(static_cast<std::size_t>(std::min<int>(step, static_cast<int>(mine.size()) - 1)));
      for (const int n : order) removed[numbers[i]].push_back(mine[static_cast<std::size_t>(n)]);
      std::ranges::sort(order, std::greater());
      for (const int n : order) mine.erase(mine.begin() + n);
    }
  }
  for (std::size_t m = 0; m < models.size(); ++m) {
    removed[m].push_back(alive[m].front());
    std::ranges::reverse(removed[m]);
  }
  return removed;
}

std::vector<PrunedScore> prune(std::span<const OrderedModel> models, const PruningTask& task) {
  if (task.say) task.say("the greedy order: the exact rise taken anew after every removal");
  const std::vector<std::vector<int>> greedy = greedy_orders(models, task);
  if (greedy.size() != models.size()) return {};
  std::vector<PrunedScore> scores;
  for (int i = 0; i < kPrunings; ++i) {
    const auto by = static_cast<Pruning>(i);
    if (task.say) task.say(fmt::format("accuracy of pruned networks: {}", words_of(by)));
    PrunedModels batch;
    for (std::size_t m = 0; m < models.size(); ++m)
      add_model(batch, models[m], by == Pruning::greedy ? greedy[m] : order_of(models[m], by));
    const auto found = evaluate_models(batch.models, task.test, task.scale, task.shift,
                                       LossKind::cross_entropy, task.machine, task.stop);
    if (found.size() != batch.models.size()) return {};
    std::map<std::pair<int, int>, std::pair<std::vector<double>, std::vector<double>>> groups;
    for (std::size_t k = 0; k < found.size(); ++k) {
      groups[batch.keys[k]].first.push_back(found[k].accuracy);
      groups[batch.keys[k]].second.push_back(found[k].loss);
    }
    for (const auto& [key, values] : groups)
      scores.push_back({key.first, key.second, by, summarize(values.first), summarize(values.second)});
  }
  return scores;
}

int kept_for(std::span<const PrunedScore> scores, int width, Pruning by, double accuracy) {
  int fewest = 0;
  for (const PrunedScore& s : scores)
    if (s.width == width && s.by == by && s.accuracy.mean >= accuracy && (fewest == 0 || s.kept < fewest))
      fewest = s.kept;
  return fewest;
}

}  // namespace shoal
