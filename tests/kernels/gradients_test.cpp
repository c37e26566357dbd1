// The gradients of whole models, through all ops of a step, against the double-precision reference.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/cases.h"
#include "tests/kernels/tolerance.h"

namespace shoal::test {
namespace {

/// Every weight tensor, bias vector: relative to the tensor's largest entry.
constexpr double kGradientTolerance = 2e-6;

/// How far a float's z can be from the exact one: the ReLUs of machine and reference agree when every |z| is
/// larger.
double z_error(const reference::Model& model, const reference::Trace& trace,
               const reference::Matrix& inputs) {
  double worst = 0.0, carried = 0.0;  // carried: error of the layer's inputs
  for (std::size_t l = 0; l + 1 < model.layers.size(); ++l) {
    const reference::Layer& layer = model.layers[l];
    const int fan_in = static_cast<int>(layer.weight.size());
    double largest = 0.0, column = 0.0;
    for (const reference::Vector& row : magnitude_of(l == 0 ? inputs : trace.y[l - 1], layer))
      for (const double x : row) largest = std::max(largest, x);
    for (std::size_t n = 0; n < layer.bias.size(); ++n) {
      double sum = 0.0;
      for (const reference::Vector& row : layer.weight) sum += std::abs(row[n]);
      column = std::max(column, sum);
    }
    carried = dot_tolerance(fan_in, largest) + carried * column;
    worst = std::max(worst, carried);
  }
  return worst;
}

struct Problem {
  reference::Model model;
  reference::Samples samples;
};

// The first seed whose neurons are all far enough from their kinks.
Problem clear_problem(const std::vector<int>& sizes, int rows) {
  for (std::uint64_t seed = 1;; ++seed) {
    REQUIRE(seed < 1000);
    Problem p{reference::make_model(sizes, seed),
              reference::make_samples(rows, sizes.front(), sizes.back(), seed + 7)};
    const reference::Trace trace = forward(p.model, p.samples.inputs);
    if (clearance(trace) > z_error(p.model, trace, p.samples.inputs)) return p;
  }
}

struct Tensor {
  const char* name;
  std::size_t layer;
  std::vector<double> actual, expected;
};

std::vector<Tensor> tensors_of(const reference::Model& actual, const reference::Model& expected) {
  std::vector<Tensor> tensors;
  for (std::size_t l = 0; l < actual.layers.size(); ++l) {
    tensors.push_back({"bias", l, actual.layers[l].bias, expected.layers[l].bias});
    tensors.push_back({"weight", l, {}, {}});
    for (std::size_t k = 0; k < actual.layers[l].weight.size(); ++k) {
      const auto append = [&](std::vector<double>& to, const reference::Vector& row) {
        to.insert(to.end(), row.begin(), row.end());
      };
      append(tensors.back().actual, actual.layers[l].weight[k]);
      append(tensors.back().expected, expected.layers[l].weight[k]);
    }
  }
  return tensors;
}

TEST_CASE("gradients of every tensor agree with the reference to 2e-6 of its largest entry") {
  struct Size {
    std::vector<int> sizes;
    int rows;
  };
  for (const Size& size : {Size{{2, 20, 2}, 40}, Size{{7, 13, 5, 3}, 50}, Size{{784, 100, 10}, 16}})
    for (const LossKind kind : {LossKind::cross_entropy, LossKind::squared_error}) {
      const Problem problem = clear_problem(size.sizes, size.rows);
      const reference::Trace trace = forward(problem.model, problem.samples.inputs);
      const reference::LossValue value = loss_of(in_reference(kind), trace.z.back(), problem.samples.labels);
      const reference::Model expected = backward(problem.model, problem.samples, trace, value.dlogits);
      const std::vector<int> hidden(size.sizes.begin() + 1, size.sizes.end() - 1);
      for (const TestMachine& machine : machines()) {
        CAPTURE(machine.name);
        CAPTURE(size.sizes.front());
        CAPTURE(static_cast<int>(kind));
        // Alone in its panel, and behind a neighbour.
        for (const int place : {0, 1}) {
          PopulationSpec spec{size.sizes.front(), size.sizes.back(), {}, {size.rows}};
          if (place == 1) spec.models.push_back({{9}});
          spec.models.push_back({hidden});
          const Population p = make_population(spec);
          Rig rig(machine, p);
          std::vector<reference::Model> models = random_models(p, 51, false);
          models[static_cast<std::size_t>(place)] = problem.model;
          set_models(rig, models);
          set_batches(rig, {problem.samples});
          rig.forward();
          rig.loss(kind, true);
          rig.backward();
          rig.update(true);
          const reference::Model actual = model_of(p, rig.arena.get(rig.gradients), place);
          for (const Tensor& t : tensors_of(actual, expected)) {
            double largest = 0.0, error = 0.0;
            for (std::size_t i = 0; i < t.expected.size(); ++i) {
              REQUIRE(std::isfinite(t.actual[i]));
              largest = std::max(largest, std::abs(t.expected[i]));
              error = std::max(error, std::abs(t.actual[i] - t.expected[i]));
            }
            CHECK_MESSAGE(error <= kGradientTolerance * largest, t.name, " of layer ", t.layer, ": ",
                          error / largest);
          }
          CHECK(rig.arena.touched() == "");
        }
      }
    }
}

}  // namespace
}  // namespace shoal::test
