// How far a machine's floats may be from the double-precision reference, from the error analysis of the
// computation and not from what was seen. u = 2^-24 is the rounding of one float operation, gamma(n) = n u /
// (1 - n u) bounds n of them in a row (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
// A sum of n products is off by at most gamma(n) times the sum of their absolute values, in whatever order it
// is added and whether or not it is fused.
#pragma once

#include <cmath>
#include <string>

namespace shoal::test {

inline constexpr double kRounding = 0x1p-24;
inline constexpr double kSmallest =
    0x1p-126;  // below it floats lose digits (or all of them, where denormals are flushed)

inline double gamma(double n) { return n * kRounding / (1.0 - n * kRounding); }

/// n products, each with a gate's rounding on top, and a bias: `magnitude` = sum |x g w| + |bias|.
inline double dot_tolerance(int n, double magnitude) { return gamma(n + 2.0) * magnitude + n * kSmallest; }

/// Loss of one row of C logits. Cross-entropy: the differences to the largest logit and the logarithm's two
/// terms are rounded in proportion to the logits; exp, log and the sum are good to a few units in the last
/// place, and a relative error of the sum is an absolute one of its logarithm.
inline double cross_entropy_tolerance(int classes, double largest_magnitude) {
  return gamma(classes + 8.0) + gamma(4.0) * (largest_magnitude + std::log(static_cast<double>(classes)));
}
inline double squared_error_tolerance(int classes, double loss) {
  return gamma(classes + 4.0) * loss + classes * kSmallest;
}

/// p - t, divided by the rows. exp's argument is off by u |z - max|, and |d| exp(-|d|) < 1/2, so p is off by
/// u/2 for that and by gamma(C + 8) p for exp, sum and quotient.
inline double cross_entropy_delta_tolerance(int classes, double rows) { return gamma(classes + 12.0) / rows; }
inline double squared_error_delta_tolerance(double delta) { return gamma(3.0) * std::abs(delta) + kSmallest; }

/// w (1 - s / |group|), the norm of n numbers: it is off by gamma(n + 1) / 2 of itself for the sum and a
/// rounding for the root; where the factor is near 0 only its absolute error counts.
inline double group_tolerance(int n, double w, double shrink_over_norm) {
  return std::abs(w) * (gamma(n + 4.0) * shrink_over_norm + gamma(3.0)) + kSmallest;
}

/// sigma(u) and sigma'(u), with `n` roundings in u: |du| <= gamma(n) |u|, |sigma'|, |sigma''| / sigma' <= 1,
/// and a few units for exp, sum and quotient. Of arguments whose exponential is denormal nothing is asked.
inline double logistic_tolerance(double u, double n) {
  const double e = std::exp(-std::abs(u)), slope = e / ((1.0 + e) * (1.0 + e));
  return gamma(n) * std::abs(u) * slope + gamma(8.0) / (1.0 + std::exp(-u)) + kSmallest;
}
inline double logistic_slope_tolerance(double u, double n) {
  const double e = std::exp(-std::abs(u)), slope = e / ((1.0 + e) * (1.0 + e));
  return (gamma(n) * std::abs(u) + gamma(12.0)) * slope + kSmallest;
}

/// The worst of many comparisons, in units of their tolerances. NaN on either side counts as infinitely
/// wrong, and so does never having compared anything.
struct Worst {
  double ratio = 0.0;
  long compared = 0;
  std::string where;

  void see(double actual, double expected, double tolerance, int model, int layer, int row, int column) {
    double error = std::abs(actual - expected) / tolerance;
    if (!std::isfinite(actual) || !std::isfinite(expected) || !(error <= 1e300)) error = 1e300;
    if (++compared == 1 || error > ratio) {
      ratio = error;
      where = "model " + std::to_string(model) + " layer " + std::to_string(layer) + " [" +
              std::to_string(row) + "][" + std::to_string(column) + "]: " + std::to_string(actual) +
              " instead of " + std::to_string(expected);
    }
  }
  bool ok() const { return compared > 0 && ratio <= 1.0; }
};

}  // namespace shoal::test
