// A small classification task for engine tests: clusters around random centres, as bytes or floats.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/run.h"
#include "kernels/philox.h"

namespace shoal::test {

struct SmallTask {
  std::vector<std::uint8_t> train, test;
  std::vector<std::int32_t> train_labels, test_labels;
  Task task;
};

inline SmallTask small_task(int train = 300, int test = 90, int features = 20, int classes = 4,
                            std::uint64_t seed = 7) {
  SmallTask t;
  const auto fill = [&](std::vector<std::uint8_t>& pixels, std::vector<std::int32_t>& labels, int count,
                        std::uint64_t stream) {
    for (int i = 0; i < count; ++i) {
      const auto label = static_cast<std::int32_t>(philox_word(seed, stream, static_cast<std::uint64_t>(i)) %
                                                   static_cast<unsigned>(classes));
      labels.push_back(label);
      for (int f = 0; f < features; ++f) {
        const std::uint32_t centre =
            philox_word(seed, 99, static_cast<std::uint64_t>(label * features + f)) % 160;
        const std::uint32_t noise =
            philox_word(seed, stream + 1000, static_cast<std::uint64_t>(i * features + f)) % 90;
        pixels.push_back(static_cast<std::uint8_t>(centre + noise));
      }
    }
  };
  fill(t.train, t.train_labels, train, 1);
  fill(t.test, t.test_labels, test, 2);
  t.task.shape = {features, classes};
  t.task.train = {train, features, t.train.data(), nullptr, t.train_labels.data()};
  t.task.test = {test, features, t.test.data(), nullptr, t.test_labels.data()};
  t.task.scale = 1.0f / 64, t.task.shift = -2.0f;
  return t;
}

inline std::vector<UpdateRule> all_rules() {
  std::vector<UpdateRule> rules;
  for (int i = 0; i < kUpdateRules; ++i) rules.push_back(static_cast<UpdateRule>(i));
  return rules;
}

inline ModelSpec model(std::vector<int> hidden, std::uint64_t seed = 1, UpdateRule rule = UpdateRule::adam) {
  ModelSpec m;
  m.hidden = std::move(hidden);
  m.seed = seed;
  m.optimizer.rule = rule;
  m.optimizer.lr = slot_count(rule) >= 2 ? 3e-3 : 0.05;
  m.batch = 32;
  return m;
}

/// Final weights of every model, in the order of the spec; `unfolded`: gates not in them.
struct Trained {
  RunResult result;
  std::vector<std::vector<LayerWeights>> weights, unfolded;
};

inline Trained train(const RunSpec& spec, const Task& task, RunHooks hooks = {}) {
  Trained t;
  const auto keep = [&spec](std::vector<std::vector<LayerWeights>>& into) {
    into.resize(spec.models.size());
    return [&into](std::int64_t m, std::span<const LayerWeights> layers) {
      into[static_cast<std::size_t>(m)].assign(layers.begin(), layers.end());
    };
  };
  hooks.weights = keep(t.weights), hooks.unfolded_weights = keep(t.unfolded);
  t.result = run(spec, task, hooks);
  return t;
}

inline bool same_bits(const std::vector<LayerWeights>& a, const std::vector<LayerWeights>& b) {
  if (a.empty() || a.size() != b.size()) return false;
  const auto same = [](const std::vector<float>& x, const std::vector<float>& y) {
    return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
  };
  for (std::size_t l = 0; l < a.size(); ++l)
    if (!same(a[l].weight, b[l].weight) || !same(a[l].bias, b[l].bias)) return false;
  return true;
}

}  // namespace shoal::test
