// train_toys: the general engine's networks on full batches, and what it refuses.
#include "engine/toys.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "engine/initialize.h"
#include "tests/engine/small_task.h"
#include "tests/reference/optimizer.h"

namespace shoal::test {
namespace {

constexpr int kPoints = 60;

SmallTask toy_task(int features = 2, int classes = 2) {
  return small_task(kPoints, 20, features, classes, 3);
}

ModelSpec toy(int hidden, std::uint64_t seed, UpdateRule rule = UpdateRule::adam) {
  ModelSpec m = model({hidden}, seed, rule);
  m.batch = kPoints;
  return m;
}

std::vector<MachineSpec> machine_specs() {
  return {{.kind = MachineSpec::Kind::cpu, .threads = 1},
          {.kind = MachineSpec::Kind::cpu, .threads = 3},
          {.kind = MachineSpec::Kind::emu}};
}

reference::Model in_reference(const Layers& layers) {
  reference::Model m;
  for (const LayerWeights& l : layers) {
    reference::Layer layer;
    layer.weight.assign(static_cast<std::size_t>(l.inputs),
                        reference::Vector(static_cast<std::size_t>(l.outputs)));
    for (std::size_t n = 0; n < layer.weight[0].size(); ++n)
      for (std::size_t k = 0; k < layer.weight.size(); ++k)
        layer.weight[k][n] = static_cast<double>(l.weight[n * layer.weight.size() + k]);
    layer.bias.assign(l.bias.begin(), l.bias.end());
    if (m.layers.empty()) layer.gate.assign(layer.bias.size(), 1.0);
    m.layers.push_back(std::move(layer));
  }
  return m;
}

reference::Samples samples_of(const Task& task) {
  reference::Samples s;
  for (std::int64_t i = 0; i < task.train.count; ++i) {
    reference::Vector row;
    for (int f = 0; f < task.train.features; ++f)
      row.push_back(static_cast<double>(std::fma(
          static_cast<float>(task.train.bytes[i * task.train.features + f]), task.scale, task.shift)));
    s.inputs.push_back(std::move(row));
    s.labels.push_back(task.train.labels[i]);
  }
  return s;
}

/// `steps` full batches in double; of gradients disturbed by `noise`.
reference::Trainer reference_run(const ModelSpec& m, const Task& task, int steps, double noise,
                                 std::uint64_t seed, std::vector<double>& losses) {
  reference::Optimizer o;
  o.rule = static_cast<reference::Rule>(m.optimizer.rule);
  o.lr = m.optimizer.lr, o.eps = m.optimizer.eps, o.decay = m.optimizer.weight_decay;
  reference::Trainer t{in_reference(initial_weights(m, task.shape)), o};
  t.noise = noise, t.noise_seed = seed;
  const reference::Samples samples = samples_of(task);
  for (int k = 0; k < steps; ++k) losses.push_back(t.step(samples).sum / kPoints);
  return t;
}

std::vector<double> flat(const reference::Model& m) {
  reference::Model copy = m;
  std::vector<double> all;
  for (const double* p : parameters_of(copy, false)) all.push_back(*p);
  return all;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double most = a.size() == b.size() && !a.empty() ? 0.0 : HUGE_VAL;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double off = std::abs(a[i] - b[i]);
    if (!(off <= most)) most = std::isnan(off) ? HUGE_VAL : off;
  }
  return most;
}

/// A network that keeps clear of its kinks, and how far rounding may carry it: what gradients disturbed by
/// 2e-6 of the largest (tests/kernels/gradients_test.cpp) grow to, five times the worst of three.
struct Clear {
  ModelSpec model;
  std::vector<double> weights, losses;
  double weight_tolerance = 0.0, loss_tolerance = 0.0;
};

Clear clear_toy(ModelSpec m, const Task& task, int steps) {
  for (m.seed = 1; m.seed < 200; ++m.seed) {
    Clear c{m, {}, {}};
    const reference::Trainer exact = reference_run(m, task, steps, 0.0, 0, c.losses);
    if (!(exact.smallest_clearance > 2e-5)) continue;
    c.weights = flat(exact.model);
    c.weight_tolerance = 1e-6, c.loss_tolerance = 1e-5;  // of numbers about 1: roundings of each step
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      std::vector<double> losses;
      const reference::Trainer off = reference_run(m, task, steps, 2e-6, seed, losses);
      c.weight_tolerance = std::max(c.weight_tolerance, 5.0 * largest_difference(flat(off.model), c.weights));
      c.loss_tolerance = std::max(c.loss_tolerance, 5.0 * largest_difference(losses, c.losses));
    }
    return c;
  }
  FAIL("no network keeps its distance from the kinks");
  return {};
}

