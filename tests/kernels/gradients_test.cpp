// The gradients of whole models, through all ops of a step, against the double-precision reference.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/gated.h"
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

/// A model whose hidden layers have gates of one kind, clear of every kink by so much that neither its gates'
/// nor its sums' rounding can matter.
struct GatedProblem {
  Problem problem;
  std::vector<reference::Vector> parameters;  // [hidden layer]
};

GatedProblem clear_gated_problem(const Gated& g, int model, const std::vector<int>& sizes, int rows,
                                 std::int64_t step) {
  for (std::uint64_t seed = 1;; ++seed) {
    REQUIRE(seed < 4000);
    GatedProblem p{{reference::make_model(sizes, seed),
                    reference::make_samples(rows, sizes.front(), sizes.back(), seed + 7)},
                   {}};
    bool clear = true;
    for (const GateLayer& l : g.layers) {
      if (l.model != model) continue;
      p.parameters.push_back(random_parameters(l, seed + 13));
      const std::size_t hidden = p.parameters.size() - 1;
      reference::Vector& gate = p.problem.model.layers[hidden].gate;
      gate = gate_values(in_reference(l), p.parameters.back(), noise_of(l, step));
      for (const double x : gate)
        clear &= x == 0.0 || x == 1.0 || (std::abs(x) > 1e-4 && std::abs(1.0 - x) > 1e-4);
    }
    if (g.layers[0].kind == GateKind::size || g.layers[0].kind == GateKind::random_size)
      clear = true;  // smooth
    if (!clear) continue;
    const reference::Trace trace = forward(p.problem.model, p.problem.samples.inputs);
    if (clearance(trace) > 10.0 * z_error(p.problem.model, trace, p.problem.samples.inputs)) return p;
  }
}

double largest_of(const reference::Vector& v) {
  double largest = 0.0;
  for (const double x : v) largest = std::max(largest, std::abs(x));
  return largest;
}

/// The bound of a gate's derivative: 2e-6 of the largest one of the layer; of x0 and k: of the sum of what
/// adds up to them, with every dg as large as the largest.
reference::Vector gate_bounds(const GateLayer& l, const reference::Vector& parameters,
                              const reference::GateNoise& noise, const reference::Vector& dg,
                              const reference::Vector& expected) {
  if (!is_size(l)) return reference::Vector(expected.size(), kGradientTolerance * largest_of(expected));
  const double k = slope_of(l, parameters, noise), largest = largest_of(dg);
  reference::Vector sum(2, 0.0);
  for (int i = 0; i < l.neurons; ++i) {
    const double v = parameters[0] - i, c = std::cosh(0.5 * k * v), slope = 0.25 / (c * c);
    sum[0] += (largest + l.penalty) * std::abs(k) * slope,
        sum[1] += (largest + l.penalty) * std::abs(v) * slope;
  }
  return {kGradientTolerance * (sum[0] + l.penalty), kGradientTolerance * (sum[1] + l.penalty)};
}

TEST_CASE("gradients of models with gates, the gates' own included, agree with the reference") {
  struct Size {
    std::vector<int> sizes;
    int rows;
  };
  constexpr std::int64_t kStep = 3;
  for (const Size& size : {Size{{2, 20, 2}, 30}, Size{{7, 13, 5, 3}, 30}, Size{{30, 100, 100}, 12}})
    for (const GateKind kind : {GateKind::mask, GateKind::size, GateKind::random_size, GateKind::liveness,
                                GateKind::liveness_switch, GateKind::hard_concrete}) {
      const std::vector<int> hidden(size.sizes.begin() + 1, size.sizes.end() - 1);
      // Behind a neighbour that has no gates and, where both are narrow, shares its panel.
      const Gated g = make_gated({size.sizes.front(), size.sizes.back(), {{{9}}, {hidden}}, {size.rows}},
                                 [&](int m, int) { return m == 1 ? kind : GateKind::none; });
      const GatedProblem p = clear_gated_problem(g, 1, size.sizes, size.rows, kStep);
      const reference::Trace trace = forward(p.problem.model, p.problem.samples.inputs);
      const reference::LossValue value =
          loss_of(reference::Loss::cross_entropy, trace.z.back(), p.problem.samples.labels);
      const reference::Model expected = backward(p.problem.model, p.problem.samples, trace, value.dlogits);
      for (const TestMachine& machine : machines()) {
        CAPTURE(machine.name);
        CAPTURE(size.sizes.front());
        CAPTURE(static_cast<int>(kind));
        Rig rig(machine, g.population, {.gates = true});
        GateRig gates(rig, g, p.parameters);
        std::vector<reference::Model> models = random_models(g.population, 51, false);
        models[1] = p.problem.model;
        set_models(rig, models);
        rig.arena.set(rig.gates, std::vector<float>(static_cast<std::size_t>(g.population.neurons), 1.0f));
        set_batches(rig, {p.problem.samples});
        rig.arena.set(rig.coefficients, coefficients_at(g, kStep));
        gates.set_gates(false);
        rig.forward();
        rig.loss(LossKind::cross_entropy, true);
        rig.backward();
        rig.update(true);
        gates.update_gates(true);
        for (const Tensor& t :
             tensors_of(model_of(g.population, rig.arena.get(rig.gradients), 1), expected)) {
          double error = 0.0;
          for (std::size_t i = 0; i < t.expected.size(); ++i) {
            REQUIRE(std::isfinite(t.actual[i]));
            error = std::max(error, std::abs(t.actual[i] - t.expected[i]));
          }
          CHECK_MESSAGE(error <= kGradientTolerance * largest_of(t.expected), t.name, " of layer ", t.layer,
                        ": ", error / largest_of(t.expected));
        }
        const std::vector<float> actual = rig.arena.get(gates.gradients);
        for (std::size_t n = 0; n < g.layers.size() && kind != GateKind::mask; ++n) {
          const GateLayer& l = g.layers[n];
          const reference::Vector& dg = expected.layers[n].gate;
          const reference::GateNoise noise = noise_of(l, kStep);
          const reference::Vector d = gate_gradients(in_reference(l), p.parameters[n], noise, dg),
                                  bounds = gate_bounds(l, p.parameters[n], noise, dg, d);
          const std::size_t count = kind == GateKind::random_size ? 1 : d.size();
          for (std::size_t i = 0; i < count; ++i) {
            const double error =
                std::abs(static_cast<double>(actual[static_cast<std::size_t>(l.neuron) + i]) - d[i]);
            CHECK_MESSAGE(error <= bounds[i], "gate ", i, " of layer ", n, ": ", d[i], " off by ",
                          error / bounds[i], " bounds");
          }
        }
        CHECK(rig.arena.touched() == "");
      }
    }
}

}  // namespace
}  // namespace shoal::test
