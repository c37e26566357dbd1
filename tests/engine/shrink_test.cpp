// Neurons whose gates have closed leave during training: the others keep their bits, and everything that is
// reported keeps its place.
#include "engine/shrink.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "engine/given_models.h"
#include "engine/safetensors.h"
#include "tests/engine/small_task.h"
#include "tests/engine/temporary_folder.h"

namespace shoal {
namespace {

using test::model;
using test::same_bits;
using test::small_task;
using test::train;

/// A model whose gates close fast; its id is fixed, so that it starts from the same weights with and without
/// the removal.
ModelSpec sparse(std::vector<int> hidden, bool remove_dead, ModelId id = 77) {
  ModelSpec m = model(std::move(hidden), 5);
  GateSpec gate;
  gate.kind = GateKind::liveness, gate.penalty = 0.02, gate.lr = 0.05;
  m.gates.assign(m.hidden.size(), {});
  m.gates.front() = gate;
  m.remove_dead = remove_dead, m.id = id;
  return m;
}

std::int64_t open_gates(const ModelResult& r) {
  return std::count_if(r.gates[0].gates.begin(), r.gates[0].gates.end(), [](float g) { return g != 0.0f; });
}

/// What the next layer reads of its inputs: weights of dead neurons are 0 either way once gates are folded.
bool same_function(const std::vector<LayerWeights>& a, const std::vector<LayerWeights>& b) {
  for (std::size_t i = 0; i < a.back().weight.size(); ++i)
    if (a.back().weight[i] != b.back().weight[i]) return false;
  return a.back().bias == b.back().bias;
}

/// Neurons of the first layer whose incoming weights are all 0.
std::int64_t zero_rows(const std::vector<LayerWeights>& layers) {
  std::int64_t rows = 0;
  for (int n = 0; n < layers[0].outputs; ++n) {
    const auto row = layers[0].weight.begin() + n * layers[0].inputs;
    rows += std::all_of(row, row + layers[0].inputs, [](float w) { return w == 0.0f; });
  }
  return rows;
}

TEST_CASE("neurons that leave change no bit of those that stay, of their neighbours, or of the results") {
  const auto data = small_task();
  for (const auto& hidden : std::vector<std::vector<int>>{{40}, {100}, {50, 12}}) {
    RunSpec spec;
    spec.epochs = 8;
    spec.models = {sparse(hidden, false), model({20}), sparse({30}, false, 78)};
    RunSpec removing = spec;
    removing.models[0].remove_dead = removing.models[2].remove_dead = true;
    for (const MachineSpec::Kind kind : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu}) {
      spec.machine.kind = removing.machine.kind = kind;
      if (kind == MachineSpec::Kind::emu) spec.epochs = removing.epochs = 5;
      const auto kept = train(spec, data.task), removed = train(removing, data.task);
      for (const std::size_t m : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
        const ModelResult &a = kept.result.models[m], &b = removed.result.models[m];
        CHECK(a.epoch_train_loss == b.epoch_train_loss);
        CHECK(a.epoch_test_loss == b.epoch_test_loss);
        CHECK(a.test_accuracy == b.test_accuracy);
        CHECK(same_function(kept.weights[m], removed.weights[m]));
        if (a.gates.empty()) continue;
        CHECK(a.gates[0].gates == b.gates[0].gates);
        CHECK(a.gates[0].epoch_size == b.gates[0].epoch_size);
      }
      CHECK(same_bits(kept.weights[1], removed.weights[1]));
      const std::int64_t open = open_gates(removed.result.models[0]);
      CHECK(open >= 1);
      CHECK(open < hidden[0] / 2);
      // The removal took place: weights of neurons that left are 0, those that stayed behind were not.
      CHECK(zero_rows(kept.weights[0]) == 0);
      CHECK(zero_rows(removed.weights[0]) > 0);
    }
  }
}

TEST_CASE("what is reported of neurons that left: closed gates, silent outputs, full shapes") {
  const auto data = small_task();
  RunSpec spec;
  spec.epochs = 8;
  spec.models = {sparse({40}, true)};
  const auto t = train(spec, data.task);
  const ModelResult& r = t.result.models[0];
  REQUIRE(r.gates[0].gates.size() == 40);
  REQUIRE(r.neurons[0].size() == 40);
  CHECK(t.weights[0][0].outputs == 40);
  for (std::size_t i = 0; i < 40; ++i) {
    CHECK(r.neurons[0][i].count == 300.0);
    if (r.gates[0].gates[i] == 0.0f) CHECK(r.neurons[0][i].zeros == 300.0);
    else CHECK(r.neurons[0][i].zeros < 300.0);
  }
  const std::vector<Layers> given{t.weights[0]};
  const GivenScore score = evaluate_models(given, data.task.test, data.task.scale, data.task.shift,
                                           LossKind::cross_entropy, spec.machine, nullptr)[0];
  CHECK(score.accuracy == r.test_accuracy);
  CHECK(score.loss == doctest::Approx(r.test_loss).epsilon(1e-6));
}

TEST_CASE("strict gates that start below 0 are shut for good: their neurons leave, too") {
  const auto data = small_task();
  RunSpec spec;
  spec.epochs = 3;
  spec.models = {sparse({60}, false)};
  GateSpec& gate = spec.models[0].gates[0];
  gate.start = 0.0, gate.spread = 1.0, gate.penalty = 0.0, gate.lr = 1e-5;
  const auto stayed = train(spec, data.task);
  spec.models[0].remove_dead = true;
  const auto left = train(spec, data.task);
  const std::int64_t open = open_gates(left.result.models[0]);
  CHECK(open > 15);
  CHECK(open < 45);
  CHECK(zero_rows(left.weights[0]) == 60 - open);
  CHECK(zero_rows(stayed.weights[0]) == 0);
  CHECK(stayed.result.models[0].epoch_test_loss == left.result.models[0].epoch_test_loss);
  CHECK(same_function(stayed.weights[0], left.weights[0]));
}

TEST_CASE("a run that is stopped after neurons have left goes on with the same bits") {
  const auto data = small_task();
  RunSpec spec;
  spec.epochs = 10;
  spec.models = {sparse({40}, true), sparse({70}, true, 79), model({20})};
  const auto whole = train(spec, data.task);
  const TemporaryFolder folder;
  RunHooks hooks;
  hooks.checkpoint_path = (folder / "state").string();
  std::atomic<bool> stop{false};
  hooks.stop = &stop;
  hooks.epoch = [&](const EpochReport& e) { stop = e.epoch == 6; };
  const auto first = train(spec, data.task, hooks);
  REQUIRE(first.result.stopped);
  REQUIRE(first.result.models[0].gates.empty());
  stop = false, hooks.epoch = nullptr;
  const auto second = train(spec, data.task, hooks);
  CHECK(second.result.resumed);
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    CHECK(same_bits(whole.weights[m], second.weights[m]));
    CHECK(whole.result.models[m].epoch_test_loss == second.result.models[m].epoch_test_loss);
  }
}