TEST_CASE("toys: the general engine's run on the same full batch, and the reference's") {
  constexpr int kSteps = 15;
  for (const int classes : {2, 4}) {
    const SmallTask small = toy_task(2, classes);
    std::vector<Clear> expected;
    for (const UpdateRule rule : all_rules()) {
      ModelSpec m = toy(static_cast<int>(expected.size()) % 3 * 6 + 5, 1, rule);
      m.optimizer.eps = 0.01;  // else Adam's step is no smooth function of small gradients
      m.optimizer.weight_decay = 0.01;
      expected.push_back(clear_toy(m, small.task, kSteps));
    }
    ToySpec spec;
    RunSpec general;
    for (const Clear& c : expected) spec.networks.push_back(c.model);
    general.models = spec.networks, general.epochs = kSteps, general.neuron_moments = false;
    spec.steps = kSteps, spec.loss_every = 1;
    const shoal::test::Trained engine = train(general, small.task);
    for (const MachineSpec& machine : machine_specs()) {
      CAPTURE(static_cast<int>(machine.kind));
      spec.machine = machine;
      const ToyRun run = train_toys(spec, small.task);
      REQUIRE(run.networks.size() == expected.size());
      for (std::size_t m = 0; m < expected.size(); ++m) {
        CAPTURE(m);
        const Clear& c = expected[m];
        const std::vector<double> weights = flat(in_reference(run.networks[m].layers)),
                                  general_weights = flat(in_reference(engine.weights[m]));
        CHECK(largest_difference(weights, c.weights) <= c.weight_tolerance);
        CHECK(largest_difference(weights, general_weights) <= 2.0 * c.weight_tolerance);
        CHECK(largest_difference(run.networks[m].losses, c.losses) <= c.loss_tolerance);
        CHECK(largest_difference(run.networks[m].losses, engine.result.models[m].epoch_train_loss) <=
              2.0 * c.loss_tolerance);
        // The tolerance means something.
        const std::vector<double> start = flat(in_reference(initial_weights(c.model, small.task.shape)));
        CHECK(largest_difference(start, c.weights) > 200.0 * c.weight_tolerance);
        CHECK(run.networks[m].diverged_step == 0);
      }
      CHECK(run.model_samples == doctest::Approx(6.0 * kPoints * kSteps));
    }
  }
}

/// 40 networks of all rules and many widths.
ToySpec crowd(int steps = 12) {
  ToySpec spec;
  for (std::uint64_t k = 0; k < 40; ++k)
    spec.networks.push_back(toy(static_cast<int>(k * 11 % 64) + 1, k, all_rules()[k % kUpdateRules]));
  spec.steps = steps, spec.loss_every = 5;
  return spec;
}

bool same(const ToyNetwork& a, const ToyNetwork& b) {
  return same_bits(a.layers, b.layers) && a.losses == b.losses && a.diverged_step == b.diverged_step;
}

