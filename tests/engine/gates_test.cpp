// Gates in whole runs: learning, schedules, what is delivered, and what is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/driver.h"
#include "engine/given_models.h"
#include "engine/initialize.h"
#include "engine/shrink.h"
#include "tests/engine/gated_models.h"

namespace shoal::test {
namespace {

TEST_CASE("gates: everything that learns moves, and the training learns its task") {
  const auto data = small_task();
  RunSpec spec = gated_crowd();
  const Trained start = train(
      [&] {
        RunSpec s = spec;
        s.epochs = 0;
        return s;
      }(),
      data.task);
  spec.epochs = 20;
  const Trained end = train(spec, data.task);
  CHECK(end.result.diverged == 0);
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    INFO("model " << m);
    CHECK(end.result.models[m].epoch_train_loss.back() < end.result.models[m].epoch_train_loss.front());
    for (std::size_t l = 0; l < spec.models[m].gates.size(); ++l) {
      const GateKind kind = spec.models[m].gates[l].kind;
      if (kind == GateKind::none) continue;
      const GateResult &before = start.result.models[m].gates[l], &after = end.result.models[m].gates[l];
      CHECK(after.kind == kind);
      CHECK((before.parameters == after.parameters) == (kind == GateKind::mask));
      CHECK(after.gates.size() == static_cast<std::size_t>(spec.models[m].hidden[l]));
      if (!has_size(kind)) continue;
      CHECK(after.size == after.parameters[0]);
      CHECK((before.parameters[1] == after.parameters[1]) ==
            (kind == GateKind::random_size || spec.models[m].gates[l].slope_lr == 0));
    }
  }
}

TEST_CASE("gates: the emulated device trains them like the CPU, groups with short epochs included") {
  const auto data = small_task(200, 60, 11, 3);
  RunSpec spec = gated_crowd();
  for (std::size_t m = 0; m < spec.models.size(); m += 3) spec.models[m].batch = 60;
  const Trained cpu = train(spec, data.task);
  spec.machine.kind = MachineSpec::Kind::emu;
  const Trained emu = train(spec, data.task);
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    INFO("model " << m);
    const ModelResult &a = cpu.result.models[m], &b = emu.result.models[m];
    REQUIRE(a.status == ModelStatus::ok);
    REQUIRE(b.status == ModelStatus::ok);
    // Rounding differences of 14 steps, amplified by training itself, as in run_test.cpp.
    CHECK(std::abs(a.train_loss - b.train_loss) <= 1e-3 * a.train_loss);
    REQUIRE(a.gates.size() == b.gates.size());
    for (std::size_t l = 0; l < a.gates.size(); ++l) {
      REQUIRE(a.gates[l].parameters.size() == b.gates[l].parameters.size());
      for (std::size_t i = 0; i < a.gates[l].parameters.size(); ++i)
        CHECK(std::abs(a.gates[l].parameters[i] - b.gates[l].parameters[i]) <= 1e-3);
    }
  }
}

/// A wave and its driver, with weights that somebody gives it.
struct Lab {
  RunSpec run;
  Wave wave;
  std::unique_ptr<Driver> driver;
  Control control;

  Lab(ModelSpec model, const Task& task, const std::vector<LayerWeights>& weights) {
    run.models = {std::move(model)};
    run.machine.threads = 1;
    const std::vector<std::int64_t> all{0};
    wave = empty_wave(all, run, task);
    put_weights(wave.layout, 0, weights, wave.parameters.data());
    driver = cpu_driver(wave, run, task);
  }
  /// The sum of the losses on the way.
  double train(std::int64_t epoch) {
    wave.loss.assign(1, 0.0);
    driver->train_epoch(epoch, control);
    return wave.loss[0];
  }
  double test_loss(const Task& task) { return driver->evaluate(task.test, nullptr, control).loss[0]; }
  std::vector<LayerWeights> weights() { return get_weights(wave.layout, 0, wave.parameters.data()); }
};

