// The gamma function's relatives against Boost.Math.
#include "kernels/special_functions.h"

#include <doctest/doctest.h>

#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <cmath>
#include <vector>

#include "tests/reference/random.h"

namespace shoal::test {
namespace {

using Wide = long double;
constexpr double kUlp = 0x1p-52;

/// The largest error seen, in the units that it is allowed.
struct Largest {
  double error = 0, at = 0;
  void see(Wide actual, Wide expected, Wide unit, double x) {
    const auto e = static_cast<double>(std::abs(actual - expected) / unit);
    if (!(e <= error)) error = e, at = x;
  }
};

/// Logarithmically even, most of them where the recurrence and the series meet.
std::vector<double> arguments(double low, double high) {
  reference::Draws draws(11);
  std::vector<double> x{low, high, 1.0, 2.0, 10.0, std::nextafter(10.0, 0.0), 1.4616321449683623};
  for (int i = 0; i < 60000; ++i) {
    x.push_back(std::pow(10.0, draws.uniform(std::log10(low), std::log10(high))));
    x.push_back(std::pow(10.0, draws.uniform(-3.0, 3.0)));
  }
  return x;
}

TEST_CASE("ln Gamma, digamma, trigamma: against Boost.Math from 1e-300 to 1e300") {
  Largest gamma, psi, psi1;
  for (const double x : arguments(1e-300, 1e300)) {
    const Wide lg = boost::math::lgamma(static_cast<Wide>(x)),
               dg = boost::math::digamma(static_cast<Wide>(x));
    gamma.see(log_gamma(x), lg, std::max<Wide>(1, std::abs(lg)), x);
    psi.see(digamma(x), dg, std::max<Wide>(1, std::abs(dg)), x);
    if (x < 1e-150) continue;  // beyond, trigamma leaves the range of a double
    const Wide tg = boost::math::trigamma(static_cast<Wide>(x));
    psi1.see(trigamma(x), tg, tg, x);
  }
  CHECK_MESSAGE(gamma.error <= 64 * kUlp, (gamma.error / kUlp), " ulp at ", gamma.at);
  CHECK_MESSAGE(psi.error <= 12 * kUlp, (psi.error / kUlp), " ulp at ", psi.at);
  CHECK_MESSAGE(psi1.error <= 12 * kUlp, (psi1.error / kUlp), " ulp at ", psi1.at);
}

TEST_CASE("ln x - psi(x) and Stirling's gap keep their digits where their halves cancel") {
  Largest difference, gap;
  for (const double x : arguments(1e-300, 1e12)) {
    const GammaTerms t = gamma_terms(x);
    const Wide wide = x, lg = boost::math::lgamma(wide);
    // Beyond 1e3 the wide difference cancels itself: there the next terms of the series are the measure.
    const Wide q = 1 / (wide * wide);
    const Wide d = x < 1e3 ? std::log(wide) - boost::math::digamma(wide)
                           : 0.5L / wide + q * (1 / 12.0L - q * (1 / 120.0L - q / 252));
    const Wide g = x < 1e3 ? wide * std::log(wide) - wide - lg
                           : 0.5L * std::log(wide / (2 * std::acos(-1.0L))) - (1 / 12.0L - q / 360) / wide;
    difference.see(t.log_minus_digamma, d, d, x);
    gap.see(t.stirling_gap, g, std::max<Wide>(1, std::abs(g)), x);
  }
  CHECK_MESSAGE(difference.error <= 64 * kUlp, (difference.error / kUlp), " ulp at ", difference.at);
  CHECK_MESSAGE(gap.error <= 64 * kUlp, (gap.error / kUlp), " ulp at ", gap.at);
}

TEST_CASE("the shape of a gamma is found from its statistic, from any guess") {
  Largest shape;
  for (const double k : arguments(1e-12, 1e12)) {
    const double s = gamma_terms(k).log_minus_digamma;
    for (const double guess : {0.0, 0.98 * k, 1.02 * k, 5.0 * k, 1e-3 * k}) {
      const double found = solve_gamma_shape(s, guess);
      REQUIRE(std::isfinite(found));
      shape.see(found, k, k, k);
    }
  }
  CHECK_MESSAGE(shape.error <= 128 * kUlp, (shape.error / kUlp), " ulp at ", shape.at);
}

}  // namespace
}  // namespace shoal::test