TEST_CASE("toys: the same bits in any order, on any number of threads, alone and in waves") {
  const SmallTask small = toy_task();
  for (const MachineSpec& machine : machine_specs()) {
    ToySpec spec = crowd();
    spec.machine = machine;
    const ToyRun all = train_toys(spec, small.task);
    REQUIRE(all.networks.size() == 40);
    CHECK(all.networks[0].losses.size() == 3);
    ToySpec backwards = spec;
    std::ranges::reverse(backwards.networks);
    backwards.machine.threads = 2;
    if (machine.kind == MachineSpec::Kind::emu) backwards.machine.memory_limit = 300000;
    const ToyRun again = train_toys(backwards, small.task);
    for (std::size_t m = 0; m < 40; ++m) CHECK(same(again.networks[39 - m], all.networks[m]));
    for (const std::size_t m : {std::size_t{7}, std::size_t{22}}) {
      ToySpec alone = spec;
      alone.networks = {spec.networks[m]};
      CHECK(same(train_toys(alone, small.task).networks[0], all.networks[m]));
    }
  }
}

TEST_CASE("toys: without a step that moves, weights are the initial ones of the general engine") {
  const SmallTask small = toy_task(4, 10);
  ToySpec spec;
  for (const Init init : {Init::torch, Init::kaiming_normal, Init::orthogonal, Init::xavier_uniform}) {
    spec.networks.push_back(toy(33, 5, UpdateRule::sgd));
    spec.networks.back().init = init, spec.networks.back().optimizer.lr = 0.0;
  }
  spec.steps = 1;
  const ToyRun run = train_toys(spec, small.task);
  std::vector<Layers> models;
  for (std::size_t m = 0; m < spec.networks.size(); ++m) {
    CHECK(same_bits(run.networks[m].layers, initial_weights(spec.networks[m], small.task.shape)));
    models.push_back(run.networks[m].layers);
  }
  const std::vector<GivenScore> scores =
      evaluate_models(models, small.task.train, small.task.scale, small.task.shift, LossKind::cross_entropy);
  for (std::size_t m = 0; m < models.size(); ++m) {
    REQUIRE(run.networks[m].losses.size() == 1);
    CHECK(std::abs(run.networks[m].losses[0] - scores[m].loss) <= 1e-6 * (1.0 + scores[m].loss));
  }
}

TEST_CASE("toys: a network that diverges is marked, keeps the weights before, and disturbs nobody") {
  const SmallTask small = toy_task();
  for (const MachineSpec& machine : machine_specs()) {
    ToySpec spec = crowd();
    spec.machine = machine, spec.loss_every = 1;
    const ToyRun calm = train_toys(spec, small.task);
    spec.networks[12].optimizer.lr = 1e30;
    const ToyRun run = train_toys(spec, small.task);
    CHECK(run.networks[12].diverged_step == 2);
    CHECK(std::isfinite(run.networks[12].losses[0]));
    CHECK(std::isnan(run.networks[12].losses[1]));
    for (const LayerWeights& l : run.networks[12].layers)
      for (const float w : l.weight) CHECK(std::isfinite(w));
    for (std::size_t m = 0; m < 40; ++m)
      if (m != 12) CHECK(same(run.networks[m], calm.networks[m]));
  }
}

TEST_CASE("toys: progress ends at 1, and a stop leaves nothing") {
  const SmallTask small = toy_task();
  for (const MachineSpec& machine : machine_specs()) {
    ToySpec spec = crowd();
    spec.machine = machine;
    ToyHooks hooks;
    double last = -1.0;
    hooks.progress = [&](const ToyProgress& p) {
      CHECK(p.done >= last);
      last = p.done;
    };
    CHECK_FALSE(train_toys(spec, small.task, hooks).stopped);
    CHECK(last == doctest::Approx(1.0));
    const std::atomic<bool> stop{true};
    hooks.stop = &stop, hooks.progress = {};
    const ToyRun run = train_toys(spec, small.task, hooks);
    CHECK(run.stopped);
    CHECK(run.networks.empty());
  }
}

