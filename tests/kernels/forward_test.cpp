// Forward against the reference, layer by layer: each layer is fed what the machine itself put out below, so
// that errors do not pile up and the bound is that of one sum.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/cases.h"
#include "tests/kernels/tolerance.h"

namespace shoal::test {
namespace {

struct Result {
  std::vector<float> outputs, preactivations;  // the latter empty when not asked for
};

void compare_layer(Worst& worst, const Population& p, const Result& r, const reference::Matrix& x,
                   const reference::Model& model, int m, int l) {
  const reference::Layer& layer = model.layers[static_cast<std::size_t>(l)];
  const bool is_hidden = static_cast<std::size_t>(l) + 1 < model.layers.size();
  const reference::Matrix z = affine(x, layer), magnitude = magnitude_of(x, layer);
  const reference::Matrix out = values_of(p, r.outputs, m, l);
  const reference::Matrix before = r.preactivations.empty() ? out : values_of(p, r.preactivations, m, l);
  const int fan_in = static_cast<int>(layer.weight.size());
  for (std::size_t b = 0; b < z.size(); ++b)
    for (std::size_t n = 0; n < z[b].size(); ++n) {
      const double tolerance = dot_tolerance(fan_in, magnitude[b][n]);
      const int row = static_cast<int>(b), column = static_cast<int>(n);
      worst.see(out[b][n], is_hidden ? std::max(0.0, z[b][n]) : z[b][n], tolerance, m, l, row, column);
      if (r.preactivations.empty()) continue;
      worst.see(before[b][n], z[b][n], tolerance, m, l, row, column);
      // Exactly what went through the ReLU.
      if (!(out[b][n] == (is_hidden ? std::max(0.0, before[b][n]) : before[b][n]))) worst.ratio = 1e300;
    }
}

// Padding columns: their weights are 0, and what reads them (tiles of 16 inputs) counts on zeros.
bool padding_outputs_are_zero(const Population& p, const std::vector<float>& outputs) {
  for (std::size_t m = 0; m < p.places.size(); ++m)
    for (const Place& place : p.places[m])
      for (int b = 0; b < rows_of(p, static_cast<int>(m)); ++b)
        for (int n = place.width; n % 16 != 0; ++n)
          if (!(outputs[output_index(p.slabs[static_cast<std::size_t>(place.slab)], b, place.column + n)] ==
                0.0f))
            return false;
  return true;
}

TEST_CASE("forward: every machine gives the reference's outputs at odd sizes") {
  for (const TestMachine& machine : machines())
    for (const Case& c : odd_cases())
      for (const bool gated : {false, true}) {
        CAPTURE(machine.name);
        CAPTURE(c.name);
        CAPTURE(gated);
        const Population p = make_population(c.spec);
        Rig rig(machine, p, {.preactivations = gated, .gates = gated});
        const std::vector<reference::Model> models = random_models(p, 1, gated);
        const std::vector<reference::Samples> batches = random_batches(p, 2);
        set_models(rig, models);
        set_batches(rig, batches);
        rig.forward();
        Result r{rig.arena.get(rig.workspace.outputs), {}};
        if (gated) r.preactivations = rig.arena.get(rig.workspace.preactivations);
        Worst worst;
        for (int m = 0; m < static_cast<int>(models.size()); ++m) {
          const reference::Model& model = models[static_cast<std::size_t>(m)];
          reference::Matrix x = batch_of_model(p, batches, m).inputs;
          for (int l = 0; l < static_cast<int>(model.layers.size()); ++l) {
            compare_layer(worst, p, r, x, model, m, l);
            x = times_gate(values_of(p, r.outputs, m, l), model.layers[static_cast<std::size_t>(l)].gate);
          }
        }
        CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
        CHECK(padding_outputs_are_zero(p, r.outputs));
        CHECK(rig.arena.touched() == "");
      }
}

TEST_CASE("forward: NaN and infinity are passed on, and stay in their own model") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const Population p = make_population({5, 3, {{{9}}, {{4}}, {{20}}}, {6}});
    std::vector<reference::Model> models = random_models(p, 3, false);
    const std::vector<reference::Samples> batches = random_batches(p, 4);
    const auto outputs_of = [&] {
      Rig rig(machine, p);
      set_models(rig, models);
      set_batches(rig, batches);
      rig.forward();
      return rig.arena.get(rig.workspace.outputs);
    };
    const std::vector<float> healthy = outputs_of();
    models[1].layers[0].weight[0][0] = std::nan("");
    models[1].layers[0].bias[1] = HUGE_VAL;
    const std::vector<float> ill = outputs_of();
    for (const int m : {0, 2})
      CHECK(same_bits(floats_of_outputs(p, healthy, m), floats_of_outputs(p, ill, m)));
    CHECK(std::isnan(values_of(p, ill, 1, 0)[0][0]));
    CHECK(std::isinf(values_of(p, ill, 1, 0)[0][1]));
    CHECK(std::isnan(values_of(p, ill, 1, 1)[0][0]));
  }
}

}  // namespace
}  // namespace shoal::test
