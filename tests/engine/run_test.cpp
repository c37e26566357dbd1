// Training as a whole: it learns, diverging models freeze alone, padding stays zero, plans are right,
// machines agree.
#include "engine/run.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "engine/driver.h"
#include "engine/initialize.h"
#include "engine/waves.h"
#include "tests/engine/small_task.h"

namespace shoal {
namespace {

using test::model;
using test::same_bits;
using test::small_task;
using test::train;

TEST_CASE("every rule and init that can learns an easy task") {
  const auto data = small_task();
  RunSpec spec;
  spec.epochs = 40;
  for (const UpdateRule rule : test::all_rules())
    for (const Init init : {Init::torch, Init::kaiming_normal, Init::kaiming_uniform, Init::xavier_normal,
                            Init::xavier_uniform, Init::orthogonal}) {
      spec.models.push_back(model({24, 12}, 1, rule));
      spec.models.back().init = init;
    }
  for (const LossKind loss : {LossKind::cross_entropy, LossKind::squared_error}) {
    spec.loss = loss;
    const RunResult result = run(spec, data.task, {});
    CHECK(result.diverged == 0);
    for (const ModelResult& m : result.models) {
      CHECK(m.test_accuracy > 0.9);
      CHECK(m.epoch_train_loss.back() < m.epoch_train_loss.front());
    }
  }
}

TEST_CASE("a model that diverges is frozen and marked; the others go on as if it were not there") {
  const auto data = small_task();
  RunSpec spec;
  spec.epochs = 3;
  for (const double lr : {1e-3, 1e30, 1e-2}) {
    spec.models.push_back(model({10}, 1, UpdateRule::sgd));
    spec.models.back().optimizer.lr = lr;
  }
  const auto crowd = train(spec, data.task);
  CHECK(crowd.result.diverged == 1);
  CHECK(crowd.result.models[1].status == ModelStatus::diverged);
  CHECK(crowd.result.models[1].diverged_epoch == 0);
  CHECK(std::isnan(crowd.result.models[1].test_loss));
  CHECK(std::isnan(crowd.result.models[1].epoch_train_loss[0]));
  for (const std::size_t m : {std::size_t{0}, std::size_t{2}}) {
    CHECK(crowd.result.models[m].status == ModelStatus::ok);
    RunSpec alone = spec;
    alone.models = {spec.models[m]};
    CHECK(same_bits(train(alone, data.task).weights[0], crowd.weights[m]));
  }
}

TEST_CASE("group lasso takes whole neurons to exactly 0, and the others learn the task") {
  const auto data = small_task();
  for (const MachineSpec::Kind kind : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu}) {
    RunSpec spec;
    spec.machine.kind = kind;
    spec.epochs = kind == MachineSpec::Kind::cpu ? 80 : 20;
    spec.models = {model({60}, 1, UpdateRule::sgd), model({60}, 1, UpdateRule::sgd),
                   model({40, 20}, 1, UpdateRule::sgd)};
    for (const std::size_t m : {std::size_t{1}, std::size_t{2}})
      spec.models[m].optimizer.group_lasso = kind == MachineSpec::Kind::cpu ? 0.04 : 0.06;
    const auto t = train(spec, data.task);
    const auto zero_neurons = [&](std::size_t m) {
      int zero = 0;
      const LayerWeights& layer = t.weights[m][0];
      for (int n = 0; n < layer.outputs; ++n) {
        const auto row = layer.weight.begin() + n * layer.inputs;
        zero += layer.bias[static_cast<std::size_t>(n)] == 0.0f &&
                std::all_of(row, row + layer.inputs, [](float w) { return w == 0.0f; });
      }
      return zero;
    };
    CHECK(zero_neurons(0) == 0);
    for (const std::size_t m : {std::size_t{1}, std::size_t{2}}) {
      CHECK(zero_neurons(m) >= 3);
      CHECK(zero_neurons(m) < t.weights[m][0].outputs);
      CHECK(t.result.models[m].test_accuracy > 0.9);
    }
  }
}

TEST_CASE("state that fades away does not end in denormal numbers, which are slow") {
  const auto data = small_task();
  RunSpec spec;
  spec.models = {model({17, 3})};
  spec.machine.threads = 1;
  const std::vector<std::int64_t> all = {0};
  Wave wave = make_wave(all, spec, data.task);
  // Neurons that died: nothing reaches them, and Adam's first moments shrink by 0.9 a step. In the ten steps
  // of the epoch these would fall to 7e-39.
  for (std::size_t i = 0; i < wave.parameters.size(); ++i) wave.parameters[i] = 0.0f;
  for (std::size_t i = 0; i < wave.slot_a.size(); ++i) wave.slot_a[i] = 2e-38f;
  const auto driver = cpu_driver(wave, spec, data.task);
  Control control;
  driver->train_epoch(0, control);
  // Fused, a step that would be denormal is 0; unfused, the product that shrinks the moment is, and it stays.
  int denormal = 0;
  for (std::size_t i = 0; i < wave.slot_a.size(); ++i)
    denormal += std::fpclassify(wave.slot_a[i]) == FP_SUBNORMAL;
  CHECK(denormal == 0);
  // Nobody else's arithmetic has changed.
  volatile float small = std::numeric_limits<float>::denorm_min();
  CHECK(std::fpclassify(small * 2.0f) == FP_SUBNORMAL);
}

TEST_CASE("padding weights and their optimizer state stay exactly zero") {
  const auto data = small_task();
  RunSpec spec;
  for (const UpdateRule rule : test::all_rules())
    for (const auto& hidden : std::vector<std::vector<int>>{{5}, {17, 3}, {70}}) {
      spec.models.push_back(model(hidden, 3, rule));
      spec.models.back().optimizer.l1 = spec.models.back().optimizer.l2 =
          spec.models.back().optimizer.weight_decay = 1e-3;
    }
  std::vector<std::int64_t> all(spec.models.size());
  for (std::size_t m = 0; m < all.size(); ++m) all[m] = static_cast<std::int64_t>(m);
  Wave wave = make_wave(all, spec, data.task);
  const auto driver = cpu_driver(wave, spec, data.task);
  Control control;
  driver->train_epoch(0, control);
  driver->train_epoch(1, control);
  // Take the real parameters away: what is left is padding. (AdaMax's infinity norm holds eps there, which
  // multiplies 0.)
  for (std::size_t m = 0; m < all.size(); ++m) {
    std::vector<LayerWeights> zero = get_weights(wave.layout, all[m], wave.parameters.data());
    bool moved = false;
    for (LayerWeights& l : zero) {
      for (const float w : l.weight) moved |= w != 0.0f;
      l.weight.assign(l.weight.size(), 0.0f), l.bias.assign(l.bias.size(), 0.0f);
    }
    CHECK(moved);
    put_weights(wave.layout, all[m], zero, wave.parameters.data());
    put_weights(wave.layout, all[m], zero, wave.slot_a.data());
  }
  for (std::size_t i = 0; i < wave.parameters.size(); ++i) {
    REQUIRE(wave.parameters[i] == 0.0f);
    REQUIRE(wave.slot_a[i] == 0.0f);
  }
}

TEST_CASE("the emulated device trains like the CPU") {
  const auto data = small_task(200, 60, 11, 3);
  RunSpec spec;
  spec.epochs = 2;
  for (const UpdateRule rule :
       {UpdateRule::sgd, UpdateRule::nesterov, UpdateRule::adam, UpdateRule::adamax, UpdateRule::amsgrad})
    for (const auto& hidden : std::vector<std::vector<int>>{{5}, {20, 7}, {70}})
      spec.models.push_back(model(hidden, 2, rule));
  spec.models[1].batch = 60;  // a group whose epoch is shorter
  spec.models[2].optimizer.lr = 1e30;
  const auto cpu = train(spec, data.task);
  spec.machine.kind = MachineSpec::Kind::emu;
  const auto emu = train(spec, data.task);
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    const ModelResult &a = cpu.result.models[m], &b = emu.result.models[m];
    CHECK(a.status == b.status);
    if (a.status == ModelStatus::diverged) continue;
    INFO("model " << m << " train loss " << a.train_loss << " and " << b.train_loss);
    // 14 steps of rounding differences, amplified by training itself: far above 1e-7, far below what a wrong
    // kernel does.
    CHECK(std::abs(a.train_loss - b.train_loss) <= 1e-3 * a.train_loss);
    CHECK(std::abs(a.neurons[0][0].mean - b.neurons[0][0].mean) <=
          1e-3 * (1 + std::abs(a.neurons[0][0].mean)));
    CHECK(a.neurons[0][0].count == 200.0);
    CHECK(b.neurons[0][0].count == 200.0);
  }
}

