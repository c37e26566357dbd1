// The derivatives by a factor on a neuron's output against central differences of forward passes.
#include "tests/reference/removal.h"

#include <doctest/doctest.h>

#include <cmath>

namespace {

using namespace reference;

TEST_CASE("removal: slope and curvature are those of central differences") {
  const Samples samples = make_samples(40, 5, 4, 3);
  for (const std::vector<int>& sizes : {std::vector<int>{5, 7, 4}, {5, 6, 3, 4}}) {
    Model model = make_model(sizes, 4);
    for (Vector& row : model.layers.back().weight)
      for (double& w : row) w *= 3.0;
    for (std::size_t n = 0; n < model.layers.back().weight.size(); ++n) {
      const int neuron = static_cast<int>(n);
      const auto at = [&](double s) { return loss_with_factor(model, samples, neuron, s).sum; };
      const Removal r = removal_of(model, samples, neuron);
      CHECK(r.loss == at(0.0));
      // Errors: h^2 f'''/6 and eps f / h; h^2 f''''/12 and 4 eps f / h^2, with sums f up to 200 over the
      // rows.
      const double h = 1e-4;
      CHECK(std::abs(r.slope - (at(1 + h) - at(1 - h)) / (2 * h)) <= 1e-6);
      CHECK(std::abs(r.curvature - (at(1 + h) - 2 * at(1.0) + at(1 - h)) / (h * h)) <= 2e-5);
      CHECK(r.squared_slope * 40 >= r.slope * r.slope * (1 - 1e-12));
    }
  }
}

}  // namespace
