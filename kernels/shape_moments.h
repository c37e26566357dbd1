// The shape of a sample as a monoid: count, mean, central moments up to the fourth, exact zeros and extremes;
// empty, of one value, merge, result. All in double precision, so float32 and float64 samples share it.
//
// Source: Pebay, Formulas for robust, one-pass parallel computation of covariances and arbitrary-order
// statistical moments, Sandia report SAND2008-6212 (2008), equations 3.1 for p = 3 and 4; the same were
// published by Terriberry (2007). Mean and second moment merge as in kernels/moments.h.
//
// Values that are not finite show: a NaN makes the mean, every central moment and both extremes NaN; an
// infinite value the mean infinite or NaN, and the central moments NaN.
#pragma once

#include "kernels/moments.h"
#include "kernels/portable.h"

namespace shoal {

struct ShapeMoments {
  double count;
  double mean;
  double m2, m3, m4;  // sums over the sample of (x - mean)^2, ^3, ^4
  double zeros;       // values that are exactly 0
  double min, max;    // of an empty sample: +infinity, -infinity
};

SHOAL_INLINE ShapeMoments empty_shape() {
  return {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, __builtin_huge_val(), -__builtin_huge_val()};
}

SHOAL_INLINE ShapeMoments shape_of(double x) {
  const double none = x - x;  // 0, or NaN where x is not finite
  return {1.0, x, none, none, none, x == 0.0 ? 1.0 : 0.0, x, x};
}

/// The smaller and the larger of two; NaN when one of them is.
SHOAL_INLINE double min_or_nan(double a, double b) { return a < b || a != a ? a : b; }
SHOAL_INLINE double max_or_nan(double a, double b) { return a > b || a != a ? a : b; }

/// A sample whose count is 0 is empty whatever else it holds, so cleared memory is an array of empty samples.
SHOAL_INLINE ShapeMoments merge(const ShapeMoments& a, const ShapeMoments& b) {
  if (a.count == 0.0) return b;
  if (b.count == 0.0) return a;
  const double count = a.count + b.count, delta = b.mean - a.mean;
  const double part_a = a.count / count, part_b = b.count / count;
  const double step = delta * delta * (a.count * part_b);  // what the distance of the means adds to m2
  ShapeMoments m;
  m.count = count;
  m.mean = merged_mean(a.count, a.mean, b.count, b.mean);
  m.m2 = merged_squares(a.count, a.mean, a.m2, b.count, b.mean, b.m2);
  m.m3 = a.m3 + b.m3 + delta * (step * (part_a - part_b) + 3.0 * (part_a * b.m2 - part_b * a.m2));
  m.m4 = a.m4 + b.m4 +
         delta * (delta * (step * (part_a * part_a - part_a * part_b + part_b * part_b) +
                           6.0 * (part_a * part_a * b.m2 + part_b * part_b * a.m2)) +
                  4.0 * (part_a * b.m3 - part_b * a.m3));
  m.zeros = a.zeros + b.zeros;
  m.min = min_or_nan(a.min, b.min);
  m.max = max_or_nan(a.max, b.max);
  return m;
}

/// Sums of powers of d = x - shift over `count` > 0 values, for a shift in the range of the sample (one of
/// its values, say). That bounds what cancels: m2 >= (shift - mean)^2 n / (n - 1), so m2 loses at most log2
/// of the count in bits, and m4 a few more.
struct PowerSums {
  double d1, d2, d3, d4;
};

/// The sample's moments out of its power sums; zeros, min and max are left to the caller.
SHOAL_INLINE ShapeMoments shape_of_sums(double count, double shift, const PowerSums& s) {
  const double share = 1.0 / count, t = s.d1 * share;  // mean - shift
  ShapeMoments m{};
  m.count = count;
  m.mean = shift + t;
  const double m2 = s.d2 - t * s.d1;
  const double m4 = s.d4 + t * (t * (6.0 * s.d2 - 3.0 * t * s.d1) - 4.0 * s.d3);
  m.m2 = m2 < 0.0 ? 0.0 : m2;
  m.m3 = s.d3 + t * (2.0 * t * s.d1 - 3.0 * s.d2);
  m.m4 = m4 < 0.0 ? 0.0 : m4;
  return m;
}

/// Population variance (divided by n), as the studies use it. Of an empty sample: NaN.
SHOAL_INLINE double variance(const ShapeMoments& m) { return m.m2 / m.count; }
/// The unbiased estimate (divided by n - 1), as R, NIST and a user of samples expect. NaN for n < 2.
SHOAL_INLINE double sample_variance(const ShapeMoments& m) {
  return m.count > 1.0 ? m.m2 / (m.count - 1.0) : __builtin_nan("");
}
/// sqrt(n) m3 / m2^(3/2), the g1 of Joanes & Gill 1998. NaN where nothing varies.
inline double skewness(const ShapeMoments& m) {
  return __builtin_sqrt(m.count) * m.m3 / (m.m2 * __builtin_sqrt(m.m2));
}
/// n m4 / m2^2 - 3, the excess g2 of Joanes & Gill 1998: 0 of a normal distribution. NaN where nothing
/// varies.
inline double kurtosis(const ShapeMoments& m) { return m.count * m.m4 / (m.m2 * m.m2) - 3.0; }

}  // namespace shoal
