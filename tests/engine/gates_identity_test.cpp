// Gates in whole runs: a model's results are its own, and survive a stop.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "tests/engine/gated_models.h"

namespace shoal::test {
namespace {

TEST_CASE(
    "gates: alone, in a crowd, in a shuffled crowd and on any number of threads a model has the same bits") {
  const auto data = small_task();
  const RunSpec spec = gated_crowd();
  const Trained together = train(spec, data.task);
  for (const int threads : {1, 2, 3}) {
    RunSpec shuffled = spec;
    shuffled.machine.threads = threads;
    std::reverse(shuffled.models.begin(), shuffled.models.end());
    std::swap(shuffled.models[2], shuffled.models[9]);
    const Trained after = train(shuffled, data.task);
    for (std::size_t m = 0; m < spec.models.size(); ++m) {
      INFO("model " << m);
      std::size_t where = spec.models.size() - 1 - m;
      where = where == 2 ? 9 : where == 9 ? 2 : where;
      check_same(together, m, after, where);
    }
  }
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    INFO("model " << m);
    check_same(train(only(spec, {m}), data.task), 0, together, m);
  }
}

TEST_CASE("gates: on a device, too, a model has the same bits alone and in a crowd") {
  const auto data = small_task(120, 40, 11, 3);
  RunSpec spec = gated_crowd();
  spec.machine.kind = MachineSpec::Kind::emu;
  const Trained together = train(spec, data.task);
  for (const std::size_t m : {std::size_t{0}, std::size_t{4}, std::size_t{7}, spec.models.size() - 1}) {
    INFO("model " << m);
    check_same(train(only(spec, {m}), data.task), 0, together, m);
  }
}

TEST_CASE("gates: models without gates keep their bits beside models that have some") {
  for (const MachineSpec::Kind machine : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu}) {
    const auto data = small_task(120, 40, 11, 3);
    RunSpec spec = gated_crowd();
    spec.machine.kind = machine;
    std::vector<std::size_t> plain;
    for (std::size_t m = 0; m < spec.models.size(); ++m)
      if (spec.models[m].gates.empty()) plain.push_back(m);
    REQUIRE(plain.size() >= 4);
    const Trained together = train(spec, data.task), alone = train(only(spec, plain), data.task);
    for (std::size_t i = 0; i < plain.size(); ++i) check_same(alone, i, together, plain[i]);
  }
}

TEST_CASE("gates: stopped in the middle of an epoch and resumed, a run has the bits of one that was not") {
  for (const MachineSpec::Kind machine : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu}) {
    CAPTURE(static_cast<int>(machine));
    const bool is_cpu = machine == MachineSpec::Kind::cpu;
    const auto data = is_cpu ? small_task(40000, 50) : small_task(700, 40, 11, 3);
    const std::string path =
        (std::filesystem::temp_directory_path() / "shoal_gates_stop_test.checkpoint").string();
    remove_checkpoints(path);
    RunSpec spec = gated_crowd();
    spec.machine.kind = machine;
    const Trained whole = train(spec, data.task);
    std::atomic<bool> stop{false};
    RunHooks hooks;
    hooks.checkpoint_path = path;
    hooks.stop = &stop;
    hooks.progress = [&](const Progress& p) { stop = p.done > 0.0; };
    const Trained first = train(spec, data.task, hooks);
    REQUIRE(first.result.stopped);
    CHECK(first.result.models[0].epoch_train_loss.size() < 2);
    stop = false;
    hooks.progress = nullptr;
    const Trained second = train(spec, data.task, hooks);
    CHECK(second.result.resumed);
    for (std::size_t m = 0; m < spec.models.size(); ++m) {
      INFO("model " << m);
      check_same(whole, m, second, m);
    }
  }
}

TEST_CASE("gates: in waves, stopped in the second one, results are those of one wave") {
  const auto data = small_task();
  const std::string path =
      (std::filesystem::temp_directory_path() / "shoal_gates_waves_test.checkpoint").string();
  remove_checkpoints(path);
  RunSpec spec = gated_crowd();
  const Trained whole = train(spec, data.task);
  spec.machine.memory_limit = 70'000;
  REQUIRE(plan_run(spec, data.task).waves > 2);
  std::atomic<bool> stop{false};
  RunHooks hooks;
  hooks.checkpoint_path = path;
  hooks.stop = &stop;
  hooks.epoch = [&](const EpochReport& e) { stop = e.wave == 1; };
  REQUIRE(train(spec, data.task, hooks).result.stopped);
  stop = false;
  hooks.epoch = nullptr;
  const Trained second = train(spec, data.task, hooks);
  for (std::size_t m = 0; m < spec.models.size(); ++m) check_same(whole, m, second, m);
}

}  // namespace
}  // namespace shoal::test