TEST_CASE("gates: until their epoch all are open, and the model is the one without gates") {
  const auto data = small_task();
  for (const GateKind kind : {GateKind::mask, GateKind::size, GateKind::random_size, GateKind::liveness,
                              GateKind::liveness_switch, GateKind::hard_concrete}) {
    CAPTURE(static_cast<int>(kind));
    ModelSpec gated = gated_model({20, 9}, kind);
    for (GateSpec& g : gated.gates) g.begin = 2;
    ModelSpec plain = gated;
    plain.gates.clear();
    const auto weights = initial_weights(plain, data.task.shape);
    Lab a(gated, data.task, weights), b(plain, data.task, weights);
    const std::vector<float> start = a.wave.gate.parameters;
    for (int epoch = 0; epoch < 2; ++epoch) {
      CHECK(a.train(epoch) == b.train(epoch));
      CHECK(a.test_loss(data.task) == b.test_loss(data.task));
    }
    CHECK(same_bits(a.weights(), b.weights()));
    CHECK(a.wave.gate.parameters == start);
    CHECK(a.train(2) != b.train(2));
    CHECK((a.wave.gate.parameters == start) == (kind == GateKind::mask));
    // The result of a run says the same.
    RunSpec run;
    run.models = {gated};
    run.epochs = 2;
    const Trained t = train(run, data.task);
    for (const GateResult& g : t.result.models[0].gates)
      for (const float gate : g.gates) CHECK(gate == 1.0f);
  }
}

TEST_CASE("gates: weights rest from their epoch on, while the gates go on") {
  const auto data = small_task();
  for (const GateKind kind : {GateKind::size, GateKind::random_size, GateKind::liveness,
                              GateKind::liveness_switch, GateKind::hard_concrete})
    for (const MachineSpec::Kind machine : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu}) {
      CAPTURE(static_cast<int>(kind));
      RunSpec spec;
      spec.machine.kind = machine;
      spec.models = {gated_model({20, 9}, kind), model({12})};
      spec.models[0].weights_rest = 1;
      spec.models[0].optimizer.weight_decay = 0.1;
      std::vector<Trained> after;
      for (const int epochs : {1, 3}) {
        spec.epochs = epochs;
        after.push_back(train(spec, data.task));
      }
      CHECK(same_bits(after[0].unfolded[0], after[1].unfolded[0]));
      CHECK(!same_bits(after[0].unfolded[1], after[1].unfolded[1]));
      for (std::size_t l = 0; l < 2; ++l) {
        const GateResult &a = after[0].result.models[0].gates[l], &b = after[1].result.models[0].gates[l];
        CHECK(a.parameters != b.parameters);
      }
      CHECK(after[0].result.models[0].test_loss != after[1].result.models[0].test_loss);
      spec.models[0].weights_rest = 0;
      CHECK(same_bits(train(spec, data.task).unfolded[0], initial_weights(spec.models[0], data.task.shape)));
    }
}

TEST_CASE("gates: a mask of 0 is the neuron's removal, in training and evaluation") {
  const auto data = small_task();
  const std::vector<int> kept0{0, 2, 3, 5, 6, 7, 17}, kept1{1, 2, 4};
  ModelSpec masked = model({18, 6}), small = model({7, 3});
  masked.gates.resize(2);
  for (std::size_t l = 0; l < 2; ++l) {
    masked.gates[l].kind = GateKind::mask;
    masked.gates[l].mask.assign(static_cast<std::size_t>(masked.hidden[l]), 0.0f);
    for (const int n : l == 0 ? kept0 : kept1) masked.gates[l].mask[static_cast<std::size_t>(n)] = 1.0f;
  }
  const auto weights = initial_weights(masked, data.task.shape);
  const auto cut = [](const LayerWeights& layer, const std::vector<int>& in, const std::vector<int>& out) {
    LayerWeights l{static_cast<int>(in.size()), static_cast<int>(out.size()), {}, {}};
    for (const int n : out) {
      for (const int k : in) l.weight.push_back(layer.weight[static_cast<std::size_t>(n * layer.inputs + k)]);
      l.bias.push_back(layer.bias[static_cast<std::size_t>(n)]);
    }
    return l;
  };
  std::vector<int> features(20), classes(4);
  for (int i = 0; i < 20; ++i) features[static_cast<std::size_t>(i)] = i;
  for (int i = 0; i < 4; ++i) classes[static_cast<std::size_t>(i)] = i;
  Lab a(masked, data.task, weights),
      b(small, data.task,
        {cut(weights[0], features, kept0), cut(weights[1], kept0, kept1), cut(weights[2], kept1, classes)});
  CHECK(a.test_loss(data.task) == b.test_loss(data.task));
  for (int epoch = 0; epoch < 3; ++epoch) CHECK(a.train(epoch) == b.train(epoch));
  CHECK(a.test_loss(data.task) == b.test_loss(data.task));
  // What is masked does not move.
  const auto after = a.weights();
  CHECK(after[0].weight[20 * 1] == weights[0].weight[20 * 1]);
  CHECK(after[2].weight[0] == weights[2].weight[0]);
  CHECK(after[2].weight[1] != weights[2].weight[1]);
}

