// Update against the reference: the gradient from inputs and deltas, then the rule.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/cases.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

constexpr int kStep = 3;

UpdateSettings settings_of(const Population& p, int m) {
  const bool plain = m % 3 == 0;  // no penalty at all: kernels may take a shorter way
  return {.lr = 0.01 * (1 + m % 3),
          .momentum = 0.9,
          .beta1 = 0.9,
          .beta2 = 0.99,
          .eps = 1e-4,
          .l1 = plain ? 0.0 : 0.01,
          .l2 = plain ? 0.0 : 0.02,
          .weight_decay = m % 3 == 1 ? 0.1 : 0.0,
          .rule = p.spec.models[static_cast<std::size_t>(m)].rule};
}

/// A population in the middle of training.
struct Scene {
  Population p;
  std::vector<reference::Model> models, slots_a, slots_b, slots_c;
  std::vector<reference::Samples> batches;
  std::vector<float> outputs, deltas;
  std::vector<StepCoefficients> coefficients;

  Scene(const PopulationSpec& spec, bool gated) : p(make_population(spec)) {
    models = random_models(p, 21, gated);
    slots_a = random_models(p, 22, false);
    slots_b = random_models(p, 23, false);
    for (reference::Model& model : slots_b)
      for (double* b : reference::parameters_of(model, false)) *b = std::abs(*b) + 0.01;
    // The largest second moment so far: above the present one or, but for the size of a step, at it.
    slots_c = slots_b;
    reference::Draws above(26);
    for (reference::Model& model : slots_c)
      for (double* c : reference::parameters_of(model, false)) *c += std::max(0.0, above.uniform(-0.5, 0.5));
    batches = random_batches(p, 24);
    reference::Draws draws(25);
    const auto random = [&](int m, int l, double low) {
      return [&, m, l, low](int n) {
        return n < width_of(p, m, l) ? static_cast<float>(std::max(low, draws.uniform(-1.0, 1.0))) : 0.0f;
      };
    };
    outputs = fill_outputs(p, [&](int m, int l, int, int n) { return random(m, l, 0.0)(n); });
    deltas = fill_outputs(p, [&](int m, int l, int, int n) { return random(m, l, -1.0)(n); });
    for (int m = 0; m < static_cast<int>(models.size()); ++m)
      coefficients.push_back(step_coefficients(settings_of(p, m), kStep, 1));
  }

  void set(Rig& rig) const {
    set_models(rig, models);
    set_batches(rig, batches);
    rig.arena.set(rig.slot_a, parameters_of(p, slots_a));
    rig.arena.set(rig.slot_b, parameters_of(p, slots_b));
    rig.arena.set(rig.slot_c, parameters_of(p, slots_c));
    rig.arena.set(rig.workspace.outputs, outputs);
    rig.arena.set(rig.workspace.deltas, deltas);
    rig.arena.set(rig.coefficients, coefficients);
  }

  /// Gradient of one layer and the sum of its terms' absolute values.
  struct Gradient {
    reference::Layer sum, magnitude;
  };
  Gradient gradient(int m, int l) const {
    const reference::Samples& batch = batch_of_model(p, batches, m);
    const auto below = static_cast<std::size_t>(l - 1);
    reference::Samples x{batch.inputs, batch.labels};
    if (l > 0)
      x.inputs =
          times_gate(values_of(p, outputs, m, l - 1), models[static_cast<std::size_t>(m)].layers[below].gate);
    reference::Matrix dz = values_of(p, deltas, m, l);
    const reference::Model one{{models[static_cast<std::size_t>(m)].layers[static_cast<std::size_t>(l)]}};
    Gradient g;
    g.sum = reference::backward(one, x, {}, dz).layers[0];
    for (reference::Matrix* matrix : {&x.inputs, &dz})
      for (reference::Vector& row : *matrix)
        for (double& v : row) v = std::abs(v);
    g.magnitude = reference::backward(one, x, {}, dz).layers[0];
    return g;
  }
};

/// Visits (actual arrays' index, gradient, its tolerance, w, slots, layer, k, n) of every parameter; k = -1:
/// bias.
template <class Visit>
void for_gradients(const Scene& scene, int m, Visit visit) {
  const Population& p = scene.p;
  const auto i = static_cast<std::size_t>(m);
  for (std::size_t l = 0; l < scene.models[i].layers.size(); ++l) {
    const Scene::Gradient g = scene.gradient(m, static_cast<int>(l));
    const Place& place = p.places[i][l];
    const Slab& s = p.slabs[static_cast<std::size_t>(place.slab)];
    const int rows = rows_of(p, m);
    for (int k = -1; k < place.fan_in; ++k)
      for (int n = 0; n < place.width; ++n) {
        const auto row = static_cast<std::size_t>(k), column = static_cast<std::size_t>(n);
        const auto of = [&](const reference::Layer& layer) {
          return k < 0 ? layer.bias[column] : layer.weight[row][column];
        };
        const std::size_t at = k < 0 ? bias_index(s, place.column + n) : weight_index(s, k, place.column + n);
        visit(at, of(g.sum), dot_tolerance(rows, of(g.magnitude)), of(scene.models[i].layers[l]),
              reference::Slots{of(scene.slots_a[i].layers[l]), of(scene.slots_b[i].layers[l]),
                               of(scene.slots_c[i].layers[l])},
              static_cast<int>(l), k, n);
      }
  }
}