TEST_CASE("moments before ReLU are those of xW + b") {
  const auto data = small_task();
  RunSpec spec;
  spec.epochs = 1;
  spec.models = {model({6})};
  const auto after = train(spec, data.task);
  spec.moments_before_relu = true;
  const auto before = train(spec, data.task);
  CHECK(same_bits(after.weights[0], before.weights[0]));
  const LayerWeights& layer = before.weights[0][0];
  for (std::size_t n = 0; n < 6; ++n) {
    double sum = 0, squares = 0, active = 0;
    for (int i = 0; i < 300; ++i) {
      double z = layer.bias[n];
      for (std::size_t f = 0; f < 20; ++f)
        z += layer.weight[n * 20 + f] *
             (data.train[static_cast<std::size_t>(i) * 20 + f] * data.task.scale + data.task.shift);
      sum += z, squares += z * z, active += z > 0 ? z : 0;
    }
    const Moments &z = before.result.models[0].neurons[0][n], &r = after.result.models[0].neurons[0][n];
    CHECK(z.mean == doctest::Approx(sum / 300).epsilon(1e-4));
    CHECK(variance(z) == doctest::Approx(squares / 300 - sum / 300 * sum / 300).epsilon(1e-3));
    CHECK(r.mean == doctest::Approx(active / 300).epsilon(1e-4));
  }
}

