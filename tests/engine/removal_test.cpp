// What removing each neuron does, against models evaluated without it.
#include <doctest/doctest.h>

#include <cmath>

#include "engine/initialize.h"
#include "engine/removal.h"
#include "engine/safetensors.h"
#include "tests/engine/small_task.h"

namespace shoal::test {
namespace {

std::vector<MachineSpec> machine_specs() {
  return {{.kind = MachineSpec::Kind::cpu, .threads = 1},
          {.kind = MachineSpec::Kind::cpu, .threads = 3},
          {.kind = MachineSpec::Kind::emu}};
}

std::vector<Layers> models_of(const TaskShape& shape) {
  std::vector<Layers> models;
  for (const std::vector<int>& hidden : {std::vector<int>{5}, {70}, {9, 17}, {64}})
    models.push_back(initial_weights(model(hidden, 3), shape));
  return models;
}

/// The model with a factor on one neuron's outgoing weights.
Layers with_factor(Layers layers, int neuron, float factor) {
  LayerWeights& last = layers.back();
  for (int c = 0; c < last.outputs; ++c)
    last.weight[static_cast<std::size_t>(c * last.inputs + neuron)] *= factor;
  return layers;
}

TEST_CASE("removing a neuron is what evaluating the model without it gives, on every machine and in waves") {
  const SmallTask small = small_task(260, 10);
  const Task& task = small.task;
  const std::vector<Layers> models = models_of(task.shape);
  for (MachineSpec machine : machine_specs())
    for (const std::size_t limit : {0, machine.kind == MachineSpec::Kind::cpu ? 40000 : 300000}) {
      machine.memory_limit = limit;
      const auto removals = removals_of(models, task.train, task.scale, task.shift, machine);
      REQUIRE(removals.size() == models.size());
      const auto score = [&](const std::vector<Layers>& some) {
        return evaluate_models(some, task.train, task.scale, task.shift, LossKind::cross_entropy, {});
      };
      const auto whole = score(models);
      for (std::size_t m = 0; m < models.size(); ++m) {
        const auto width = static_cast<std::size_t>(models[m].back().inputs);
        REQUIRE(removals[m].neurons.size() == width);
        CHECK(removals[m].loss == doctest::Approx(whole[m].loss).epsilon(1e-6));
        CHECK(removals[m].accuracy == whole[m].accuracy);
        std::vector<Layers> without, more, less;
        for (int n = 0; n < static_cast<int>(width); ++n) {
          without.push_back(with_factor(models[m], n, 0.0f));
          more.push_back(with_factor(models[m], n, 1.0625f));
          less.push_back(with_factor(models[m], n, 0.9375f));
        }
        const auto found = score(without), above = score(more), below = score(less);
        for (std::size_t n = 0; n < width; ++n) {
          const NeuronRemoval& r = removals[m].neurons[n];
          CHECK(r.loss == doctest::Approx(found[n].loss).epsilon(1e-6));
          CHECK(std::abs(r.accuracy - found[n].accuracy) <= 1.01 / 260);  // a tie may turn
          CHECK(r.slope ==
                doctest::Approx((above[n].loss - below[n].loss) / 0.125).epsilon(1e-2).scale(1e-3));
          const double bend = above[n].loss + below[n].loss - 2 * whole[m].loss;
          CHECK(r.curvature == doctest::Approx(bend / 0.00390625).epsilon(0.05).scale(1e-3));
          CHECK(r.curvature >= 0.0);
          CHECK(r.fisher >= r.slope * r.slope * (1 - 1e-12));
          CHECK(r.activation.count == 260.0);
          CHECK(r.activation.mean >= 0.0);
        }
      }
    }
}

TEST_CASE("removals have the same bits on any number of threads and alone") {
  const SmallTask small = small_task(300, 10);
  const std::vector<Layers> models = models_of(small.task.shape);
  const auto sums = [&](std::span<const Layers> some, int threads) {
    return removals_of(some, small.task.train, 1.0f, 0.0f, {.threads = threads});
  };
  const auto one = sums(models, 1), three = sums(models, 3);
  for (std::size_t m = 0; m < models.size(); ++m) {
    const auto alone = sums({&models[m], 1}, 2);
    for (const auto& other : {three[m], alone[0]})
      for (std::size_t n = 0; n < one[m].neurons.size(); ++n) {
        CHECK(one[m].neurons[n].loss == other.neurons[n].loss);
        CHECK(one[m].neurons[n].slope == other.neurons[n].slope);
        CHECK(one[m].neurons[n].curvature == other.neurons[n].curvature);
        CHECK(one[m].neurons[n].fisher == other.neurons[n].fisher);
        CHECK(one[m].neurons[n].activation.squares == other.neurons[n].activation.squares);
      }
  }
}

TEST_CASE("a model keeps the neurons that it is asked to keep, in that order") {
  const SmallTask small = small_task(200, 10);
  const Layers layers = initial_weights(model({6, 8}, 4), small.task.shape);
  const std::vector<int> kept = {7, 0, 3};
  const Layers fewer = keep_neurons(layers, kept);
  CHECK(fewer[0].weight == layers[0].weight);
  CHECK(fewer[1].outputs == 3);
  CHECK(fewer[1].bias == std::vector<float>{layers[1].bias[7], layers[1].bias[0], layers[1].bias[3]});
  CHECK(fewer[2].inputs == 3);
  Layers masked = layers;
  for (const int n : {1, 2, 4, 5, 6}) masked = with_factor(masked, n, 0.0f);
  const auto scores = evaluate_models(std::vector<Layers>{fewer, masked}, small.task.train, 1.0f, 0.0f,
                                      LossKind::cross_entropy);
  CHECK(scores[0].loss == doctest::Approx(scores[1].loss).epsilon(1e-6));
  CHECK_THROWS_AS(keep_neurons(layers, {}), WeightsError);
  CHECK_THROWS_AS(keep_neurons(layers, std::vector<int>{8}), WeightsError);
  CHECK_THROWS_AS(keep_neurons({&layers.back(), 1}, std::vector<int>{0}), WeightsError);
}

}  // namespace
}  // namespace shoal::test