TEST_CASE("toys: settings in epochs count steps") {
  const SmallTask small = toy_task();
  ToySpec spec;
  spec.networks = {toy(9, 1), toy(9, 1)};
  spec.networks[0].weights_rest = 3;
  spec.networks[0].id = spec.networks[1].id = 77;  // the same initial weights
  spec.steps = 6;
  ToySpec three = spec;
  three.steps = 3;
  const ToyRun run = train_toys(spec, small.task), early = train_toys(three, small.task);
  CHECK(same_bits(run.networks[0].layers, early.networks[1].layers));
  CHECK_FALSE(same_bits(run.networks[1].layers, early.networks[1].layers));
}

std::string refusal(const ToySpec& spec, const Task& task) {
  try {
    train_toys(spec, task);
  } catch (const SpecError& e) { return e.what(); }
  return "accepted";
}

bool mentions(const std::string& sentence, const std::string& words) {
  return sentence.find(words) != std::string::npos;
}

TEST_CASE("toys: what is none is refused in a sentence") {
  const SmallTask small = toy_task();
  ToySpec good;
  good.networks = {toy(5, 1), toy(6, 2)};
  good.steps = 2;
  CHECK(refusal(good, small.task) == "accepted");
  const auto with = [&](const std::function<void(ToySpec&)>& change) {
    ToySpec spec = good;
    change(spec);
    return refusal(spec, small.task);
  };
  CHECK(mentions(with([](ToySpec& s) { s.networks.clear(); }), "without networks"));
  CHECK(mentions(with([](ToySpec& s) {
                   s.networks[1].hidden = {5, 5};
                 }),
                 "toy network 1 has 2 hidden layers"));
  CHECK(mentions(with([](ToySpec& s) { s.networks[1].hidden = {65}; }), "65 neurons: toys have 1 to 64"));
  CHECK(mentions(with([](ToySpec& s) { s.networks[0].batch = kPoints - 1; }), "set its batch to 60"));
  CHECK(mentions(with([](ToySpec& s) { s.networks[0].optimizer.group_lasso = 0.1; }), "group lasso"));
  CHECK(mentions(with([](ToySpec& s) { s.networks[0].optimizer.lr = -1.0; }), "lr is -1"));
  CHECK(mentions(with([](ToySpec& s) {
                   s.networks[0].gates.resize(1);
                   s.networks[0].gates[0].kind = GateKind::size;
                 }),
                 "gates"));
  CHECK(mentions(with([](ToySpec& s) { s.steps = 0; }), "0 steps"));
  CHECK(mentions(with([](ToySpec& s) { s.loss_every = 0; }), "steps between losses"));
  CHECK(mentions(with([](ToySpec& s) { s.steps = 2'000'000'000, s.loss_every = 1; }),
                 "record them every 4 steps"));

  Task task = small.task;
  task.train.count = 0;
  CHECK(mentions(refusal(good, task), "0 points"));
  CHECK(mentions(refusal(good, toy_task(5).task), "5 inputs: 1 to 4"));
  CHECK(mentions(refusal(good, toy_task(2, 11).task), "11 classes: 2 to 10"));
  std::vector<std::int32_t> labels(small.train_labels);
  labels[7] = 2;
  task = small.task, task.train.labels = labels.data();
  CHECK(mentions(refusal(good, task), "point 7 has the label 2"));
  std::vector<float> values(2 * kPoints, 0.5f);
  values[9] = std::numeric_limits<float>::quiet_NaN();
  task = small.task, task.train.bytes = nullptr, task.train.values = values.data();
  CHECK(mentions(refusal(good, task), "input 1 of point 4 is nan"));
  ToySpec tight = good;
  tight.machine.kind = MachineSpec::Kind::emu, tight.machine.memory_limit = 100;
  CHECK_THROWS_AS(train_toys(tight, small.task), DeviceError);
}

TEST_CASE("toys: multiplications and additions of the 2-20-2 that everybody counts") {
  CHECK(toy_flops(2, 20, 2) == 280.0);
  CHECK(toy_flops(4, 7, 10) == 2.0 * 7 * (8 + 27));
}

}  // namespace
}  // namespace shoal::test
