// Op: the W of Shapiro and Wilk's test of normality.
#pragma once

#include <cstdint>

#include "kernels/portable.h"

namespace shoal {

/// Per sample of n ascending values x, with antisymmetric coefficients c (c_i = -c_{n-1-i}, so their sum is
/// 0):
///   W = (sum c_i x_i)^2 / (sum c_i^2 * sum (x_i - mean)^2)
/// What is written is 1 - W, as (sqrt(cc xx) - cx) (sqrt(cc xx) + cx) / (cc xx), because p needs its
/// logarithm. The sums are taken in double around the sample's median, so an offset does no harm: the squares
/// cancel by a factor of 2 at most, since |mean - median| <= sd. Very large and very small values are scaled
/// by a power of two first.
struct ShapiroLack {
  const double* values;         // ascending within a sample
  const std::int64_t* offsets;  // [samples + 1]
  std::int64_t samples;
  const double* coefficients;             // sets, one after the other
  const std::int64_t* coefficient_begin;  // [samples] first of the n coefficients of a sample of this n
  const double* coefficient_squares;      // [samples] sum c_i^2
  double* range;                          // [samples] largest - smallest; NaN without values
  double* lack;                           // [samples] 1 - W; NaN where the range is 0 or not finite
};

/// Power of two that brings a range to where its square neither overflows nor vanishes.
SHOAL_INLINE double shapiro_scale(double range) {
  return range > 1e100 ? 0x1p-600 : range < 1e-100 ? 0x1p600 : 1.0;
}

/// 1 - W from the sums over d = (x - median) * scale: d, d^2, c d; and of c^2.
SHOAL_INLINE double shapiro_lack_of(double n, double d1, double d2, double cd, double cc) {
  const double xx = d2 - d1 * d1 / n, size = __builtin_sqrt(cc * xx);
  const double lack = (size - cd) * (size + cd) / (cc * xx);
  return lack < 0.0 ? 0.0 : lack;  // rounding, where the sample is its own coefficients
}

}  // namespace shoal
