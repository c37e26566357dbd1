// Count, mean, variance, extremes and exact zeros of a sample as a monoid: empty, of one value, merge,
// result. Every machine and every caller merges the same states, so a statistic over a million rows is a
// fixed tree of these.
//
// Source: Chan, Golub & LeVeque 1979 (pairwise merge of mean and sum of squared deviations). The mean and the
// squared deviations are kept in double precision, so float data with an offset of 1e4 keep the variance to
// the precision that the data themselves have.
#pragma once

#include <cstdint>

#include "kernels/portable.h"

namespace shoal {

struct Moments {
  double count;
  double mean;
  double squares;  // sum of squared deviations from the mean
  double zeros;    // values that are exactly 0
  float min, max;  // of an empty sample: +infinity, -infinity
};

SHOAL_INLINE Moments empty_moments() {
  return {0.0, 0.0, 0.0, 0.0, __builtin_huge_valf(), -__builtin_huge_valf()};
}

SHOAL_INLINE Moments moments_of(float x) {
  return {1.0, static_cast<double>(x), 0.0, x == 0.0f ? 1.0 : 0.0, x, x};
}

/// Mean of two samples together.
SHOAL_INLINE double merged_mean(double count_a, double mean_a, double count_b, double mean_b) {
  return mean_a + (mean_b - mean_a) * (count_b / (count_a + count_b));
}
/// Squared deviations of two samples together, from their common mean.
SHOAL_INLINE double merged_squares(double count_a, double mean_a, double squares_a, double count_b,
                                   double mean_b, double squares_b) {
  const double delta = mean_b - mean_a;
  return squares_a + squares_b + delta * delta * (count_a * count_b / (count_a + count_b));
}

SHOAL_INLINE Moments merge(const Moments& a, const Moments& b) {
  if (a.count == 0.0) return b;
  if (b.count == 0.0) return a;
  return {a.count + b.count,
          merged_mean(a.count, a.mean, b.count, b.mean),
          merged_squares(a.count, a.mean, a.squares, b.count, b.mean, b.squares),
          a.zeros + b.zeros,
          a.min < b.min ? a.min : b.min,
          a.max > b.max ? a.max : b.max};
}

/// Population variance (divided by n), as the studies use it. Of an empty sample: NaN.
SHOAL_INLINE double variance(const Moments& m) { return m.squares / m.count; }

}  // namespace shoal
