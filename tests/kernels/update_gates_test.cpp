// UpdateGates against the reference: gradients, steps, and who is given up.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/gated.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/gate_integral.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Random sums of the panels, and dg with its error.
struct Sums {
  std::vector<float> partials;
  std::vector<reference::Vector> dg, dg_error;  // [layer][neuron]
};
Sums random_sums(const Gated& g, std::uint64_t seed) {
  Sums s{std::vector<float>(index(g.partials), kUntouched), {}, {}};
  reference::Draws draws(seed);
  for (const GateLayer& l : g.layers) {
    const Slab& reader = g.population.slabs[index(l.slab)];
    const int stride = (l.neurons + 15) / 16 * 16;
    s.dg.emplace_back(), s.dg_error.emplace_back();
    for (int i = 0; i < l.neurons; ++i) {
      double sum = 0.0, magnitude = 0.0;
      for (int panel = 0; panel * 64 < reader.columns; ++panel) {
        const auto x = static_cast<float>(draws.uniform(-1.0, 1.0));
        s.partials[index(reader.partials + panel * stride + i)] = x;
        sum += static_cast<double>(x), magnitude += std::abs(static_cast<double>(x));
      }
      s.dg.back().push_back(sum), s.dg_error.back().push_back(gamma(4.0) * magnitude);
    }
  }
  return s;
}

/// How far the derivatives of a layer's parameters may be off.
reference::Vector gradient_tolerances(const GateLayer& l, const reference::Vector& parameters,
                                      const reference::GateNoise& noise, const reference::Vector& dg,
                                      const reference::Vector& dg_error, const reference::Vector& expected) {
  const double lambda = l.penalty;
  reference::Vector t;
  if (!is_size(l)) {
    for (std::size_t i = 0; i < dg.size(); ++i) {
      if (l.kind != GateKind::hard_concrete) {
        t.push_back(dg_error[i] + gamma(4.0) * (std::abs(dg[i]) + lambda) + kSmallest);
        continue;
      }
      const Argument a = concrete_argument(parameters[i], noise, i);
      const double e = std::exp(-std::abs(a.value)), slope = e / ((1.0 + e) * (1.0 + e));
      const double through = 1.8 * slope, open = parameters[i] + 2.0 / 3.0 * std::log(11.0);
      t.push_back(through * dg_error[i] +
                  std::abs(dg[i]) *
                      (1.8 * (a.error + gamma(2.0) * std::abs(a.value)) * slope + gamma(24.0) * through) +
                  lambda * logistic_slope_tolerance(open, 4.0) + gamma(4.0) * std::abs(expected[i]) +
                  kSmallest);
    }
    return t;
  }
  const double x0 = parameters[0], k = slope_of(l, parameters, noise);
  double by_x0 = 0.0, by_k = 0.0;
  for (std::size_t i = 0; i < dg.size(); ++i) {
    const double v = x0 - static_cast<double>(i), u = k * v;
    const double e = std::exp(-std::abs(u)), slope = e / ((1.0 + e) * (1.0 + e));
    const double error = dg_error[i] * slope + std::abs(dg[i]) * logistic_slope_tolerance(u, 10.0);
    const double all = std::abs(dg[i]) * slope, rounding = gamma(8.0);
    by_x0 += std::abs(k) * (error + rounding * all), by_k += std::abs(v) * (error + rounding * all);
    if (l.size_penalty != SizePenalty::sum) continue;
    const double term = logistic_slope_tolerance(u, 10.0) + rounding * slope;
    by_x0 += lambda * std::abs(k) * term, by_k += lambda * std::abs(v) * term;
  }
  if (l.size_penalty == SizePenalty::integral) {
    // What gate_integral_test.cpp allows, with a slope that is itself off by some roundings.
    const reference::GateIntegral s = reference::gate_integral(x0, k, l.neurons);
    by_x0 += lambda * 0x1p-20 * (std::abs(s.by_x0) + s.by_x0_shift);
    by_k += lambda * 0x1p-20 * (std::abs(s.by_k) + s.by_k_shift);
  }
  return {by_x0 + gamma(4.0) * (lambda + std::abs(expected[0])) + kSmallest,
          by_k + gamma(4.0) * std::abs(expected[1]) + kSmallest};
}