TEST_CASE("gates: folded weights, evaluated as a plain network, are the run's") {
  const auto data = small_task();
  const RunSpec spec = gated_crowd();
  const Trained t = train(spec, data.task);
  const auto scores = evaluate_models(t.weights, data.task.test, data.task.scale, data.task.shift, spec.loss);
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    INFO("model " << m);
    const ModelResult& r = t.result.models[m];
    CHECK(scores[m].accuracy == r.test_accuracy);
    CHECK(scores[m].loss == doctest::Approx(r.test_loss).epsilon(1e-5));
    for (std::size_t l = 0; l < r.gates.size(); ++l) {
      if (r.gates[l].kind == GateKind::none) continue;
      const LayerWeights &a = t.weights[m][l + 1], &b = t.unfolded[m][l + 1];
      for (std::size_t i = 0; i < a.weight.size(); ++i)
        REQUIRE(a.weight[i] == b.weight[i] * r.gates[l].gates[i % r.gates[l].gates.size()]);
    }
  }
}

TEST_CASE("gates: moments of neurons have the gate in them, those before the ReLU have not") {
  const auto data = small_task();
  RunSpec spec;
  spec.epochs = 1;
  spec.models = {model({5})};
  spec.models[0].gates = {{.kind = GateKind::mask, .mask = {1.0f, 0.0f, -2.0f, 0.5f, 3.0f}}};
  for (const bool before_relu : {false, true}) {
    spec.moments_before_relu = before_relu;
    const Trained t = train(spec, data.task);
    for (std::size_t n = 0; n < 5; ++n) {
      CAPTURE(n);
      double sum = 0, squares = 0, least = 1e30, most = -1e30, zeros = 0;
      const LayerWeights& layer = t.unfolded[0][0];
      for (std::size_t i = 0; i < 300; ++i) {
        double z = layer.bias[n];
        for (std::size_t f = 0; f < 20; ++f)
          z += layer.weight[n * 20 + f] * (data.train[i * 20 + f] * data.task.scale + data.task.shift);
        const double y = before_relu ? z : spec.models[0].gates[0].mask[n] * std::max(z, 0.0);
        sum += y, squares += y * y, zeros += y == 0;
        least = std::min(least, y), most = std::max(most, y);
      }
      const Moments& m = t.result.models[0].neurons[0][n];
      CHECK(m.mean == doctest::Approx(sum / 300).epsilon(1e-4));
      CHECK(std::abs(variance(m) - (squares / 300 - sum / 300 * sum / 300)) <= 1e-4 * (squares / 300));
      CHECK(m.min == doctest::Approx(least).epsilon(1e-4));
      CHECK(m.max == doctest::Approx(most).epsilon(1e-4));
      CHECK(m.zeros == zeros);
    }
  }
}