TEST_CASE("update: gradients are those of the reference, and asking for them changes nothing") {
  for (const TestMachine& machine : machines())
    for (const Case& c : odd_cases())
      for (const bool gated : {false, true}) {
        CAPTURE(machine.name);
        CAPTURE(c.name);
        CAPTURE(gated);
        const Scene scene(c.spec, gated);
        Rig rig(machine, scene.p, {.gates = gated});
        scene.set(rig);
        const std::vector<float> before = rig.arena.get(rig.parameters), slots = rig.arena.get(rig.slot_a);
        rig.update(true);
        const std::vector<float> gradients = rig.arena.get(rig.gradients);
        Worst worst;
        for (int m = 0; m < static_cast<int>(scene.models.size()); ++m) {
          if (rows_of(scene.p, m) == 0) continue;
          for_gradients(scene, m,
                        [&](std::size_t at, double g, double e, double, reference::Slots, int l, int k,
                            int n) { worst.see(static_cast<double>(gradients[at]), g, e, m, l, k, n); });
        }
        CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
        CHECK(same_bits(before, rig.arena.get(rig.parameters)));
        CHECK(same_bits(slots, rig.arena.get(rig.slot_a)));
        CHECK(rig.arena.touched() == "");
      }
}

TEST_CASE("update: weights and slots after a step are those of the reference, and padding stays zero") {
  for (const TestMachine& machine : machines())
    for (const Case& c : odd_cases())
      for (const bool gated : {false, true}) {
        CAPTURE(machine.name);
        CAPTURE(c.name);
        CAPTURE(gated);
        const Scene scene(c.spec, gated);
        Rig rig(machine, scene.p, {.gates = gated});
        scene.set(rig);
        const std::vector<float> before = rig.arena.get(rig.parameters);
        rig.update(false);
        const std::vector<float> w_after = rig.arena.get(rig.parameters), a_after = rig.arena.get(rig.slot_a),
                                 b_after = rig.arena.get(rig.slot_b), c_after = rig.arena.get(rig.slot_c);
        Worst w_worst, a_worst, b_worst, c_worst;
        for (int m = 0; m < static_cast<int>(scene.models.size()); ++m) {
          if (rows_of(scene.p, m) == 0) {
            CHECK(same_bits(floats_of_model(scene.p, before, m), floats_of_model(scene.p, w_after, m)));
            continue;
          }
          const reference::Optimizer o = in_reference(settings_of(scene.p, m));
          for_gradients(
              scene, m,
              [&](std::size_t at, double g, double e, double w, reference::Slots slots, int l, int k, int n) {
                const ExpectedStep x = expected_step(o, w, slots, g, e, kStep);
                w_worst.see(static_cast<double>(w_after[at]), x.w, x.w_tolerance, m, l, k, n);
                a_worst.see(static_cast<double>(a_after[at]), x.a, x.a_tolerance, m, l, k, n);
                b_worst.see(static_cast<double>(b_after[at]), x.b, x.b_tolerance, m, l, k, n);
                c_worst.see(static_cast<double>(c_after[at]), x.c, x.c_tolerance, m, l, k, n);
              });
        }
        CHECK_MESSAGE(w_worst.ok(), "weights: ", w_worst.where, ", ", w_worst.ratio, " tolerances");
        CHECK_MESSAGE(a_worst.ok(), "first slots: ", a_worst.where, ", ", a_worst.ratio, " tolerances");
        CHECK_MESSAGE(b_worst.ok(), "second slots: ", b_worst.where, ", ", b_worst.ratio, " tolerances");
        CHECK_MESSAGE(c_worst.ok(), "third slots: ", c_worst.where, ", ", c_worst.ratio, " tolerances");
        CHECK(padding_is_zero(scene.p, w_after));
        CHECK(padding_is_zero(scene.p, a_after));
        CHECK(rig.arena.touched() == "");
      }
}

TEST_CASE("update: a frozen model keeps its bits, and its neighbours do not notice") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    using enum UpdateRule;
    Scene scene({9,
                 4,
                 {{{20}, 0, adam},
                  {{12, 5}, 0, adam},
                  {{16}, 0, adam},
                  {{70}, 0, momentum},
                  {{3}, 0, adamax},
                  {{9}, 0, amsgrad}},
                 {10}},
                false);
    const auto run = [&](std::vector<float>& slots) {
      Rig rig(machine, scene.p);
      scene.set(rig);
      rig.update(false);
      slots = rig.arena.get(rig.slot_a);
      return rig.arena.get(rig.parameters);
    };
    const std::vector<float> start = parameters_of(scene.p, scene.models),
                             start_a = parameters_of(scene.p, scene.slots_a);
    std::vector<float> all_a, some_a;
    const std::vector<float> all = run(all_a);
    for (const int m : {1, 3}) scene.coefficients[static_cast<std::size_t>(m)].active = 0;
    // What a diverged model leaves behind must not reach its neighbours.
    scene.deltas[output_index(scene.p.slabs[0], 0, scene.p.places[1][0].column)] = std::nanf("");
    const std::vector<float> some = run(some_a);
    for (int m = 0; m < 6; ++m) {
      CAPTURE(m);
      const bool is_frozen = m == 1 || m == 3;
      CHECK(
          same_bits(floats_of_model(scene.p, some, m), floats_of_model(scene.p, is_frozen ? start : all, m)));
      CHECK(same_bits(floats_of_model(scene.p, some_a, m),
                      floats_of_model(scene.p, is_frozen ? start_a : all_a, m)));
      CHECK(!same_bits(floats_of_model(scene.p, all, m), floats_of_model(scene.p, start, m)));
    }
  }
}

}  // namespace
}  // namespace shoal::test
