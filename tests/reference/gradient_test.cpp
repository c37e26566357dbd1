// Central differences of the objective against the gradients written out by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/reference/model.h"
#include "tests/reference/random.h"

namespace {

using namespace reference;

double objective(const Model& model, const Samples& samples, Loss kind, Penalty penalty) {
  const Trace trace = forward(model, samples.inputs);
  return loss_of(kind, trace.z.back(), samples.labels).sum / static_cast<double>(samples.inputs.size()) +
         penalty_of(model, penalty);
}

// Largest |analytic - central difference| over all parameters, in units of the tolerance. The step h = 1e-5
// is near the optimum cbrt(epsilon); the truncation error is h^2 f'''/6 = 1.7e-11 f''' and the rounding error
// epsilon f / h = 2.2e-11 f. With f and f''' up to about 100 for these nets, 5e-9 holds both.
double worst_error(Model model, const Samples& samples, Loss kind, Penalty penalty) {
  const double h = 1e-5, tolerance = 5e-9;
  const Trace trace = forward(model, samples.inputs);
  const LossValue value = loss_of(kind, trace.z.back(), samples.labels);
  Model gradients = backward(model, samples, trace, value.dlogits);
  add_penalty_gradient(gradients, model, penalty);
  const std::vector<double*> w = parameters_of(model, true), g = parameters_of(gradients, true);
  double worst = 0.0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double at = *w[i];
    *w[i] = at + h;
    const double above = objective(model, samples, kind, penalty);
    REQUIRE(same_pattern(trace, forward(model, samples.inputs)));
    *w[i] = at - h;
    const double below = objective(model, samples, kind, penalty);
    REQUIRE(same_pattern(trace, forward(model, samples.inputs)));
    *w[i] = at;
    const double error = std::abs((above - below) / (2.0 * h) - *g[i]) / tolerance;
    worst = error <= worst ? worst : error;
  }
  return worst;
}

// A model and samples away from every kink: of its ReLUs (a step of h moves no z by 1e-3) and of |w|.
struct Problem {
  Model model;
  Samples samples;
};

Problem smooth_problem(const std::vector<int>& sizes, int rows) {
  for (std::uint64_t seed = 1;; ++seed) {
    REQUIRE(seed < 1000);
    Problem p{make_model(sizes, seed), make_samples(rows, sizes.front(), sizes.back(), seed + 1000)};
    Draws draws(seed + 2000);
    for (Layer& layer : p.model.layers)
      for (double& g : layer.gate) g = draws.uniform(-1.5, 1.5);
    const std::vector<double*> w = parameters_of(p.model, false);
    const bool away = std::all_of(w.begin(), w.end(), [](const double* x) { return std::abs(*x) > 1e-4; });
    if (away && clearance(forward(p.model, p.samples.inputs)) > 1e-3) return p;
  }
}

TEST_CASE("gradients of weights, biases and gates are those of central differences") {
  for (const Loss kind : {Loss::cross_entropy, Loss::squared_error})
    for (const std::vector<int>& sizes :
         {std::vector<int>{1, 1, 1}, {2, 20, 2}, {3, 4}, {7, 13, 5, 3}, {4, 6, 5, 6, 3}}) {
      CAPTURE(sizes.size());
      CAPTURE(sizes.front());
      const Problem p = smooth_problem(sizes, 6);
      CHECK(worst_error(p.model, p.samples, kind, {}) <= 1.0);
      CHECK(worst_error(p.model, p.samples, kind, {0.3, 0.0}) <= 1.0);
      CHECK(worst_error(p.model, p.samples, kind, {0.0, 0.7}) <= 1.0);
    }
}

TEST_CASE("the l1 gradient of a zero weight is zero") {
  Model model = make_model({1, 1, 1}, 3);
  model.layers[0].weight[0][0] = 0.0;
  model.layers[1].weight[0][0] = -0.0;
  Model gradients = zeros_like(model);
  add_penalty_gradient(gradients, model, {1.0, 1.0});
  CHECK(gradients.layers[0].weight[0][0] == 0.0);
  CHECK(gradients.layers[1].weight[0][0] == 0.0);
}

TEST_CASE("a neuron at or below zero passes nothing back") {
  Model model = make_model({1, 1, 1}, 1);
  model.layers[0].weight[0][0] = 1.0;
  model.layers[0].bias[0] = 0.0;
  for (const double x : {0.0, -2.0}) {
    const Samples samples{{{x}}, {0}};
    const Trace trace = forward(model, samples.inputs);
    const Model d = backward(model, samples, trace, {{1.0}});
    CHECK(d.layers[0].weight[0][0] == 0.0);
    CHECK(d.layers[0].bias[0] == 0.0);
    CHECK(d.layers[1].bias[0] == 1.0);
  }
}

}  // namespace
