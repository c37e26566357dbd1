// ShrinkGroups against the proximal step in double.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/kernels/cases.h"
#include "tests/kernels/tolerance.h"

namespace shoal::test {
namespace {

constexpr double kRate = 0.5;

/// lambda of a model: none, a small one, one that takes many random groups to 0.
double lambda_of(int m) { return m % 3 == 0 ? 0.0 : m % 3 == 1 ? 0.1 : 1.2; }

struct Scene {
  Population p;
  std::vector<reference::Model> models;
  std::vector<StepCoefficients> coefficients;

  explicit Scene(const PopulationSpec& spec) : p(make_population(spec)), models(random_models(p, 31, false)) {
    for (int m = 0; m < static_cast<int>(models.size()); ++m) {
      UpdateSettings s{};
      s.lr = kRate, s.group = lambda_of(m), s.rule = UpdateRule::sgd;
      coefficients.push_back(step_coefficients(s, 1, 1));
    }
  }

  std::vector<float> shrunk(Rig& rig) const {
    set_models(rig, models);
    set_batches(rig, random_batches(p, 32));
    rig.arena.set(rig.coefficients, coefficients);
    rig.shrink_groups();
    return rig.arena.get(rig.parameters);
  }
};

/// Of one neuron: sum of squares of its incoming weights and its bias, as a root.
double norm_of(const reference::Layer& layer, std::size_t n) {
  double sum = layer.bias[n] * layer.bias[n];
  for (const reference::Vector& row : layer.weight) sum += row[n] * row[n];
  return std::sqrt(sum);
}

TEST_CASE("shrink_groups: every hidden neuron's weights and bias by the proximal step, outputs by none") {
  for (const TestMachine& machine : machines()) {
    int zero = 0, smaller = 0;
    for (const Case& c : odd_cases()) {
      CAPTURE(machine.name);
      CAPTURE(c.name);
      const Scene scene(c.spec);
      Rig rig(machine, scene.p);
      const std::vector<float> after = scene.shrunk(rig);
      Worst worst;
      for (int m = 0; m < static_cast<int>(scene.models.size()); ++m) {
        const reference::Model& before = scene.models[static_cast<std::size_t>(m)];
        const reference::Model found = model_of(scene.p, after, m);
        for (std::size_t l = 0; l < before.layers.size(); ++l)
          for (std::size_t n = 0; n < before.layers[l].bias.size(); ++n) {
            const bool grouped = l + 1 < before.layers.size() && rows_of(scene.p, m) > 0;
            const double share = grouped ? kRate * lambda_of(m) / norm_of(before.layers[l], n) : 0.0;
            const double factor = std::max(0.0, 1.0 - share);
            const int fan_in = static_cast<int>(before.layers[l].weight.size());
            const auto see = [&](double actual, double w, int k) {
              worst.see(actual, factor * w, share == 0.0 ? kSmallest : group_tolerance(fan_in + 1, w, share),
                        m, static_cast<int>(l), k, static_cast<int>(n));
            };
            see(found.layers[l].bias[n], before.layers[l].bias[n], -1);
            for (std::size_t k = 0; k < before.layers[l].weight.size(); ++k)
              see(found.layers[l].weight[k][n], before.layers[l].weight[k][n], static_cast<int>(k));
            zero += factor == 0.0, smaller += factor > 0.0 && factor < 1.0;
          }
      }
      CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
      CHECK(padding_is_zero(scene.p, after));
      CHECK(rig.arena.touched() == "");
    }
    CHECK(zero > 10);
    CHECK(smaller > 10);
  }
}

TEST_CASE("shrink_groups: models whose weights rest, and diverged ones, keep their bits") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    Scene scene({9, 4, {{{20}}, {{12, 5}}, {{16}}, {{70}}, {{3}}}, {10}});
    for (const int active : {kFrozen, kGatesOnly}) {
      for (const int m : {1, 4}) scene.coefficients[static_cast<std::size_t>(m)].active = active;
      Rig rig(machine, scene.p);
      const std::vector<float> after = scene.shrunk(rig), start = parameters_of(scene.p, scene.models);
      for (int m = 0; m < 5; ++m) {
        const bool same = same_bits(floats_of_model(scene.p, after, m), floats_of_model(scene.p, start, m));
        CHECK(same == (m != 2));  // 0 and 3 have no penalty
      }
    }
  }
}

}  // namespace
}  // namespace shoal::test
