// Kernel densities against closed forms: sums of normal densities, integrals, Silverman's rule.
#include "analysis/density.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace {

using namespace shoal;
using Sample = std::vector<double>;

double normal(double x, double mean, double sd) {
  const double u = (x - mean) / sd;
  return std::exp(-0.5 * u * u) / (sd * std::sqrt(2 * std::numbers::pi));
}

/// Trapezoidal rule; for a smooth density whose tails lie inside the range its error is far below 1e-9.
double integral(const Density& d) {
  double sum = 0;
  for (std::size_t i = 1; i < d.x.size(); ++i) sum += 0.5 * (d.y[i] + d.y[i - 1]) * (d.x[i] - d.x[i - 1]);
  return sum;
}

TEST_CASE("Silverman's rule takes the smaller of sd and IQR / 1.34") {
  // 1 .. 5: sd sqrt(2.5), IQR 2
  CHECK(silverman_bandwidth(Sample{5, 1, 4, 2, 3}) ==
        doctest::Approx(0.9 * (2 / 1.34) * std::pow(5, -0.2)).epsilon(1e-12));
  // two far values: the sd is the smaller; mean 0, squares 2, IQR 2
  CHECK(silverman_bandwidth(Sample{-1, -1, 1, 1}) ==
        doctest::Approx(0.9 * std::sqrt(4.0 / 3) * std::pow(4, -0.2)).epsilon(1e-12));
  // most values equal: the IQR is 0, the sd alone counts: mean 1/8 of 8, squares 56
  CHECK(silverman_bandwidth(Sample{0, 0, 0, 0, 0, 0, 0, 8}) ==
        doctest::Approx(0.9 * std::sqrt(8.0) * std::pow(8, -0.2)).epsilon(1e-12));
  CHECK(silverman_bandwidth(Sample{3, 3, 3}) == 0);
  CHECK(silverman_bandwidth(Sample{3}) == 0);
  CHECK(silverman_bandwidth(Sample{}) == 0);
}

TEST_CASE("the density of a sample is the mean of its kernels") {
  const Sample sample{2.0, -1.0, 0.5};
  const Density d = gaussian_density(sample, {.from = -4, .to = 4, .points = 33, .bandwidth = 0.5});
  REQUIRE(d.x.size() == 33);
  REQUIRE(d.y.size() == 33);
  CHECK(d.bandwidth == 0.5);
  CHECK(d.x.front() == -4);
  CHECK(d.x.back() == 4);
  for (std::size_t i = 0; i < d.x.size(); ++i) {
    double expected = 0;
    for (const double s : sample) expected += normal(d.x[i], s, 0.5) / 3;
    // kernels further away than 8 bandwidths are left out: below 1.3e-14 of the peak
    CHECK(std::abs(d.y[i] - expected) <= 1e-13);
  }
}

TEST_CASE("a density integrates to 1, reflected or not") {
  const Sample sample{0.05, 0.1, 0.9, 1.4, 2.0};
  const Density free = gaussian_density(sample, {.from = -5, .to = 8, .points = 2001, .bandwidth = 0.3});
  CHECK(std::abs(integral(free) - 1) <= 1e-9);
  // The reflected density has slope 0 at the bound, so the trapezoidal rule keeps its accuracy.
  const Density bounded =
      gaussian_density(sample, {.from = 0, .to = 8, .points = 2001, .bandwidth = 0.3, .lower_bound = 0.0});
  CHECK(std::abs(integral(bounded) - 1) <= 1e-9);
  for (std::size_t i = 0; i < bounded.x.size(); ++i) {
    double expected = 0;
    for (const double s : sample) {
      expected += (normal(bounded.x[i], s, 0.3) + normal(bounded.x[i], -s, 0.3)) / 5;
    }
    CHECK(std::abs(bounded.y[i] - expected) <= 1e-13);
  }
  const Density below =
      gaussian_density(sample, {.from = -1, .to = -0.5, .points = 2, .bandwidth = 0.3, .lower_bound = 0.0});
  CHECK(below.y == Sample{0, 0});
}

TEST_CASE("a sample without spread has no density, and what is not finite is left out") {
  CHECK(gaussian_density(Sample{1, 1, 1}, {}).y.empty());
  CHECK(gaussian_density(Sample{}, {.bandwidth = 1}).y.empty());
  const double inf = std::numeric_limits<double>::infinity();
  const Sample with{1, 2, inf, std::nan(""), -inf}, without{1, 2};
  const DensitySpec spec{.from = 0, .to = 3, .points = 7};
  CHECK(gaussian_density(with, spec).y == gaussian_density(without, spec).y);
}

}  // namespace