TEST_CASE("details of epochs: the loss of the whole set, and how far the last step went") {
  const auto data = small_task();
  RunSpec spec;
  spec.epoch_details = true;
  for (const UpdateRule rule : test::all_rules())
    for (const auto& hidden : std::vector<std::vector<int>>{{5}, {30}, {70, 9}}) {
      spec.models.push_back(model(hidden, 1, rule));
      spec.models.back().batch = 300;  // one step an epoch
      spec.models.back().optimizer.beta2 = 0.9;
    }
  std::vector<test::Trained> runs;
  for (const int epochs : {5, 6}) {
    spec.epochs = epochs;
    runs.push_back(train(spec, data.task));
  }
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    CAPTURE(m);
    const ModelResult& result = runs[1].result.models[m];
    REQUIRE(result.details.size() == 6);
    CHECK(result.details[5].train_loss == result.train_loss);
    CHECK(result.details[4].train_loss == runs[0].result.models[m].train_loss);
    // The loss before the step is what the step's batch, the whole set, has seen.
    CHECK(result.epoch_train_loss[5] == doctest::Approx(result.details[4].train_loss).epsilon(1e-6));
    double squares = 0, count = 0;
    for (std::size_t l = 0; l < runs[1].weights[m].size(); ++l)
      for (const auto part : {&LayerWeights::weight, &LayerWeights::bias})
        for (std::size_t i = 0; i < (runs[1].weights[m][l].*part).size(); ++i) {
          const double change = static_cast<double>((runs[1].weights[m][l].*part)[i]) -
                                static_cast<double>((runs[0].weights[m][l].*part)[i]);
          squares += change * change, count += 1;
        }
    const double moved = std::sqrt(squares / count);
    const UpdateRule rule = spec.models[m].optimizer.rule;
    if (rule == UpdateRule::sgd) CHECK(result.details[5].step == 0.0);
    else if (rule != UpdateRule::nesterov)
      CHECK(result.details[5].step == doctest::Approx(moved).epsilon(1e-3));
    CHECK((result.details[5].scale > 0.0) == (slot_count(rule) > 1));
  }
}

