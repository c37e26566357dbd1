#include "analysis/normal.h"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace shoal {
namespace {

using Polynomial = std::array<double, 8>;  // ascending powers

double at(const Polynomial& p, double x) {
  double sum = 0;
  for (auto c = p.rbegin(); c != p.rend(); ++c) sum = sum * x + *c;
  return sum;
}

// Wichura's three quotients: |p - 1/2| <= 0.425 as a function of 0.425^2 - (p - 1/2)^2; beyond, of
// r = sqrt(-log(smaller tail)): up to r = 5 of r - 1.6, then of r - 5.
constexpr Polynomial kCentreAbove{3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                  1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                  3.3430575583588128105e4, 2.5090809287301226727e3};
constexpr Polynomial kCentreBelow{1.0,
                                  4.2313330701600911252e1,
                                  6.8718700749205790830e2,
                                  5.3941960214247511077e3,
                                  2.1213794301586595867e4,
                                  3.9307895800092710610e4,
                                  2.8729085735721942674e4,
                                  5.2264952788528545610e3};
constexpr Polynomial kTailAbove{1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr Polynomial kTailBelow{1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
constexpr Polynomial kFarAbove{6.65790464350110377720e0,  5.46378491116411436990e0,
                               1.78482653991729133580e0,  2.96560571828504891230e-1,
                               2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr Polynomial kFarBelow{1.0,
                               5.99832206555887937690e-1,
                               1.36929880922735805310e-1,
                               1.48753612908506148525e-2,
                               7.86869131145613259100e-4,
                               1.84631831751005468180e-5,
                               1.42151175831644588870e-7,
                               2.04426310338993978564e-15};

}  // namespace

double normal_quantile(double p) {
  if (!(p > 0 && p < 1)) {
    if (p == 0 || p == 1)
      return p == 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * at(kCentreAbove, r) / at(kCentreBelow, r);
  }
  const double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  const double x = r <= 5 ? at(kTailAbove, r - 1.6) / at(kTailBelow, r - 1.6)
                          : at(kFarAbove, r - 5) / at(kFarBelow, r - 5);
  return q < 0 ? -x : x;
}

double log_normal_upper_tail(double x) {
  if (x < -1) return std::log1p(-normal_upper_tail(-x));
  if (x < 30) return std::log(normal_upper_tail(x));
  // Mills' ratio as a continued fraction, x + 1 / (x + 2 / (x + 3 / ...)): Abramowitz & Stegun 26.2.14.
  double fraction = x;
  for (int k = 12; k >= 1; --k) fraction = x + k / fraction;
  return -0.5 * x * x - std::log(fraction * std::sqrt(2 * std::numbers::pi));
}

double normal_upper_tail(double x) { return 0.5 * std::erfc(x / std::numbers::sqrt2); }

}  // namespace shoal
