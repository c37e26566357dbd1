// A model's results are its own: the same bits alone, in a crowd, in a shuffled crowd, on any number of
// threads, in waves, and after a stop.
#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include <algorithm>
#include <filesystem>

#include "engine/waves.h"
#include "tests/engine/small_task.h"

namespace shoal {
namespace {

using test::model;
using test::same_bits;
using test::small_task;
using test::train;

RunSpec crowd() {
  RunSpec spec;
  spec.epochs = 2;
  spec.machine.threads = 2;
  spec.epoch_details = true;
  for (const UpdateRule rule : test::all_rules())
    for (const auto& hidden :
         std::vector<std::vector<int>>{{5}, {16}, {30}, {64}, {100}, {20, 70}, {65, 9, 3}}) {
      spec.models.push_back(model(hidden, spec.models.size() % 2 + 1, rule));
      spec.models.back().optimizer.l1 = spec.models.size() % 3 == 0 ? 1e-4 : 0.0;
      spec.models.back().optimizer.l2 = spec.models.size() % 4 == 0 ? 1e-3 : 0.0;
      spec.models.back().optimizer.weight_decay = spec.models.size() % 5 == 0 ? 1e-2 : 0.0;
      spec.models.back().batch = spec.models.size() % 7 == 0 ? 50 : 32;
    }
  return spec;
}

void check_same_results(const ModelResult& a, const ModelResult& b) {
  CHECK(a.id == b.id);
  CHECK(a.train_loss == b.train_loss);
  CHECK(a.test_loss == b.test_loss);
  CHECK(a.test_accuracy == b.test_accuracy);
  CHECK(a.epoch_train_loss == b.epoch_train_loss);
  CHECK(a.epoch_test_accuracy == b.epoch_test_accuracy);
  REQUIRE(a.details.size() == b.details.size());
  for (std::size_t e = 0; e < a.details.size(); ++e) {
    CHECK(a.details[e].train_loss == b.details[e].train_loss);
    CHECK(a.details[e].step == b.details[e].step);
    CHECK(a.details[e].scale == b.details[e].scale);
    CHECK(a.details[e].below_eps == b.details[e].below_eps);
  }
  REQUIRE(a.neurons.size() == b.neurons.size());
  for (std::size_t l = 0; l < a.neurons.size(); ++l) {
    REQUIRE(a.neurons[l].size() == b.neurons[l].size());
    for (std::size_t n = 0; n < a.neurons[l].size(); ++n) {
      CHECK(a.neurons[l][n].mean == b.neurons[l][n].mean);
      CHECK(a.neurons[l][n].squares == b.neurons[l][n].squares);
    }
  }
}

TEST_CASE("alone and in a crowd") {
  const auto data = small_task();
  const RunSpec spec = crowd();
  const auto together = train(spec, data.task);
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    RunSpec alone = spec;
    alone.models = {spec.models[m]};
    const auto one = train(alone, data.task);
    INFO("model " << m);
    CHECK(same_bits(one.weights[0], together.weights[m]));
    check_same_results(one.result.models[0], together.result.models[m]);
  }
}

TEST_CASE("in a shuffled crowd and on any number of threads") {
  const auto data = small_task();
  const RunSpec spec = crowd();
  const auto before = train(spec, data.task);
  for (const int threads : {1, 3, 8}) {
    RunSpec shuffled = spec;
    shuffled.machine.threads = threads;
    std::reverse(shuffled.models.begin(), shuffled.models.end());
    std::swap(shuffled.models[3], shuffled.models[11]);
    const auto after = train(shuffled, data.task);
    for (std::size_t m = 0; m < spec.models.size(); ++m) {
      std::size_t where = spec.models.size() - 1 - m;
      where = where == 3 ? 11 : where == 11 ? 3 : where;
      CHECK(same_bits(before.weights[m], after.weights[where]));
      check_same_results(before.result.models[m], after.result.models[where]);
    }
  }
}

TEST_CASE("every order kind gives the same bits alone and in a crowd") {
  const auto data = small_task();
  for (const OrderKind order : {OrderKind::seed, OrderKind::model, OrderKind::shared}) {
    RunSpec spec = crowd();
    spec.models.resize(6);
    spec.order = order;
    const auto together = train(spec, data.task);
    RunSpec alone = spec;
    alone.models = {spec.models[2]};
    CHECK(same_bits(train(alone, data.task).weights[0], together.weights[2]));
  }
}

TEST_CASE("in waves") {
  const auto data = small_task();
  RunSpec spec = crowd();
  const auto at_once = train(spec, data.task);
  spec.machine.memory_limit = 150'000;
  REQUIRE(plan_run(spec, data.task).waves > 2);
  const auto in_waves = train(spec, data.task);
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    CHECK(same_bits(at_once.weights[m], in_waves.weights[m]));
    check_same_results(at_once.result.models[m], in_waves.result.models[m]);
  }
}

