// Models with given weights: outputs of any layer, and many models scored as one population, on every
// machine.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/given_models.h"
#include "engine/initialize.h"
#include "engine/safetensors.h"
#include "tests/engine/small_task.h"

namespace shoal::test {
namespace {

std::vector<MachineSpec> machine_specs() {
  return {{.kind = MachineSpec::Kind::cpu, .threads = 1},
          {.kind = MachineSpec::Kind::cpu, .threads = 3},
          {.kind = MachineSpec::Kind::emu}};
}

/// z or relu(z) of the last layer in double precision, and how far a float sum may be from it.
void see_layer(const std::vector<LayerWeights>& layers, LastLayer last, const Task& task,
               const DataView& data, const std::vector<float>& result) {
  const auto width = static_cast<std::size_t>(layers.back().outputs);
  REQUIRE(result.size() == static_cast<std::size_t>(data.count) * width);
  double worst = 0.0;
  for (std::int64_t s = 0; s < data.count; ++s) {
    std::vector<double> x, bound;
    for (int f = 0; f < data.features; ++f)
      x.push_back(static_cast<double>(data.bytes[s * data.features + f]) * task.scale + task.shift);
    bound.assign(x.size(), 0x1p-22);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const LayerWeights& layer = layers[l];
      std::vector<double> y, error;
      for (int n = 0; n < layer.outputs; ++n) {
        double z = layer.bias[static_cast<std::size_t>(n)], size = std::abs(z), off = 0.0;
        for (int k = 0; k < layer.inputs; ++k) {
          const double w = layer.weight[static_cast<std::size_t>(n * layer.inputs + k)];
          z += w * x[static_cast<std::size_t>(k)];
          size += std::abs(w * x[static_cast<std::size_t>(k)]);
          off += std::abs(w) * bound[static_cast<std::size_t>(k)];
        }
        const bool relu = l + 1 < layers.size() || last == LastLayer::relu;
        y.push_back(relu ? std::max(z, 0.0) : z);
        error.push_back(off + (layer.inputs + 2) * 0x1p-24 * size);
      }
      x = y, bound = error;
    }
    for (std::size_t n = 0; n < width; ++n) {
      const double off = std::abs(result[static_cast<std::size_t>(s) * width + n] - x[n]) / bound[n];
      if (!(off <= worst)) worst = off;
    }
  }
  CHECK(worst <= 1.0);
}

TEST_CASE("outputs of any layer are those of the formula, before and after the ReLU, on every machine") {
  const SmallTask small = small_task(150, 70);
  const Task& task = small.task;
  const std::vector<LayerWeights> model = initial_weights(shoal::test::model({65, 7}), task.shape);
  for (const MachineSpec& machine : machine_specs())
    for (std::size_t depth = 1; depth <= model.size(); ++depth)
      for (const LastLayer last : {LastLayer::linear, LastLayer::relu}) {
        const std::vector<LayerWeights> layers(model.begin(), model.begin() + static_cast<long>(depth));
        see_layer(layers, last, task, task.train,
                  outputs_of(layers, last, task.train, task.scale, task.shift, machine));
      }
}

TEST_CASE("outputs have the same bits on any number of threads") {
  const SmallTask small = small_task(400, 10);
  const auto layers = initial_weights(model({33}), small.task.shape);
  const auto with = [&](int threads) {
    return outputs_of(layers, LastLayer::relu, small.task.train, 1.0f, 0.0f, {.threads = threads});
  };
  CHECK(with(1) == with(3));
}

TEST_CASE("a population of given models has the scores of its training run, in waves too") {
  const SmallTask small = small_task();
  RunSpec spec;
  spec.models = {model({5}), model({70}, 2), model({16, 9}, 3), model({64}, 4)};
  spec.epochs = 2;
  const Trained trained = train(spec, small.task);
  for (MachineSpec machine : machine_specs())
    for (const std::size_t limit : {0, machine.kind == MachineSpec::Kind::cpu ? 30000 : 260000}) {
      machine.memory_limit = limit;
      const auto test = evaluate_models(trained.weights, small.task.test, small.task.scale, small.task.shift,
                                        spec.loss, machine);
      const auto learned = evaluate_models(trained.weights, small.task.train, small.task.scale,
                                           small.task.shift, spec.loss, machine);
      REQUIRE(test.size() == spec.models.size());
      for (std::size_t m = 0; m < test.size(); ++m) {
        CHECK(test[m].accuracy == doctest::Approx(trained.result.models[m].test_accuracy).epsilon(1e-12));
        CHECK(test[m].loss == doctest::Approx(trained.result.models[m].test_loss).epsilon(1e-5));
        CHECK(learned[m].accuracy == doctest::Approx(trained.result.models[m].train_accuracy).epsilon(1e-12));
      }
    }
}

TEST_CASE("given models that do not fit are refused in words") {
  const SmallTask small = small_task();
  const auto fits = initial_weights(model({5}), small.task.shape),
             other = initial_weights(model({5}), {20, 3}), wide = initial_weights(model({5}), {21, 4});
  const auto score = [&](std::vector<Layers> models) {
    return evaluate_models(models, small.task.test, 1.0f, 0.0f, LossKind::cross_entropy);
  };
  CHECK(score({}).empty());
  CHECK_THROWS_AS(score({fits, other}), WeightsError);
  CHECK_THROWS_AS(score({fits, wide}), WeightsError);
  CHECK_THROWS_AS(score({{}}), WeightsError);
}

}  // namespace
}  // namespace shoal::test
