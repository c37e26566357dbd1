// Models with gates of every kind for engine tests, and the comparison of everything that a run says about
// one.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/engine/small_task.h"

namespace shoal::test {

/// Gates that a short training moves visibly.
inline GateSpec gate(GateKind kind, int width) {
  GateSpec g;
  g.kind = kind;
  g.penalty = 0.01;
  g.lr = 0.02;
  if (has_size(kind)) g.start = 0.6 * width, g.slope = 0.7, g.lr = 0.1, g.zone_low = 2, g.zone_high = 6;
  if (kind == GateKind::size) g.slope_lr = 0.01;
  if (!has_size(kind)) g.start = 0.8, g.spread = 0.4;
  if (kind == GateKind::mask) {
    g.mask.assign(static_cast<std::size_t>(width), 1.0f);
    for (std::size_t i = 1; i < g.mask.size(); i += 3) g.mask[i] = i % 2 == 0 ? 0.0f : 0.5f;
  }
  return g;
}

/// Every hidden layer has gates of this kind.
inline ModelSpec gated_model(std::vector<int> hidden, GateKind kind, std::uint64_t seed = 1,
                             UpdateRule rule = UpdateRule::adam) {
  ModelSpec m = model(std::move(hidden), seed, rule);
  for (const int width : m.hidden) m.gates.push_back(gate(kind, width));
  return m;
}

/// All kinds and rules; narrow models with and without gates that share panels, wide and deep ones, layers
/// with and without gates in one model, one model with a schedule.
inline RunSpec gated_crowd() {
  RunSpec spec;
  spec.epochs = 2;
  spec.machine.threads = 2;
  using enum GateKind;
  int n = 0;
  for (const GateKind kind : {none, size, mask, random_size, liveness, none, liveness_switch, hard_concrete,
                              size, liveness, hard_concrete, none, liveness_switch, random_size, none}) {
    const std::vector<std::vector<int>> shapes{{5}, {16}, {30}, {64}, {20, 70}, {12}, {100}, {65, 9, 3}};
    const UpdateRule rule = n < 8 ? UpdateRule::adam : static_cast<UpdateRule>(n % 5);
    spec.models.push_back(gated_model(shapes[static_cast<std::size_t>(n) % shapes.size()], kind,
                                      static_cast<std::uint64_t>(n / 8 + 1), rule));
    if (kind == none) spec.models.back().gates.clear();
    ++n;
  }
  spec.models[7].gates[1] = {};
  spec.models[6].gates[0].inertia = 0.9;
  spec.models[9].gates[0].begin = 1;
  spec.models[13].weights_rest = 1;
  return spec;
}

inline RunSpec only(const RunSpec& spec, const std::vector<std::size_t>& models) {
  RunSpec some = spec;
  some.models.clear();
  for (const std::size_t m : models) some.models.push_back(spec.models[m]);
  return some;
}

/// Everything that was found out about model i of one run and model j of another, bit by bit.
inline void check_same(const Trained& a, std::size_t i, const Trained& b, std::size_t j) {
  CHECK(same_bits(a.weights[i], b.weights[j]));
  const ModelResult &x = a.result.models[i], &y = b.result.models[j];
  CHECK(x.id == y.id);
  CHECK(x.train_loss == y.train_loss);
  CHECK(x.test_loss == y.test_loss);
  CHECK(x.test_accuracy == y.test_accuracy);
  CHECK(x.epoch_train_loss == y.epoch_train_loss);
  CHECK(x.epoch_test_loss == y.epoch_test_loss);
  REQUIRE(x.gates.size() == y.gates.size());
  for (std::size_t l = 0; l < x.gates.size(); ++l) {
    CHECK(x.gates[l].kind == y.gates[l].kind);
    CHECK(x.gates[l].size == y.gates[l].size);
    CHECK(x.gates[l].gates == y.gates[l].gates);
    CHECK(x.gates[l].parameters == y.gates[l].parameters);
    CHECK(x.gates[l].epoch_size == y.gates[l].epoch_size);
  }
  REQUIRE(x.neurons.size() == y.neurons.size());
  for (std::size_t l = 0; l < x.neurons.size(); ++l)
    for (std::size_t n = 0; n < x.neurons[l].size(); ++n) {
      CHECK(x.neurons[l][n].mean == y.neurons[l][n].mean);
      CHECK(x.neurons[l][n].squares == y.neurons[l][n].squares);
    }
}

}  // namespace shoal::test