/// Whether a hard-concrete gate is so near to its clamp that a machine may take the other branch.
bool near_clamp(const GateLayer& l, const reference::Vector& gates, std::size_t i) {
  return l.kind == GateKind::hard_concrete && gates[i] != 0.0 && gates[i] != 1.0 &&
         (gates[i] < 1e-5 || gates[i] > 1.0 - 1e-5);
}

TEST_CASE("update_gates: gradients with their penalties are the reference's, and asking changes nothing") {
  for (const TestMachine& machine : machines())
    for (const int classes : {10, 100})
      for (int round = 0; round < kRounds; ++round) {
        CAPTURE(machine.name);
        CAPTURE(classes);
        CAPTURE(round);
        constexpr std::int64_t kStep = 4;
        const Gated g = mixed_gates(classes, round);
        const auto parameters = random_parameters(g, 51);
        Rig rig(machine, g.population, {.gates = true});
        GateRig gates(rig, g, parameters);
        const Sums sums = random_sums(g, 52);
        rig.arena.set(gates.partials, sums.partials);
        rig.arena.set(rig.coefficients, coefficients_at(g, kStep));
        const std::vector<float> before = rig.arena.get(gates.state.parameters);
        gates.update_gates(true);
        std::vector<float> actual = rig.arena.get(gates.gradients);
        Worst worst;
        for (std::size_t n = 0; n < g.layers.size(); ++n) {
          const GateLayer& l = g.layers[n];
          if (l.kind == GateKind::mask || rows_of(g.population, l.model) == 0) continue;
          const reference::GateNoise noise = noise_of(l, kStep);
          const reference::GateSettings s = in_reference(l);
          const reference::Vector expected = gate_gradients(s, parameters[n], noise, sums.dg[n]),
                                  values = gate_values(s, parameters[n], noise),
                                  tolerances = gradient_tolerances(l, parameters[n], noise, sums.dg[n],
                                                                   sums.dg_error[n], expected);
          for (std::size_t i = 0; i < expected.size(); ++i) {
            if (l.kind == GateKind::random_size && i == 1) continue;
            float& value = actual[index(l.neuron) + i];
            if (!near_clamp(l, values, i))
              worst.see(static_cast<double>(value), expected[i], tolerances[i], l.model, g.hidden[n],
                        static_cast<int>(l.kind), static_cast<int>(i));
            value = kUntouched;
          }
        }
        CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
        CHECK(same_bits(actual, std::vector<float>(actual.size(), kUntouched)));
        CHECK(same_bits(before, rig.arena.get(gates.state.parameters)));
        CHECK(rig.arena.touched() == "");
      }
}