TEST_CASE("details of epochs: parameters whose scale is below eps") {
  const auto data = small_task();
  RunSpec spec;
  spec.epochs = 1, spec.epoch_details = true;
  for (const double eps : {1e-30, 1e6}) {
    spec.models.push_back(model({8}));
    spec.models.back().optimizer.eps = eps;
  }
  const RunResult result = run(spec, data.task, {});
  CHECK(result.models[0].details[0].below_eps < 0.5);  // dead neurons have scale 0
  CHECK(result.models[1].details[0].below_eps == 1.0);
}

TEST_CASE("specs that cannot be run are refused in words") {
  const auto data = small_task();
  const auto refused = [&](auto change) {
    RunSpec spec;
    spec.models = {model({8})};
    change(spec);
    CHECK_THROWS_AS(run(spec, data.task, {}), SpecError);
  };
  refused([](RunSpec& s) { s.models.clear(); });
  refused([](RunSpec& s) { s.epochs = -1; });
  for (const int width : {0, -5, 1'000'000'000}) refused([&](RunSpec& s) { s.models[0].hidden = {width}; });
  refused([](RunSpec& s) { s.models[0].hidden = {}; });
  refused([](RunSpec& s) { s.models[0].hidden = {1, 2, 3, 4, 5}; });
  refused([](RunSpec& s) { s.models[0].batch = 301; });
  refused([](RunSpec& s) { s.models[0].batch = 0; });
  refused([](RunSpec& s) { s.models[0].optimizer.lr = std::nan(""); });
  refused([](RunSpec& s) { s.models[0].optimizer.lr = -1; });
  refused([](RunSpec& s) { s.models[0].optimizer.eps = 0; });
  refused([](RunSpec& s) { s.models[0].optimizer.beta2 = 1; });
  RunSpec spec;
  spec.models = {model({4000})};
  spec.machine.memory_limit = 100'000;
  CHECK_THROWS_AS(run(spec, data.task, {}), DeviceError);
}

TEST_CASE("a plan counts what a run has") {
  const auto data = small_task();
  RunSpec spec;
  spec.models = {model({8}), model({100, 50})};
  spec.epochs = 3;
  const RunPlan plan = plan_run(spec, data.task);
  CHECK(plan.models == 2);
  CHECK(plan.parameters == (20 * 8 + 8 + 8 * 4 + 4) + (20 * 100 + 100 + 100 * 50 + 50 + 50 * 4 + 4));
  CHECK(plan.padded_parameters >= plan.parameters);
  CHECK(plan.waves == 1);
  CHECK(plan.packs == 2);
  CHECK(plan.data_bytes == 300 * 24 + 90 * 24);
  CHECK(plan.train_flops == 300.0 * 3 * (4 * 20 * 8 + 6 * 8 * 4 + 4 * 20 * 100 + 6 * 100 * 50 + 6 * 50 * 4));
}

TEST_CASE("weights at the end of an epoch are those of a run that ends there") {
  const auto small = small_task();
  for (const MachineSpec::Kind kind : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu}) {
    RunSpec spec;
    spec.models = {model({5}), model({70}, 2), model({16, 9}, 3)};
    spec.epochs = 3;
    spec.machine.kind = kind;
    RunHooks hooks;
    hooks.weight_epochs = {2, 3, 7};
    std::map<std::pair<int, std::int64_t>, std::vector<LayerWeights>> seen;
    hooks.epoch_weights = [&](const EpochWeights& w) {
      for (std::size_t m = 0; m < w.models.size(); ++m) seen[{w.epochs, w.models[m]}] = w.of(m);
    };
    const auto whole = train(spec, small.task, hooks);
    spec.epochs = 2;
    const auto part = train(spec, small.task);
    CHECK(seen.size() == 6);
    for (std::int64_t m = 0; m < 3; ++m) {
      CHECK(same_bits(seen[{2, m}], part.weights[static_cast<std::size_t>(m)]));
      CHECK(same_bits(seen[{3, m}], whole.weights[static_cast<std::size_t>(m)]));
    }
    spec.models[0].gates.resize(1);
    spec.models[0].gates[0].kind = GateKind::size;
    CHECK_THROWS_AS(train(spec, small.task, hooks), SpecError);
  }
}

}  // namespace
}  // namespace shoal