/// Runs with a stop after `polls` looks at the flag's surroundings, then goes on; the final bits must be
/// those of an uninterrupted run.
void check_resume(RunSpec spec, const Task& task, std::int64_t stop_after_epochs, const std::string& path) {
  const auto whole = train(spec, task);
  std::atomic<bool> stop{false};
  RunHooks hooks;
  hooks.checkpoint_path = path;
  hooks.stop = &stop;
  std::int64_t epochs = 0;
  hooks.epoch = [&](const EpochReport&) { stop = ++epochs == stop_after_epochs; };
  const auto first = train(spec, task, hooks);
  REQUIRE(first.result.stopped);
  REQUIRE(std::filesystem::exists(path));
  stop = false;
  hooks.epoch = nullptr;
  const auto second = train(spec, task, hooks);
  CHECK(second.result.resumed);
  CHECK(!second.result.stopped);
  CHECK(!std::filesystem::exists(path));
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    CHECK(same_bits(whole.weights[m], second.weights[m]));
    check_same_results(whole.result.models[m], second.result.models[m]);
  }
}

TEST_CASE("after a stop at an epoch, with and without waves") {
  const auto data = small_task();
  const std::string path =
      (std::filesystem::temp_directory_path() / "shoal_identity_test.checkpoint").string();
  RunSpec spec = crowd();
  spec.epochs = 4;
  check_resume(spec, data.task, 1, path);
  check_resume(spec, data.task, 3, path);
  spec.machine.memory_limit = 150'000;
  check_resume(spec, data.task, 6, path);  // in the second wave
}

TEST_CASE("after a stop in the middle of an epoch") {
  const auto data = small_task(6000, 50);
  const std::string path = (std::filesystem::temp_directory_path() / "shoal_stop_test.checkpoint").string();
  RunSpec spec = crowd();
  spec.models.resize(12);
  spec.epochs = 3;
  const auto whole = train(spec, data.task);
  std::atomic<bool> stop{false};
  RunHooks hooks;
  hooks.checkpoint_path = path;
  hooks.stop = &stop;
  hooks.progress = [&](const Progress& p) { stop = p.done > 0.0; };
  const auto first = train(spec, data.task, hooks);
  if (first.result.stopped) {  // on a very fast machine the run may have ended before the first look
    stop = false;
    hooks.progress = nullptr;
    const auto second = train(spec, data.task, hooks);
    for (std::size_t m = 0; m < spec.models.size(); ++m)
      CHECK(same_bits(whole.weights[m], second.weights[m]));
  }
}

TEST_CASE("after a stop in the first epoch of the first of several waves") {
  // The resumed run once took the checkpoint for that of the second wave, too.
  const auto data = small_task();
  const std::string path =
      (std::filesystem::temp_directory_path() / "shoal_first_wave_test.checkpoint").string();
  RunSpec spec = crowd();
  spec.machine.memory_limit = 150'000;
  REQUIRE(plan_run(spec, data.task).waves > 2);
  const auto whole = train(spec, data.task);
  std::atomic<bool> stop{true};
  RunHooks hooks;
  hooks.checkpoint_path = path;
  hooks.stop = &stop;
  REQUIRE(train(spec, data.task, hooks).result.stopped);
  stop = false;
  const auto second = train(spec, data.task, hooks);
  CHECK(second.result.resumed);
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    CHECK(same_bits(whole.weights[m], second.weights[m]));
    check_same_results(whole.result.models[m], second.result.models[m]);
  }
}

