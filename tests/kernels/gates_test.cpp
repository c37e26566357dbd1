// SetGates, and the sums that Update leaves for the gates, against the reference.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/gated.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

double gate_tolerance(const GateLayer& l, const reference::Vector& parameters,
                      const reference::GateNoise& noise, std::size_t i) {
  if (is_size(l)) {
    const double u = slope_of(l, parameters, noise) * (parameters[0] - static_cast<double>(i));
    return logistic_tolerance(u, 10.0);
  }
  if (l.kind != GateKind::hard_concrete) return kSmallest;
  const Argument a = concrete_argument(parameters[i], noise, i);
  return 1.2 * (logistic_tolerance(a.value, 2.0) + a.error / 4.0) + gamma(4.0);
}

TEST_CASE(
    "set_gates: the gates of a step and of an evaluation are the reference's, and nobody else's change") {
  for (const TestMachine& machine : machines())
    for (int round = 0; round < kRounds; ++round)
      for (const std::int64_t step : {0, 1, 2, 1000003}) {  // 0: an evaluation
        CAPTURE(machine.name);
        CAPTURE(round);
        CAPTURE(step);
        const Gated g = mixed_gates(10, round);
        Rig rig(machine, g.population, {.gates = true});
        const auto parameters = random_parameters(g, 31);
        GateRig gates(rig, g, parameters);
        rig.arena.set(rig.gates, std::vector<float>(index(g.population.neurons), kUntouched));
        rig.arena.set(rig.coefficients, coefficients_at(g, step));
        gates.set_gates(step == 0);
        std::vector<float> actual = rig.arena.get(rig.gates);
        Worst worst;
        for (std::size_t n = 0; n < g.layers.size(); ++n) {
          const GateLayer& l = g.layers[n];
          const reference::GateNoise noise = noise_of(l, step);
          const reference::Vector expected = gate_values(in_reference(l), parameters[n], noise);
          for (std::size_t i = 0; i < expected.size(); ++i) {
            float& value = actual[index(l.neuron) + i];
            worst.see(static_cast<double>(value), expected[i], gate_tolerance(l, parameters[n], noise, i),
                      l.model, g.hidden[n], static_cast<int>(l.kind), static_cast<int>(i));
            value = kUntouched;
          }
        }
        CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
        CHECK(same_bits(actual, std::vector<float>(actual.size(), kUntouched)));
        CHECK(rig.arena.touched() == "");
      }
}

TEST_CASE("set_gates: all are open until their epoch begins, and from its first step on they work") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    Gated g = mixed_gates(10, 0);
    for (GateLayer& l : g.layers) l.begin_epoch = 3, l.first_step = 13;
    const auto parameters = random_parameters(g, 32);
    Rig rig(machine, g.population, {.gates = true});
    GateRig gates(rig, g, parameters);
    const auto all_open = [&] {
      const std::vector<float> actual = rig.arena.get(rig.gates);
      int open = 0, all = 0;
      for (const GateLayer& l : g.layers)
        for (const double gate : of_layer(actual, l, index(l.neurons))) open += gate == 1.0, ++all;
      return open == all;
    };
    for (const std::int64_t step : {1, 12, 13}) {
      CAPTURE(step);
      rig.arena.set(rig.coefficients, coefficients_at(g, step));
      gates.set_gates(false);
      CHECK(all_open() == (step < 13));
    }
    for (const int epochs : {0, 3, 4}) {
      CAPTURE(epochs);
      gates.set_gates(true, epochs);
      CHECK(all_open() == (epochs < 4));
    }
  }
}

TEST_CASE("set_gates: a uniform number is never 1, whatever the random word") {
  // Word 2322507 of this stream is 0xFFFFFF05. With u = 1 the logit would be infinite and the gate open.
  constexpr std::int64_t kStep = 2322507;
  Gated g = make_gated({3, 2, {{{1}}}, {4}}, [](int, int) { return GateKind::hard_concrete; });
  g.layers[0].seed = 11, g.layers[0].stream = 0x123456789ABCDEF0;
  const double uniform = noise_of(g.layers[0], kStep - 1).uniform[0], last = 1.0 - 0x1p-24;
  CHECK(uniform < last);
  CHECK(noise_of(g.layers[0], kStep).uniform[0] == last);
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    Rig rig(machine, g.population, {.gates = true});
    GateRig gates(rig, g, {{-25.0}});  // logit(u) = 16.6
    rig.arena.set(rig.coefficients, coefficients_at(g, kStep));
    gates.set_gates(false);
    CHECK(rig.arena.get(rig.gates)[static_cast<std::size_t>(g.layers[0].neuron)] == 0.0f);
  }
}

