// Training from given weights: the bits of a model whose own initial weights they are, alone and in a crowd,
// on every machine, in waves and after a stop; what does not fit is refused.
#include <doctest/doctest.h>

#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include "engine/given_models.h"
#include "engine/gradients.h"
#include "engine/initialize.h"
#include "tests/engine/gated_models.h"
#include "tests/engine/temporary_folder.h"

namespace shoal::test {
namespace {

/// Every other model begins from weights that another initialisation would have given it.
bool is_given(std::int64_t model) { return model % 2 == 0; }

ModelSpec other_init(ModelSpec m) {
  m.init = Init::kaiming_normal;
  return m;
}

StartWeights given_to(const RunSpec& spec, const Task& task) {
  return [&](std::int64_t m) {
    if (!is_given(m)) return Layers();
    return initial_weights(other_init(spec.models[static_cast<std::size_t>(m)]), task.shape);
  };
}

RunHooks from(StartWeights start) {
  RunHooks hooks;
  hooks.start_weights = std::move(start);
  return hooks;
}

/// Narrow models that share panels, wide and deep ones, every rule; no gates, whose random numbers would
/// follow the name of the initialisation.
RunSpec plain_crowd(MachineSpec::Kind machine) {
  RunSpec spec;
  spec.epochs = 2;
  spec.machine.threads = 2, spec.machine.kind = machine;
  int n = 0;
  for (const UpdateRule rule : all_rules())
    for (const auto& hidden :
         std::vector<std::vector<int>>{{5}, {30}, {16}, {20, 70}, {100}, {65, 9, 3}, {7}})
      if (machine == MachineSpec::Kind::cpu || n % 5 == 0 || hidden.size() > 1)
        spec.models.push_back(model(hidden, static_cast<std::uint64_t>(n++ % 2 + 1), rule));
  return spec;
}

TEST_CASE("start: given weights train like the same weights drawn by the model itself") {
  const auto data = small_task();
  for (const MachineSpec::Kind machine : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu}) {
    const RunSpec spec = plain_crowd(machine);
    RunSpec drawn = spec;
    for (std::size_t m = 0; m < spec.models.size(); ++m)
      if (is_given(static_cast<std::int64_t>(m))) drawn.models[m] = other_init(spec.models[m]);
    const Trained a = train(spec, data.task, from(given_to(spec, data.task))), b = train(drawn, data.task),
                  own = train(spec, data.task);
    for (std::size_t m = 0; m < spec.models.size(); ++m) {
      CAPTURE(m);
      CHECK(same_bits(a.weights[m], b.weights[m]));
      CHECK(a.result.models[m].test_loss == b.result.models[m].test_loss);
      CHECK(a.result.models[m].epoch_train_loss == b.result.models[m].epoch_train_loss);
      CHECK(a.result.models[m].id == own.result.models[m].id);  // weights are no part of a model's name
      CHECK(same_bits(a.weights[m], own.weights[m]) == !is_given(static_cast<std::int64_t>(m)));
    }
  }
}

TEST_CASE("start: no epoch gives the weights back, and their loss") {
  const auto data = small_task();
  for (const MachineSpec::Kind machine : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu}) {
    RunSpec spec = plain_crowd(machine);
    spec.epochs = 0;
    const StartWeights start = given_to(spec, data.task);
    const Trained t = train(spec, data.task, from(start));
    for (std::size_t m = 0; m < spec.models.size(); m += 2) {
      const Layers given = start(static_cast<std::int64_t>(m));
      CHECK(same_bits(t.weights[m], given));
      const auto score = evaluate_models({&given, 1}, data.task.test, data.task.scale, data.task.shift,
                                         spec.loss, spec.machine);
      CHECK(t.result.models[m].test_loss == score[0].loss);
    }
  }
}

TEST_CASE("start: models with gates, alone, in a crowd and in waves") {
  const auto data = small_task();
  const RunSpec spec = gated_crowd();
  const StartWeights start = given_to(spec, data.task);
  const Trained together = train(spec, data.task, from(start));
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    const Trained alone = train(only(spec, {m}), data.task,
                                from([&](std::int64_t) { return start(static_cast<std::int64_t>(m)); }));
    CAPTURE(m);
    check_same(alone, 0, together, m);
  }
  RunSpec small = spec;
  small.machine.memory_limit = 120'000, small.machine.threads = 1;
  REQUIRE(plan_run(small, data.task).waves > 2);
  const Trained in_waves = train(small, data.task, from(start));
  for (std::size_t m = 0; m < spec.models.size(); ++m) check_same(in_waves, m, together, m);
}