TEST_CASE("update_gates: a step of every kind by every rule is the reference's, step after step") {
  for (const TestMachine& machine : machines())
    for (int round = 0; round < kRounds; ++round) {
      CAPTURE(machine.name);
      CAPTURE(round);
      Gated g = mixed_gates(round % 2 == 0 ? 10 : 100, round);
      for (GateLayer& l : g.layers) l.first_step = 101;
      Rig rig(machine, g.population, {.gates = true});
      GateRig gates(rig, g, random_parameters(g, 61));
      Worst worst, a_worst, b_worst;
      for (std::int64_t step = 101; step < 105; ++step) {
        CAPTURE(step);
        const Sums sums = random_sums(g, index(step));
        rig.arena.set(gates.partials, sums.partials);
        rig.arena.set(rig.coefficients, coefficients_at(g, step));
        // From the machine's own state before the step: errors do not add up.
        const std::vector<float> w = rig.arena.get(gates.state.parameters),
                                 a = rig.arena.get(gates.state.slot_a), b = rig.arena.get(gates.state.slot_b);
        gates.update_gates(false);
        std::vector<float> w_after = rig.arena.get(gates.state.parameters),
                           a_after = rig.arena.get(gates.state.slot_a),
                           b_after = rig.arena.get(gates.state.slot_b);
        for (std::size_t n = 0; n < g.layers.size(); ++n) {
          const GateLayer& l = g.layers[n];
          const std::size_t count = is_size(l) ? 2 : index(l.neurons);
          const reference::Vector before = of_layer(w, l, count);
          const reference::GateNoise noise = noise_of(l, step);
          const reference::Vector gradients = gate_gradients(in_reference(l), before, noise, sums.dg[n]),
                                  values = gate_values(in_reference(l), before, noise),
                                  errors = gradient_tolerances(l, before, noise, sums.dg[n], sums.dg_error[n],
                                                               gradients);
          for (std::size_t i = 0; i < count; ++i) {
            const std::size_t at = index(l.neuron) + i;
            const bool rests =
                rows_of(g.population, l.model) == 0 || l.kind == GateKind::mask ||
                (l.kind == GateKind::liveness && before[i] <= 0.0) ||
                (is_size(l) && i == 1 && (l.kind == GateKind::random_size || l.rates[1] == 0.0f));
            if (rests) {
              REQUIRE(w_after[at] == w[at]);
              REQUIRE(a_after[at] == a[at]);
              REQUIRE(b_after[at] == b[at]);
              continue;
            }
            if (near_clamp(l, values, i)) continue;
            reference::Optimizer rule = rule_of(l, step);
            rule.lr *= l.rates[is_size(l) ? i : 0];
            const ExpectedStep x = expected_step(rule, before[i], {a[at], b[at]}, gradients[i], errors[i],
                                                 static_cast<int>(step - 100));
            const bool dies = l.kind == GateKind::liveness && w_after[at] == 0.0f;
            if (dies) {
              REQUIRE(x.w <= x.w_tolerance);
              REQUIRE(a_after[at] == 0.0f);
              REQUIRE(b_after[at] == 0.0f);
              continue;
            }
            const int kind = static_cast<int>(l.kind), neuron = static_cast<int>(i);
            worst.see(w_after[at], x.w, x.w_tolerance, l.model, g.hidden[n], kind, neuron);
            if (slot_count(l.settings.rule) > 0)
              a_worst.see(a_after[at], x.a, x.a_tolerance, l.model, g.hidden[n], kind, neuron);
            if (slot_count(l.settings.rule) > 1)
              b_worst.see(b_after[at], x.b, x.b_tolerance, l.model, g.hidden[n], kind, neuron);
          }
        }
      }
      CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
      CHECK_MESSAGE(a_worst.ok(), a_worst.where, ", ", a_worst.ratio, " tolerances");
      CHECK_MESSAGE(b_worst.ok(), b_worst.where, ", ", b_worst.ratio, " tolerances");
      CHECK(rig.arena.touched() == "");
    }
}