TEST_CASE("a layer keeps one neuron, and nothing is removed where gates may open again") {
  const auto data = small_task();
  RunSpec spec;
  spec.epochs = 4;
  spec.models = {sparse({40}, true)};
  spec.models[0].gates[0].penalty = 100.0, spec.models[0].gates[0].lr = 1.0;
  const auto t = train(spec, data.task);
  CHECK(open_gates(t.result.models[0]) == 0);
  CHECK(t.weights[0][0].outputs == 40);
  spec.models[0].gates[0].kind = GateKind::hard_concrete;
  CHECK_THROWS_AS(run(spec, data.task, {}), SpecError);
}

TEST_CASE("which neurons are kept survives a file; numbers that do not fit are refused") {
  RunSpec spec;
  spec.models = {model({5, 3}), model({4})};
  const std::vector<std::int64_t> models{1, 0};
  const Kept kept{{{0, 3}}, {{1, 2, 4}, {2}}};
  const std::vector<std::int32_t> flat = flatten(kept);
  CHECK(unflatten(flat, models, spec) == kept);
  for (std::size_t i = 0; i < flat.size(); ++i) {
    auto damaged = flat;
    damaged[i] = 9;
    CHECK_THROWS_AS(unflatten(damaged, models, spec), WeightsError);
  }
  CHECK_THROWS_AS(unflatten(std::span(flat).first(flat.size() - 1), models, spec), WeightsError);
}

}  // namespace
}  // namespace shoal