TEST_CASE("start: a resume asks for nothing that has begun, and ends with the same bits") {
  const auto data = small_task();
  const TemporaryFolder folder;
  RunSpec spec = gated_crowd();
  spec.epochs = 3;
  spec.machine.memory_limit = 120'000;
  REQUIRE(plan_run(spec, data.task).waves > 2);
  const StartWeights start = given_to(spec, data.task);
  const Trained whole = train(spec, data.task, from(start));
  for (const int wave : {0, 1}) {
    std::multiset<std::int64_t> asked;
    std::atomic<bool> stop{false};
    RunHooks hooks = from([&](std::int64_t m) {
      asked.insert(m);
      return start(m);
    });
    hooks.checkpoint_path = (folder / "run").string();
    hooks.stop = &stop;
    hooks.epoch = [&](const EpochReport& e) { stop = e.wave == wave && e.epoch == 1; };
    REQUIRE(train(spec, data.task, hooks).result.stopped);
    CHECK(asked.size() < spec.models.size());
    stop = false, hooks.epoch = nullptr;
    RunHooks without = hooks;
    without.start_weights = nullptr;
    CHECK_THROWS_AS(train(spec, data.task, without), SpecError);
    const Trained second = train(spec, data.task, hooks);
    CHECK(second.result.resumed);
    for (std::size_t m = 0; m < spec.models.size(); ++m) {
      check_same(second, m, whole, m);
      CHECK(asked.count(static_cast<std::int64_t>(m)) == 1);
    }
  }
  // And the other way round: weights are given to a run that has begun without.
  std::atomic<bool> stop{true};
  RunHooks hooks;
  hooks.checkpoint_path = (folder / "other").string();
  hooks.stop = &stop;
  REQUIRE(train(spec, data.task, hooks).result.stopped);
  hooks.start_weights = start;
  CHECK_THROWS_AS(train(spec, data.task, hooks), SpecError);
}

TEST_CASE("start: gradients at given weights") {
  const auto data = small_task(40, 20);
  for (const MachineSpec::Kind machine : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu}) {
    const ModelSpec m = model({20, 9});
    const Layers given = initial_weights(other_init(m), data.task.shape);
    const ModelGradients a = gradients_of(m, LossKind::cross_entropy, data.task, {.kind = machine}, given),
                         b = gradients_of(other_init(m), LossKind::cross_entropy, data.task,
                                          {.kind = machine});
    CHECK(same_bits(a.weights, given));
    CHECK(same_bits(a.gradients, b.gradients));
    CHECK(a.loss == b.loss);
  }
}

TEST_CASE("start: what does not fit is refused in words") {
  const auto data = small_task();
  RunSpec spec;
  spec.models = {model({5}), model({8, 6})};
  const auto refusal = [&](auto change) {
    Layers layers = initial_weights(spec.models[1], data.task.shape);
    change(layers);
    try {
      train(spec, data.task, from([&](std::int64_t m) { return m == 1 ? layers : Layers(); }));
    } catch (const SpecError& e) { return std::string(e.what()); }
    return std::string();
  };
  const std::string subject = "the weights that model 1 is to start from ";
  CHECK(refusal([](Layers&) {}).empty());
  CHECK(refusal([](Layers& l) { l.pop_back(); }) == subject + "have 2 layers, and the model has 3");
  CHECK(refusal([](Layers& l) { l[1].outputs = 7; }) ==
        subject + "are 7 x 8 in layer 1, and the model's are 6 x 8");
  CHECK(refusal([](Layers& l) { std::swap(l[0].inputs, l[0].outputs); }) ==
        subject + "are 20 x 8 in layer 0, and the model's are 8 x 20");
  CHECK(refusal([](Layers& l) { l[2].weight.pop_back(); }) ==
        subject + "hold 23 weights and 4 biases in layer 2, which is 4 x 6");
  CHECK(refusal([](Layers& l) { l[2].bias.push_back(0); }) ==
        subject + "hold 24 weights and 5 biases in layer 2, which is 4 x 6");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    CHECK(refusal([&](Layers& l) { l[0].weight[17] = bad; }) == subject + "are not all finite in layer 0");
    CHECK(refusal([&](Layers& l) { l[2].bias[3] = bad; }) == subject + "are not all finite in layer 2");
  }
}

}  // namespace
}  // namespace shoal::test