TEST_CASE("set_gates: a parameter that is not a number shows") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const Gated g = mixed_gates(10, 0);
    auto parameters = random_parameters(g, 33);
    for (reference::Vector& of_layer : parameters) of_layer[0] = std::nan("");
    Rig rig(machine, g.population, {.gates = true});
    GateRig gates(rig, g, parameters);
    rig.arena.set(rig.coefficients, coefficients_at(g, 5));
    gates.set_gates(false);
    const std::vector<float> actual = rig.arena.get(rig.gates);
    for (const GateLayer& l : g.layers) CHECK(std::isnan(actual[index(l.neuron)]));
  }
}

/// What Update reads, filled at random; its gates as the layers' gates would be.
struct Scene {
  Gated g;
  std::vector<reference::Model> models;
  std::vector<reference::Samples> batches;
  std::vector<float> outputs, deltas;

  explicit Scene(Gated gated) : g(std::move(gated)) {
    const Population& p = g.population;
    models = random_models(p, 41, true);
    batches = random_batches(p, 42);
    reference::Draws draws(43);
    const auto fill = [&](double low) {
      return fill_outputs(p, [&](int m, int l, int, int n) {
        return n < width_of(p, m, l) ? static_cast<float>(std::max(low, draws.uniform(-1.0, 1.0))) : 0.0f;
      });
    };
    outputs = fill(0.0), deltas = fill(-1.0);
  }
  void set(Rig& rig) const {
    set_models(rig, models);
    set_batches(rig, batches);
    rig.arena.set(rig.workspace.outputs, outputs);
    rig.arena.set(rig.workspace.deltas, deltas);
    rig.arena.set(rig.coefficients, coefficients_at(g, 3));
  }
};

/// Calls visit(place in the partials, layer, panel, neuron, value, tolerance) for every sum.
template <class Visit>
void for_partials(const Scene& scene, Visit visit) {
  const Population& p = scene.g.population;
  for (std::size_t n = 0; n < scene.g.layers.size(); ++n) {
    const GateLayer& l = scene.g.layers[n];
    const int rows = rows_of(p, l.model), hidden = scene.g.hidden[n];
    const Slab& reader = p.slabs[index(l.slab)];
    const reference::Matrix r = values_of(p, scene.outputs, l.model, hidden),
                            dz = values_of(p, scene.deltas, l.model, hidden + 1);
    const reference::Matrix& w = scene.models[index(l.model)].layers[index(hidden) + 1].weight;
    const int width = width_of(p, l.model, hidden + 1);
    for (int panel = 0; panel * 64 < width; ++panel)
      for (int k = 0; k < l.neurons; ++k) {
        double sum = 0.0, magnitude = 0.0;
        for (int c = panel * 64; c < std::min(width, panel * 64 + 64); ++c)
          for (int b = 0; b < rows; ++b) {
            const double term = w[index(k)][index(c)] * r[index(b)][index(k)] * dz[index(b)][index(c)];
            sum += term, magnitude += std::abs(term);
          }
        const std::int64_t at = reader.partials + panel * ((l.neurons + 15) / 16 * 16) + k;
        visit(index(at), l, panel, k, sum, dot_tolerance(rows + 64, magnitude));
      }
  }
}