TEST_CASE("gates: strict gates that reach 0 stay there, and the size is how many are left") {
  const auto data = small_task();
  RunSpec spec;
  spec.models = {gated_model({40}, GateKind::liveness)};
  spec.models[0].gates[0].penalty = 0.02;
  std::vector<GateResult> after;
  for (const int epochs : {4, 8, 12}) {
    spec.epochs = epochs;
    after.push_back(train(spec, data.task).result.models[0].gates[0]);
  }
  for (std::size_t t = 0; t < after.size(); ++t) {
    const auto open =
        std::count_if(after[t].gates.begin(), after[t].gates.end(), [](float g) { return g > 0; });
    CHECK(after[t].size == static_cast<double>(open));
    for (std::size_t i = 0; t > 0 && i < 40; ++i)
      if (after[t - 1].parameters[i] == 0.0f) CHECK(after[t].parameters[i] == 0.0f);
  }
  CHECK(after[0].size < 40);
  CHECK(after[2].size < after[0].size);
  CHECK(after[2].size > 0);
}

TEST_CASE("gates: sizes are recorded epoch by epoch, and reported as the sum of a model's layers") {
  const auto data = small_task();
  RunSpec spec = gated_crowd();
  spec.epochs = 3;
  std::vector<std::vector<double>> reported(spec.models.size());
  RunHooks hooks;
  hooks.epoch = [&](const EpochReport& e) {
    for (std::size_t i = 0; i < e.models.size(); ++i)
      reported[static_cast<std::size_t>(e.models[i])].push_back(e.size[i]);
  };
  const Trained t = train(spec, data.task, hooks);
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    const std::vector<GateResult>& gates = t.result.models[m].gates;
    REQUIRE(reported[m].size() == 3);
    for (std::size_t e = 0; e < 3; ++e) {
      double sum = std::numeric_limits<double>::quiet_NaN();
      for (const GateResult& g : gates) {
        if (g.kind == GateKind::none) continue;
        REQUIRE(g.epoch_size.size() == 3);
        sum = std::isnan(sum) ? g.epoch_size[e] : sum + g.epoch_size[e];
        if (e == 2) CHECK(g.epoch_size[e] == g.size);
      }
      CHECK((std::isnan(sum) ? std::isnan(reported[m][e]) : reported[m][e] == sum));
    }
  }
}

TEST_CASE("gates: a model with gates that diverges is frozen, its gates with it, and nobody else notices") {
  const auto data = small_task();
  for (const MachineSpec::Kind machine : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu}) {
    RunSpec spec = gated_crowd();
    spec.machine.kind = machine;
    spec.epochs = 1;
    const Trained healthy = train(spec, data.task);
    RunSpec ill = spec;
    ill.models[1].optimizer.rule = UpdateRule::sgd;
    ill.models[1].optimizer.lr = 1e30;
    const Trained once = train(ill, data.task);
    CHECK(once.result.diverged == 1);
    CHECK(once.result.models[1].status == ModelStatus::diverged);
    ill.epochs = 2;
    const Trained twice = train(ill, data.task);
    for (std::size_t l = 0; l < once.result.models[1].gates.size(); ++l)
      CHECK(once.result.models[1].gates[l].parameters == twice.result.models[1].gates[l].parameters);
    for (std::size_t m = 0; m < spec.models.size(); ++m)
      if (m != 1) check_same(healthy, m, once, m);
  }
}

TEST_CASE("gates: neurons leave only when their gates work") {
  const auto data = small_task();
  ModelSpec gated = gated_model({12}, GateKind::liveness);
  gated.gates[0].start = 0.0, gated.gates[0].spread = 0.0, gated.gates[0].begin = 2;
  gated.remove_dead = true;
  Lab lab(gated, data.task, initial_weights(gated, data.task.shape));
  lab.train(0);
  CHECK(!survivors(lab.wave));
  lab.train(1);
  CHECK(!survivors(lab.wave));
  lab.train(2);
  CHECK(survivors(lab.wave));
}

