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

SHOAL_INLINE Moments merge(const Moments& a, const Moments& b) {
  if (a.count == 0.0) return b;
  if (b.count == 0.0) return a;
  const double count = a.count + b.count, delta = b.mean - a.mean;
  return {count,
          a.mean + delta * (b.count / count),
          a.squares + b.squares + delta * delta * (a.count * b.count / count),
          a.zeros + b.zeros,
          a.min < b.min ? a.min : b.min,
          a.max > b.max ? a.max : b.max};
}

/// Population variance (divided by n), as the studies use it. Of an empty sample: NaN.
SHOAL_INLINE double variance(const Moments& m) { return m.squares / m.count; }

}  // namespace shoal
