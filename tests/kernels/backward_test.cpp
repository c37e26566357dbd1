// Backward against its formula, layer by layer, each fed with the deltas that the machine itself computed
// above.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/kernels/cases.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

// dz_in[b][k] = (r_in[b][k] > 0) * g_k * sum_n dz[b][n] W[k][n] for every entry below layer l.
void compare_below(Worst& worst, const Population& p, const std::vector<float>& outputs,
                   const std::vector<float>& deltas, const reference::Model& model, int m, int l) {
  const reference::Matrix r = values_of(p, outputs, m, l - 1), dz = values_of(p, deltas, m, l);
  const reference::Matrix actual = values_of(p, deltas, m, l - 1);
  const reference::Layer& layer = model.layers[static_cast<std::size_t>(l)];
  const reference::Vector& gate = model.layers[static_cast<std::size_t>(l - 1)].gate;
  const int terms = static_cast<int>(layer.bias.size());
  for (std::size_t b = 0; b < r.size(); ++b)
    for (std::size_t k = 0; k < r[b].size(); ++k) {
      double sum = 0.0, magnitude = 0.0;
      for (std::size_t n = 0; n < layer.bias.size(); ++n) {
        sum += dz[b][n] * layer.weight[k][n];
        magnitude += std::abs(dz[b][n] * layer.weight[k][n]);
      }
      const bool open = r[b][k] > 0.0;
      // Behind a closed ReLU nothing but 0 will do.
      const double tolerance = open ? dot_tolerance(terms, std::abs(gate[k]) * magnitude) : kSmallest;
      worst.see(actual[b][k], open ? gate[k] * sum : 0.0, tolerance, m, l - 1, static_cast<int>(b),
                static_cast<int>(k));
    }
}

bool padding_deltas_are_zero(const Population& p, const std::vector<float>& deltas) {
  bool zero = true;
  // fill_outputs walks every column that belongs to a model and its padding; here only to look.
  fill_outputs(p, [&](int m, int l, int b, int n) {
    const Place& place = p.places[static_cast<std::size_t>(m)][static_cast<std::size_t>(l)];
    const Slab& s = p.slabs[static_cast<std::size_t>(place.slab)];
    zero = zero && (n < place.width || deltas[output_index(s, b, place.column + n)] == 0.0f);
    return 0.0f;
  });
  return zero;
}

TEST_CASE("backward: every machine gives the deltas of the formula at odd sizes") {
  for (const TestMachine& machine : machines())
    for (const Case& c : odd_cases())
      for (const bool gated : {false, true}) {
        CAPTURE(machine.name);
        CAPTURE(c.name);
        CAPTURE(gated);
        const Population p = make_population(c.spec);
        const std::vector<reference::Model> models = random_models(p, 11, gated);
        reference::Draws draws(12);
        // Outputs with the zeros of a ReLU; deltas of the output layers, NaN below: nothing may be left out.
        const std::vector<float> outputs = fill_outputs(p, [&](int m, int l, int, int n) {
          return n < width_of(p, m, l) ? static_cast<float>(std::max(0.0, draws.uniform(-1.0, 1.0))) : 0.0f;
        });
        const std::vector<float> deltas = fill_outputs(p, [&](int m, int l, int, int n) {
          if (is_hidden(p, m, l)) return std::nanf("");
          return n < width_of(p, m, l) ? static_cast<float>(draws.uniform(-1.0, 1.0)) : 0.0f;
        });
        Rig rig(machine, p, {.gates = gated});
        set_models(rig, models);
        rig.arena.set(rig.workspace.outputs, outputs);
        rig.arena.set(rig.workspace.deltas, deltas);
        rig.backward();
        const std::vector<float> result = rig.arena.get(rig.workspace.deltas);
        Worst worst;
        for (int m = 0; m < static_cast<int>(models.size()); ++m)
          for (int l = static_cast<int>(models[static_cast<std::size_t>(m)].layers.size()) - 1; l > 0; --l)
            compare_below(worst, p, outputs, result, models[static_cast<std::size_t>(m)], m, l);
        CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
        CHECK(padding_deltas_are_zero(p, result));
        CHECK(same_bits(rig.arena.get(rig.workspace.outputs), outputs));
        CHECK(rig.arena.touched() == "");
      }
}

}  // namespace
}  // namespace shoal::test