TEST_CASE("gates: an identity covers all that they do, and nothing that is not there") {
  const TaskShape shape{20, 4};
  const ModelSpec plain = model({20, 9});
  ModelSpec none = plain;
  none.gates.resize(2);
  none.gates[0].penalty = 3.0;
  CHECK(model_id(none, shape) == model_id(plain, shape));
  std::vector<ModelId> ids{model_id(plain, shape)};
  const auto add = [&](auto change) {
    ModelSpec m = gated_model({20, 9}, GateKind::size);
    change(m);
    ids.push_back(model_id(m, shape));
  };
  add([](ModelSpec&) {});
  add([](ModelSpec& m) { m.gates[1].penalty *= 2; });
  add([](ModelSpec& m) { m.gates[1].start = 3; });
  add([](ModelSpec& m) { m.gates[1].begin = 1; });
  add([](ModelSpec& m) { m.gates[1] = {}; });
  add([](ModelSpec& m) { m.gates[0] = {}; });
  add([](ModelSpec& m) { m.weights_rest = 0; });
  add([](ModelSpec& m) { m.gates.clear(), m.weights_rest = 0; });
  std::sort(ids.begin(), ids.end());
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
}

TEST_CASE("gates that cannot be run are refused in words") {
  const auto data = small_task();
  const double nan = std::nan("");
  const auto refused = [&](GateKind kind, auto change, const char* word) {
    RunSpec spec;
    spec.models = {gated_model({8}, kind)};
    change(spec.models[0]);
    try {
      run(spec, data.task, {});
      FAIL("accepted: ", word);
    } catch (const SpecError& e) {
      CHECK_MESSAGE(std::string(e.what()).find(word) != std::string::npos, e.what());
    }
  };
  using enum GateKind;
  refused(
      size, [](ModelSpec& m) { m.gates.push_back({}); }, "gates for 2 layers");
  refused(
      size, [&](ModelSpec& m) { m.gates[0].penalty = nan; }, "penalty");
  refused(
      size, [](ModelSpec& m) { m.gates[0].penalty = -1; }, "penalty");
  refused(
      size, [](ModelSpec& m) { m.gates[0].lr = -1; }, "lr");
  refused(
      size, [](ModelSpec& m) { m.gates[0].start = 2e6; }, "start");
  refused(
      size, [&](ModelSpec& m) { m.gates[0].slope = nan; }, "slope");
  refused(
      size, [](ModelSpec& m) { m.gates[0].slope_lr = -1; }, "slope-lr");
  refused(
      size, [](ModelSpec& m) { m.gates[0].begin = -1; }, "begin in epoch -1");
  refused(
      size, [](ModelSpec& m) { m.weights_rest = -2; }, "epoch -2");
  refused(
      random_size, [](ModelSpec& m) { m.gates[0].zone_low = 0; }, "grey zone");
  refused(
      random_size, [](ModelSpec& m) { m.gates[0].zone_low = 1e-40; }, "grey zone");
  refused(
      random_size, [](ModelSpec& m) { m.gates[0].zone_low = 30; }, "grey zone");
  refused(
      random_size, [&](ModelSpec& m) { m.gates[0].zone_high = nan; }, "grey zone");
  refused(
      liveness, [](ModelSpec& m) { m.gates[0].spread = -1; }, "spread");
  refused(
      liveness_switch, [](ModelSpec& m) { m.gates[0].inertia = 1.5; }, "inertia");
  refused(
      liveness_switch, [&](ModelSpec& m) { m.gates[0].inertia = nan; }, "inertia");
  refused(
      liveness_switch, [&](ModelSpec& m) { m.gates[0].inertia = 0.9, m.gates[0].threshold = nan; },
      "threshold");
  refused(
      mask, [](ModelSpec& m) { m.gates[0].mask.pop_back(); }, "mask of 7 factors for a layer of 8");
  refused(
      mask, [](ModelSpec& m) { m.gates[0].mask[3] = std::nanf(""); }, "not finite");
  CHECK_THROWS_AS(parse_gate("sise"), SpecError);
  for (const std::string_view name : gate_names()) CHECK(name_of(parse_gate(name)) == name);
  for (const std::string_view name : size_penalty_names()) CHECK(name_of(parse_size_penalty(name)) == name);
}

}  // namespace
}  // namespace shoal::test
