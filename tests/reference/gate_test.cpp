// Gates: central differences of the whole objective against the gradients written out by hand, and the rules
// by which gates close for good against cases worked out by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/reference/gates.h"
#include "tests/reference/random.h"

namespace {

using namespace reference;

/// A model whose hidden layers have gates of one kind, away from every kink by 1e-3 or more.
struct Problem {
  Model model;
  Samples samples;
  std::vector<GateSettings> settings;
  std::vector<Vector> parameters;
  std::vector<GateNoise> noise;
};

void set_gates(Problem& p) {
  for (std::size_t l = 0; l < p.settings.size(); ++l)
    p.model.layers[l].gate = gate_values(p.settings[l], p.parameters[l], p.noise[l]);
}

double objective(Problem& p) {
  set_gates(p);
  const Trace trace = forward(p.model, p.samples.inputs);
  double sum = loss_of(Loss::cross_entropy, trace.z.back(), p.samples.labels).sum /
               static_cast<double>(p.samples.inputs.size());
  for (std::size_t l = 0; l < p.settings.size(); ++l)
    sum += gate_penalty(p.settings[l], p.parameters[l], p.noise[l]);
  return sum;
}

/// Whether a step of 1e-5 of any parameter changes the branch of a gate.
bool near_kink(const Problem& p) {
  for (std::size_t l = 0; l < p.settings.size(); ++l) {
    const GateSettings& s = p.settings[l];
    const Vector gates = gate_values(s, p.parameters[l], p.noise[l]);
    for (std::size_t i = 0; i < gates.size(); ++i) {
      const bool by_sign = s.kind == Gate::liveness || s.kind == Gate::liveness_switch;
      if (by_sign && std::abs(p.parameters[l][i]) < 1e-2) return true;
      const bool clamped = gates[i] == 0.0 || gates[i] == 1.0;
      if (s.kind == Gate::hard_concrete && !clamped && (gates[i] < 1e-2 || gates[i] > 0.99)) return true;
      if (s.kind != Gate::hard_concrete || !clamped) continue;
      Vector moved = p.parameters[l];
      for (const double by : {-0.01, 0.01}) {
        moved[i] = p.parameters[l][i] + by;
        if (gate_values(s, moved, p.noise[l])[i] != gates[i]) return true;
      }
    }
  }
  return clearance(forward(p.model, p.samples.inputs)) < 1e-3;
}

Problem smooth_problem(Gate kind, SizePenalty penalty, const std::vector<int>& sizes) {
  for (std::uint64_t seed = 1;; ++seed) {
    REQUIRE(seed < 1000);
    Problem p{make_model(sizes, seed), make_samples(6, sizes.front(), sizes.back(), seed + 1000), {}, {}, {}};
    Draws draws(seed + 2000);
    for (std::size_t l = 0; l + 2 < sizes.size(); ++l) {
      const int width = sizes[l + 1];
      p.settings.push_back({kind, width, 0.3, penalty});
      Vector parameters;
      GateNoise noise{draws.uniform(0.3, 3.0), {}};
      for (int i = 0; i < width; ++i) {
        parameters.push_back(draws.uniform(-1.0, 1.5));
        noise.uniform.push_back(draws.uniform(0.02, 0.98));
      }
      if (kind == Gate::size || kind == Gate::random_size)
        parameters = {draws.uniform(-1.0, width + 1.0), draws.uniform(-2.0, 2.0)};
      p.parameters.push_back(parameters), p.noise.push_back(noise);
    }
    set_gates(p);
    if (!near_kink(p)) return p;
  }
}

TEST_CASE("gates: every derivative is that of central differences of the whole objective") {
  // h = 1e-5: truncation h^2 f'''/6 and rounding epsilon f / h are both below 1e-8 here.
  const double h = 1e-5, tolerance = 1e-7;
  for (const Gate kind :
       {Gate::size, Gate::random_size, Gate::liveness, Gate::liveness_switch, Gate::hard_concrete})
    for (const SizePenalty penalty : {SizePenalty::integral, SizePenalty::sum, SizePenalty::start})
      for (const std::vector<int>& sizes : {std::vector<int>{2, 20, 2}, {7, 13, 5, 3}, {3, 1, 1, 2}}) {
        CAPTURE(static_cast<int>(kind));
        CAPTURE(static_cast<int>(penalty));
        CAPTURE(sizes.front());
        Problem p = smooth_problem(kind, penalty, sizes);
        const Trace trace = forward(p.model, p.samples.inputs);
        const LossValue value = loss_of(Loss::cross_entropy, trace.z.back(), p.samples.labels);
        const Model gradients = backward(p.model, p.samples, trace, value.dlogits);
        for (std::size_t l = 0; l < p.settings.size(); ++l) {
          const Vector d =
              gate_gradients(p.settings[l], p.parameters[l], p.noise[l], gradients.layers[l].gate);
          for (std::size_t i = 0; i < d.size(); ++i) {
            if (kind == Gate::random_size && i == 1) continue;  // drawn
            double& at = p.parameters[l][i];
            const double before = at;
            at = before + h;
            const double above = objective(p);
            at = before - h;
            const double below = objective(p);
            at = before;
            const double error = std::abs((above - below) / (2.0 * h) - d[i]);
            CHECK_MESSAGE(error <= tolerance, "layer ", l, " parameter ", i, ": ", d[i], ", off by ", error);
          }
        }
      }
}

TEST_CASE("gates: values and penalties by hand") {
  const GateNoise none;
  CHECK(gate_values({Gate::size, 3}, {1.0, 0.0}, none) == Vector{0.5, 0.5, 0.5});
  CHECK(gate_values({Gate::size, 2}, {0.0, 2.0}, none)[1] == doctest::Approx(1.0 / (1.0 + std::exp(2.0))));
  // A zone of w neurons lies between g = 99 % and g = 1 %.
  const double k = slope_of_zone(8.0);
  CHECK(gate_values({Gate::size, 9}, {4.0, k}, none)[0] == doctest::Approx(0.99));
  CHECK(gate_values({Gate::size, 9}, {4.0, k}, none)[8] == doctest::Approx(0.01));
  CHECK(gate_values({Gate::liveness, 3}, {-1.0, 0.0, 0.25}, none) == Vector{0.0, 0.0, 0.25});
  CHECK(gate_values({Gate::liveness_switch, 2}, {-1.0, 0.25}, none) == Vector{-1.0, 0.25});
  // Noise of 1/2 changes nothing but the temperature: s = sigma(0) = 1/2, 1.2 / 2 - 0.1 = 1/2.
  CHECK(gate_values({Gate::hard_concrete, 1}, {0.0}, {0.0, {0.5}})[0] == doctest::Approx(0.5));
  CHECK(gate_values({Gate::hard_concrete, 1}, {9.0}, {0.0, {0.5}})[0] == 1.0);
  CHECK(gate_values({Gate::hard_concrete, 1}, {-9.0}, {0.0, {0.5}})[0] == 0.0);
  CHECK(gate_penalty({Gate::size, 4, 2.0, SizePenalty::start}, {3.0, 1.0}, none) == 6.0);
  CHECK(gate_penalty({Gate::size, 4, 2.0, SizePenalty::sum}, {3.0, 0.0}, none) == doctest::Approx(4.0));
  CHECK(gate_penalty({Gate::size, 4, 2.0}, {2.0, 5.0}, none) == doctest::Approx(4.0));
  CHECK(gate_penalty({Gate::liveness, 3, 2.0}, {-1.0, 0.5, 1.0}, none) == 3.0);
  CHECK(gate_penalty({Gate::liveness_switch, 3, 2.0}, {-1.0, 0.5, 1.0}, none) == 5.0);
}

TEST_CASE("gates: the hard-concrete penalty is the share of draws whose gate is open") {
  const GateSettings s{Gate::hard_concrete, 1, 1.0};
  for (const double log_alpha : {-2.0, 0.0, 1.5}) {
    constexpr int kDraws = 100000;
    int open = 0;
    for (int i = 0; i < kDraws; ++i) open += gate_values(s, {log_alpha}, {0.0, {(i + 0.5) / kDraws}})[0] > 0;
    // The uniform numbers are equidistant: off by at most one of them.
    CHECK(std::abs(gate_penalty(s, {log_alpha}, {}) - static_cast<double>(open) / kDraws) <= 1.0 / kDraws);
  }
}

TEST_CASE("gates: a strict gate that reaches 0 is dead, with its memory") {
  GateTrainer t{{Gate::liveness, 3, 0.0}, {0.05, 1.0, -0.5}};
  const Optimizer o{.rule = Rule::momentum, .momentum = 0.9};
  t.step(o, {0.1, 0.0}, {}, {1.0, 1.0, 1.0});
  CHECK(t.parameters[0] == 0.0);
  CHECK(t.slots[0].a == 0.0);
  CHECK(t.parameters[1] == doctest::Approx(0.9));
  CHECK(t.parameters[2] == -0.5);  // dead from the start, and left as it is
  t.step(o, {0.1, 0.0}, {}, {-5.0, 0.0, -5.0});
  CHECK(t.parameters[0] == 0.0);
  CHECK(t.parameters[2] == -0.5);
}

TEST_CASE("gates: the variance of a sign, by hand, and the neuron that it gives up") {
  CHECK(sign_moments({1.0}, 0.9).variance == 0.0);
  CHECK(sign_moments({1.0, 1.0, 1.0}, 0.9).variance == 0.0);
  // From mean 1: the sign -1 is off by 2, so the variance is 0.1 * 4 and the mean 1 - 0.1 * 2.
  CHECK(sign_moments({1.0, -1.0}, 0.9).variance == doctest::Approx(0.4));
  CHECK(sign_moments({1.0, -1.0}, 0.9).mean == doctest::Approx(0.8));
  CHECK(sign_moments({1.0, -1.0, 1.0}, 0.9).variance == doctest::Approx(0.9 * 0.4 + 0.1 * 0.2 * 0.2));
  GateTrainer t{{Gate::liveness_switch, 2, 0.0, SizePenalty::integral, 0.9, 0.5}, {0.1, 1.0}};
  // The first gate changes its sign in every step, the second in none.
  int step = 0;
  for (; step < 20 && !(t.parameters[0] == 0.0); ++step)
    t.step({.rule = Rule::sgd}, {0.1, 0.0}, {}, {step % 2 == 0 ? 2.0 : -2.0, 0.0});
  CHECK(step == 3);  // variances 0.4, 0.364, 0.652
  CHECK(t.dead[0]);
  CHECK(!t.dead[1]);
  t.step({.rule = Rule::sgd}, {0.1, 0.0}, {}, {3.0, 0.0});
  CHECK(t.parameters[0] == 0.0);
}

}  // namespace