TEST_CASE("update: the sums for the gates are the reference's, whether gradients are wanted or a step") {
  for (const TestMachine& machine : machines())
    for (const int classes : {10, 100})
      for (int round = 0; round < 2; ++round)
        for (const bool only_gradients : {false, true}) {
          CAPTURE(machine.name);
          CAPTURE(classes);
          CAPTURE(round);
          CAPTURE(only_gradients);
          const Scene scene(mixed_gates(classes, round));
          Rig rig(machine, scene.g.population, {.gates = true});
          GateRig gates(rig, scene.g, random_parameters(scene.g, 44));
          scene.set(rig);
          rig.update(only_gradients);
          std::vector<float> actual = rig.arena.get(gates.partials);
          Worst worst;
          for_partials(scene,
                       [&](std::size_t at, const GateLayer& l, int panel, int k, double sum, double error) {
                         if (rows_of(scene.g.population, l.model) == 0) return;
                         worst.see(static_cast<double>(actual[at]), sum, error, l.model, l.slab, panel, k);
                         actual[at] = kUntouched;
                       });
          CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
          // Groups that rest, and the places between the layers.
          CHECK(same_bits(actual, std::vector<float>(actual.size(), kUntouched)));
          CHECK(rig.arena.touched() == "");
        }
}

TEST_CASE(
    "update: weights that rest keep their bits while their sums go on; those of a frozen model do not") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const Scene scene(mixed_gates(10, 0));
    const Population& p = scene.g.population;
    const auto run = [&](bool some_rest, std::vector<float>& partials) {
      Rig rig(machine, p, {.gates = true});
      GateRig gates(rig, scene.g, random_parameters(scene.g, 44));
      scene.set(rig);
      std::vector<StepCoefficients> c = coefficients_at(scene.g, 3);
      for (std::size_t m = 0; some_rest && m < c.size(); ++m)
        c[m].active = m % 3 == 0 ? kTrains : m % 3 == 1 ? kGatesOnly : kFrozen;
      rig.arena.set(rig.coefficients, c);
      rig.update(false);
      partials = rig.arena.get(gates.partials);
      return rig.arena.get(rig.parameters);
    };
    std::vector<float> all_sums, some_sums;
    const std::vector<float> start = parameters_of(p, scene.models), all = run(false, all_sums),
                             some = run(true, some_sums);
    for (int m = 0; m < static_cast<int>(scene.models.size()); ++m) {
      CAPTURE(m);
      CHECK(same_bits(floats_of_model(p, some, m), floats_of_model(p, m % 3 == 0 ? all : start, m)));
      if (rows_of(p, m) > 0) CHECK(!same_bits(floats_of_model(p, all, m), floats_of_model(p, start, m)));
    }
    for_partials(scene, [&](std::size_t at, const GateLayer& l, int, int, double, double) {
      const float expected = l.model % 3 == 2 ? kUntouched : all_sums[at];
      REQUIRE(some_sums[at] == expected);
    });
  }
}

TEST_CASE("update: a model has the same bits with and without sums for gates") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const Scene scene(mixed_gates(100, 1));
    const auto run = [&](bool sums) {
      Rig rig(machine, scene.g.population, {.gates = true});
      GateRig gates(rig, scene.g, random_parameters(scene.g, 44));
      scene.set(rig);
      if (!sums) rig.partials = nullptr;
      rig.update(false);
      return rig.arena.get(rig.parameters);
    };
    CHECK(same_bits(run(true), run(false)));
  }
}

TEST_CASE("gates: on the emulation every schedule gives the same bits") {
  for (const TestMachine& machine : machines()) {
    if (!machine.is_emulated) continue;
    const Scene scene(mixed_gates(100, 2));
    std::vector<std::vector<float>> first;
    for (int schedule = 0; schedule < kSchedules; ++schedule) {
      CAPTURE(schedule);
      const Schedule scope(machine, schedule);
      Rig rig(machine, scene.g.population, {.gates = true});
      GateRig gates(rig, scene.g, random_parameters(scene.g, 91));
      scene.set(rig);
      gates.set_gates(false);
      rig.update(false);
      gates.update_gates(false);
      std::vector<std::vector<float>> all;
      for (float* array :
           {rig.parameters, rig.gates, gates.partials, gates.state.parameters, gates.state.slot_a,
            gates.state.slot_b, gates.state.sign_mean, gates.state.sign_variance})
        all.push_back(rig.arena.get(array));
      if (schedule == 0) first = all;
      for (std::size_t i = 0; i < all.size(); ++i) CHECK(same_bits(first[i], all[i]));
    }
  }
}

}  // namespace
}  // namespace shoal::test