TEST_CASE("update_gates: who is given up, strictly or by the variance of a sign, is the reference's") {
  for (const GateKind kind : {GateKind::liveness, GateKind::liveness_switch})
    for (const TestMachine& machine : machines()) {
      CAPTURE(machine.name);
      CAPTURE(static_cast<int>(kind));
      Gated g = make_gated(mixed_population(10), [=](int, int) { return kind; });
      for (GateLayer& l : g.layers) l.inertia = 0.9f, l.threshold = 0.45f;
      Rig rig(machine, g.population, {.gates = true});
      const auto parameters = random_parameters(g, 71);
      GateRig gates(rig, g, parameters);
      std::vector<reference::GateTrainer> trainers;
      for (std::size_t n = 0; n < g.layers.size(); ++n)
        trainers.push_back({in_reference(g.layers[n]), parameters[n]});
      int dead = 0, alive = 0;
      for (std::int64_t step = 1; step <= 25; ++step) {
        // Every other neuron is pushed to and fro, so that its sign changes.
        Sums sums = random_sums(g, 72 + index(step));
        for (std::size_t n = 0; n < g.layers.size(); ++n)
          for (std::size_t i = 0; i < sums.dg[n].size(); i += 2) {
            const Slab& reader = g.population.slabs[index(g.layers[n].slab)];
            const float push = step % 2 == 0 ? 24.0f : -24.0f;
            float& sum = sums.partials[index(reader.partials) + i];
            sums.dg[n][i] -= static_cast<double>(sum);
            sum += push;
            sums.dg[n][i] += static_cast<double>(sum);
          }
        rig.arena.set(gates.partials, sums.partials);
        rig.arena.set(rig.coefficients, coefficients_at(g, step));
        gates.update_gates(false);
        for (std::size_t n = 0; n < g.layers.size(); ++n) {
          const GateLayer& l = g.layers[n];
          const reference::Optimizer rule = rule_of(l, step);
          if (rows_of(g.population, l.model) > 0)
            trainers[n].step(rule, {l.rates[0] * rule.lr, l.rates[1] * rule.lr}, {}, sums.dg[n]);
        }
      }
      const std::vector<float> w = rig.arena.get(gates.state.parameters),
                               variances = rig.arena.get(gates.state.sign_variance);
      Worst worst;
      for (std::size_t n = 0; n < g.layers.size(); ++n) {
        const GateLayer& l = g.layers[n];
        if (rows_of(g.population, l.model) == 0) continue;
        const reference::GateTrainer& t = trainers[n];
        // Decisions that hang by a hair may go either way on a machine.
        if (!(t.closest_call > 1e-5)) continue;
        for (std::size_t i = 0; i < t.parameters.size(); ++i) {
          const std::size_t at = index(l.neuron) + i;
          ++(t.dead[i] ? dead : alive);
          worst.see(w[at], t.parameters[i], 1e-5 * (1.0 + std::abs(t.parameters[i])), l.model, g.hidden[n], 0,
                    static_cast<int>(i));
          if (kind == GateKind::liveness_switch)
            worst.see(variances[at], reference::sign_moments(t.signs[i], 0.9).variance, 1e-5, l.model,
                      g.hidden[n], 1, static_cast<int>(i));
        }
      }
      CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
      CHECK(dead > 50);
      CHECK(alive > 50);
    }
}

TEST_CASE(
    "update_gates: frozen models, those that rest and gates that have not begun stay; gates-only go on") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    Gated g = mixed_gates(10, 3);
    for (GateLayer& l : g.layers) l.first_step = l.model % 4 == 3 ? 8 : 1;
    const auto run = [&](bool mixed) {
      Rig rig(machine, g.population, {.gates = true});
      GateRig gates(rig, g, random_parameters(g, 81));
      rig.arena.set(gates.partials, random_sums(g, 82).partials);
      std::vector<StepCoefficients> c = coefficients_at(g, mixed ? 7 : 8);
      for (std::size_t m = 0; mixed && m < c.size(); ++m) {
        c[m].step = m % 4 == 3 ? 7 : 8;
        c[m].active = m % 4 == 1 ? kGatesOnly : m % 4 == 2 ? kFrozen : kTrains;
      }
      rig.arena.set(rig.coefficients, c);
      std::vector<std::vector<float>> state{rig.arena.get(gates.state.parameters)};
      gates.update_gates(false);
      for (float* array : {gates.state.parameters, gates.state.slot_a, gates.state.slot_b})
        state.push_back(rig.arena.get(array));
      return state;
    };
    const auto all = run(false), some = run(true);
    for (const GateLayer& l : g.layers) {
      CAPTURE(l.model);
      const bool moves = l.kind != GateKind::mask && rows_of(g.population, l.model) > 0;
      const std::size_t count = is_size(l) ? 2 : index(l.neurons);
      const reference::Vector before = of_layer(all[0], l, count), after = of_layer(all[1], l, count),
                              mixed = of_layer(some[1], l, count);
      if (!moves) CHECK(after == before);
      CHECK(mixed == (l.model % 4 == 0 || l.model % 4 == 1 ? after : before));
    }
    CHECK(all[0] != all[1]);
  }
}

}  // namespace
}  // namespace shoal::test
