// The gamma function's relatives for positive arguments, in double, the same code on every machine: ln Gamma,
// digamma, trigamma, and the shape of a gamma distribution from its sufficient statistic.
//
// All of them come from Stirling's series at z >= 10, reached by the recurrence Gamma(x + 1) = x Gamma(x)
// (Abramowitz & Stegun 1964, 6.1.40, 6.3.5, 6.3.18, 6.4.12). What is kept are the small parts
//   stirling_gap(x)      = x ln x - x - ln Gamma(x)     = 1/2 ln(x / 2 pi) - 1/(12 x) + ...
//   log_minus_digamma(x) = ln x - psi(x)                = 1/(2x) + 1/(12 x^2) - ...
// because a gamma density of large shape needs them without the cancellation of their large halves.
//
// Errors against Boost.Math for 1e-300 <= x <= 1e300 (tests/kernels/special_functions_test.cpp):
//   trigamma, log_minus_digamma, solve_gamma_shape: relative; lgamma, digamma: relative to max(1, |value|)
//   where x is small or large, and to the recurrence's ln 10! = 15 below 10, where the functions have zeros.
#pragma once

#include <math.h>

#include "kernels/portable.h"

namespace shoal {

/// What one walk up the recurrence gives at x > 0.
struct GammaTerms {
  double stirling_gap, log_minus_digamma, trigamma;
};

SHOAL_INLINE GammaTerms gamma_terms(double x) {
  constexpr double kHalfLogTwoPi = 0.91893853320467274178;
  constexpr double kFar = 10.0;
  // psi(x) = psi(z) - sum 1/(x + i), psi'(x) = psi'(z) + sum 1/(x + i)^2, Gamma(x) = Gamma(z) / product
  double z = x, product = 1.0, first = 0.0, second = 0.0;
  while (z < kFar) {
    const double inverse = 1.0 / z;
    product *= z;
    first += inverse;
    second += inverse * inverse;
    z += 1.0;
  }
  const double r = 1.0 / z, q = r * r;
  // B_2n / (2n (2n - 1)), B_2n / 2n and B_2n for n = 1 .. 8
  const double gap_tail =
      r * (1.0 / 12 +
           q * (-1.0 / 360 +
                q * (1.0 / 1260 +
                     q * (-1.0 / 1680 + q * (1.0 / 1188 + q * (-691.0 / 360360 +
                                                               q * (1.0 / 156 - q * 3617.0 / 122400)))))));
  const double digamma_tail =
      q *
      (1.0 / 12 +
       q * (-1.0 / 120 +
            q * (1.0 / 252 + q * (-1.0 / 240 + q * (1.0 / 132 + q * (-691.0 / 32760 +
                                                                     q * (1.0 / 12 - q * 3617.0 / 8160)))))));
  const double trigamma_tail =
      q * r *
      (1.0 / 6 +
       q * (-1.0 / 30 +
            q * (1.0 / 42 +
                 q * (-1.0 / 30 + q * (5.0 / 66 + q * (-691.0 / 2730 + q * (7.0 / 6 - q * 3617.0 / 510)))))));
  GammaTerms t;
  t.trigamma = second + r + 0.5 * q + trigamma_tail;
  const double log_z = log(z);
  t.stirling_gap = 0.5 * log_z - kHalfLogTwoPi - gap_tail;
  t.log_minus_digamma = 0.5 * r + digamma_tail;
  if (x < kFar) {
    const double log_x = log(x);
    // x ln x - x - (z ln z - z - gap(z) - ln product)
    t.stirling_gap += x * log_x - z * log_z + (z - x) + log(product);
    t.log_minus_digamma += log_x - log_z + first;
  }
  return t;
}

/// ln Gamma(x), x > 0.
SHOAL_INLINE double log_gamma(double x) { return x * (log(x) - 1.0) - gamma_terms(x).stirling_gap; }

/// psi(x) = d/dx ln Gamma(x), x > 0.
SHOAL_INLINE double digamma(double x) { return log(x) - gamma_terms(x).log_minus_digamma; }

/// psi'(x), x > 0.
SHOAL_INLINE double trigamma(double x) { return gamma_terms(x).trigamma; }

/// The shape k of the gamma distribution of largest likelihood: ln k - psi(k) = s, where s = ln(mean) - mean
/// of ln x > 0. Newton's method in 1/k, in which the function is almost a line, from a start that is good to
/// 1.5 % (Minka, "Estimating a Gamma distribution", 2002); `guess` is taken instead where it is near that.
SHOAL_INLINE double solve_gamma_shape(double s, double guess) {
  const double start = (3.0 - s + sqrt((s - 3.0) * (s - 3.0) + 24.0 * s)) / (12.0 * s);
  double z = 1.0 / (guess > 0.97 * start && guess < 1.03 * start ? guess : start);
  for (int i = 0; i < 6; ++i) {
    const double k = 1.0 / z;
    const GammaTerms t = gamma_terms(k);
    // d(ln k - psi)/dz = k^2 psi' - k = 1/2 + 1/(6 k) - 1/(30 k^3) + ...
    const double slope = k > 100.0 ? 0.5 + z / 6.0 : k * (k * t.trigamma - 1.0);
    const double step = (t.log_minus_digamma - s) / slope;
    z -= step;
    // The next error is about a sixth of this one squared.
    if (!(fabs(step) > 1e-8 * z)) break;
  }
  return 1.0 / z;
}

}  // namespace shoal