/// What a killed process leaves behind is the checkpoint that it wrote last: a hook that throws right after
/// an epoch stands for the kill.
TEST_CASE("without a word about checkpoints an epoch is the most that a kill costs") {
  struct Killed {};
  const auto data = small_task(2000, 50);
  const std::string path = (std::filesystem::temp_directory_path() / "shoal_kill_test.checkpoint").string();
  remove_checkpoints(path);
  RunSpec spec = crowd();
  spec.epochs = 6;
  const auto whole = train(spec, data.task);
  RunHooks hooks;
  hooks.checkpoint_path = path;
  hooks.epoch = [](const EpochReport& e) {
    // long enough that a checkpoint of any disk is a small share of it
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    if (e.epoch == 4) throw Killed();
  };
  CHECK_THROWS_AS(train(spec, data.task, hooks), Killed);
  REQUIRE(std::filesystem::exists(path));
  int first = -1;
  hooks.epoch = [&](const EpochReport& e) { first = first < 0 ? e.epoch : first; };
  const auto second = train(spec, data.task, hooks);
  CHECK(first <= 4);
  CHECK(first >= 1);  // the bits are the promise; how often a checkpoint is worth it depends on the disk
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    CHECK(same_bits(whole.weights[m], second.weights[m]));
    check_same_results(whole.result.models[m], second.result.models[m]);
  }
}

TEST_CASE("a kept checkpoint gives the finished run again, without training") {
  const auto data = small_task();
  const std::string path = (std::filesystem::temp_directory_path() / "shoal_kept_test.checkpoint").string();
  remove_checkpoints(path);
  for (const std::size_t limit : {std::size_t{0}, std::size_t{150'000}}) {
    RunSpec spec = crowd();
    spec.machine.memory_limit = limit;
    RunHooks hooks;
    hooks.checkpoint_path = path;
    hooks.keep_checkpoint = true;
    hooks.checkpoint_seconds = 0;
    const auto whole = train(spec, data.task, hooks);
    REQUIRE(std::filesystem::exists(path));
    const auto again = train(spec, data.task, hooks);
    CHECK(again.result.resumed);
    CHECK(again.result.model_samples == 0);
    for (std::size_t m = 0; m < spec.models.size(); ++m) {
      CHECK(same_bits(whole.weights[m], again.weights[m]));
      check_same_results(whole.result.models[m], again.result.models[m]);
    }
    remove_checkpoints(path);
    CHECK(!std::filesystem::exists(path));
    CHECK(!std::filesystem::exists(path + ".wave0"));
  }
}

TEST_CASE("a resumed run keeps its waves, whatever memory is free by then") {
  const auto data = small_task();
  const std::string path = (std::filesystem::temp_directory_path() / "shoal_waves_test.checkpoint").string();
  RunSpec spec = crowd();
  const auto whole = train(spec, data.task);
  spec.machine.memory_limit = 150'000;
  std::atomic<bool> stop{false};
  RunHooks hooks;
  hooks.checkpoint_path = path;
  hooks.stop = &stop;
  hooks.epoch = [&](const EpochReport& e) { stop = e.wave == 1; };
  REQUIRE(train(spec, data.task, hooks).result.stopped);
  stop = false;
  hooks.epoch = nullptr;
  spec.machine.memory_limit = 0;
  const auto second = train(spec, data.task, hooks);
  for (std::size_t m = 0; m < spec.models.size(); ++m) CHECK(same_bits(whole.weights[m], second.weights[m]));
}

TEST_CASE("a checkpoint of another run is refused in words") {
  const auto data = small_task();
  const std::string path = (std::filesystem::temp_directory_path() / "shoal_other_run.checkpoint").string();
  RunSpec spec = crowd();
  std::atomic<bool> stop{true};
  RunHooks hooks;
  hooks.checkpoint_path = path;
  hooks.stop = &stop;
  CHECK(train(spec, data.task, hooks).result.stopped);
  stop = false;
  spec.models[0].optimizer.lr *= 2;
  CHECK_THROWS_AS(train(spec, data.task, hooks), SpecError);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace shoal
