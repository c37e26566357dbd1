// Twenty whole steps, every rule, against the reference, and the machines against each other.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/tolerance.h"
#include "tests/kernels/training.h"

namespace shoal::test {
namespace {

/// Every rule with and without penalties, two groups of different batches whose epochs end at different
/// steps.
TrainingSpec all_rules(LossKind loss) {
  TrainingSpec spec{.features = 5, .classes = 3, .samples = 50, .groups = {{16, 11}, {24, 12}}};
  spec.loss = loss;
  const std::vector<std::vector<int>> shapes = {{1},         {17}, {7, 5}, {70}, {20},
                                                {15, 16, 3}, {33}, {4},    {64}, {2, 66}};
  for (std::size_t m = 0; m < shapes.size(); ++m) {
    const auto rule = static_cast<UpdateRule>(m % kUpdateRules);
    const bool penalised = m >= 5;
    spec.models.push_back({shapes[m], static_cast<int>(m / 2 % 2), rule});
    // eps is not small beside the gradients: Adam's step is then a smooth function of them, and errors stay
    // errors.
    spec.settings.push_back({.lr = rule == UpdateRule::sgd || slot_count(rule) >= 2 ? 0.1 : 0.02,
                             .momentum = 0.8,
                             .beta1 = 0.9,
                             .beta2 = 0.95,
                             .eps = 0.05,
                             .l1 = penalised ? 1e-4 : 0.0,
                             .l2 = penalised ? 1e-3 : 0.0,
                             .weight_decay = penalised ? 0.05 : 0.0,
                             .rule = rule});
    spec.weight_seeds.push_back(100 + m);
  }
  return spec;
}

/// The reference's end of one model's training, and how far a machine may be from it: what errors of the size
/// that the gradients may have (2e-6 of the largest, gradients_test.cpp) and the rounding of the weights grow
/// to. Three runs of the reference with gradients disturbed at random show the growth; machines may err in
/// one direction all the time where those errors average out, hence a factor of sqrt(20) and some.
struct Goal {
  TrainedReference exact;
  double weight_tolerance = 0.0, loss_tolerance = 0.0, clearance = 0.0;
};

std::vector<double> numbers_of(reference::Model model) {
  std::vector<double> numbers;
  for (const double* w : reference::parameters_of(model, false)) numbers.push_back(*w);
  return numbers;
}

Goal make_goal(const TrainingSpec& spec, int model) {
  Goal goal{train_reference(spec, model, 0.0, 0)};
  const std::vector<double> exact = numbers_of(goal.exact.trainer.model);
  double largest = 0.0;
  for (const double w : exact) largest = std::max(largest, std::abs(w));
  goal.weight_tolerance = gamma(4.0 * spec.steps) * largest;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const TrainedReference disturbed = train_reference(spec, model, 2e-6, seed);
    const std::vector<double> numbers = numbers_of(disturbed.trainer.model);
    for (std::size_t i = 0; i < numbers.size(); ++i)
      goal.weight_tolerance = std::max(goal.weight_tolerance, 5.0 * std::abs(numbers[i] - exact[i]));
    goal.loss_tolerance = std::max(goal.loss_tolerance, 5.0 * std::abs(disturbed.loss - goal.exact.loss));
  }
  goal.loss_tolerance += gamma(20.0) * static_cast<double>(spec.samples) * 8.0 * goal.exact.loss / spec.steps;
  goal.clearance = goal.exact.trainer.smallest_clearance;
  return goal;
}

/// Data on which no neuron of any model comes near its kink in any step: else the reference and a machine
/// could disagree about a ReLU, and rightly so.
std::vector<Goal> clear_goals(TrainingSpec& spec) {
  for (spec.data_seed = 1; spec.data_seed < 200; ++spec.data_seed) {
    std::vector<Goal> goals;
    for (int m = 0; m < static_cast<int>(spec.models.size()); ++m) {
      goals.push_back(make_goal(spec, m));
      if (!(goals.back().clearance > 5e-6)) break;
    }
    if (goals.size() == spec.models.size() && goals.back().clearance > 5e-6) return goals;
  }
  FAIL("no data set keeps its distance from the kinks");
  return {};
}

TEST_CASE("training: after twenty steps of every rule the weights are the reference's, and each other's") {
  for (const LossKind loss : {LossKind::cross_entropy, LossKind::squared_error}) {
    TrainingSpec spec = all_rules(loss);
    const std::vector<Goal> goals = clear_goals(spec);
    std::vector<std::vector<float>> first(spec.models.size());
    for (const TestMachine& machine : machines()) {
      CAPTURE(machine.name);
      CAPTURE(static_cast<int>(loss));
      const Trained t = train(machine, spec);
      CHECK(padding_is_zero(t.population, t.parameters));
      CHECK(padding_is_zero(t.population, t.slot_a));
      CHECK(t.frozen == std::vector<int>(spec.models.size(), 0));
      for (std::size_t m = 0; m < spec.models.size(); ++m) {
        CAPTURE(m);
        const Goal& goal = goals[m];
        const int model = static_cast<int>(m);
        const std::vector<double> expected = numbers_of(goal.exact.trainer.model),
                                  actual = numbers_of(model_of(t.population, t.parameters, model));
        Worst worst;
        double moved = 0.0;
        reference::Model start = reference::make_model(sizes_of(t.population, model), spec.weight_seeds[m]);
        const std::vector<double> before = numbers_of(start);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          worst.see(actual[i], expected[i], goal.weight_tolerance, model, 0, 0, static_cast<int>(i));
          moved = std::max(moved, std::abs(expected[i] - before[i]));
        }
        CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
        // The tolerance means something: training moved the weights a thousand times as far.
        CHECK(moved > 1000.0 * goal.weight_tolerance);
        CHECK(std::abs(t.loss[m] - goal.exact.loss) <= goal.loss_tolerance);
        CHECK(t.correct[m] == goal.exact.correct);
        // Machines may stand on opposite sides of the reference, not further apart.
        const std::vector<float> floats = floats_of_model(t.population, t.parameters, model);
        if (first[m].empty()) first[m] = floats;
        Worst apart;
        for (std::size_t i = 0; i < floats.size(); ++i)
          apart.see(static_cast<double>(floats[i]), static_cast<double>(first[m][i]),
                    2.0 * goal.weight_tolerance, model, 0, 0, static_cast<int>(i));
        CHECK_MESSAGE(apart.ok(), apart.where, ", ", apart.ratio, " tolerances from ",
                      machines().front().name);
      }
    }
  }
}

}  // namespace
}  // namespace shoal::test
