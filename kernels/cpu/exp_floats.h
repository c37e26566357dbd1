// exp of a vector of floats at the level this file is compiled for, of arguments that are not positive.
// The test is tests/kernels/vector_functions_test.cpp. Internal linkage: see kernels/portable.h.
#pragma once

#include "kernels/cpu/simd.h"

namespace shoal::SHOAL_LEVEL {
namespace {

using Ints = stdx::rebind_simd_t<int, V>;

/// exp(x) for x <= 0 to about 1 unit in the last place: x = n ln 2 + r with n rounded by adding 1.5 * 2^23
/// (its lowest bits are n), exp(r) by a polynomial of degree 6 (interpolated at Chebyshev's points of |r| <=
/// 0.3467; error 0.18 u), 2^n by its exponent bits. Below -87 it is exp(-87) = 1.6e-38; NaN stays NaN.
SHOAL_INLINE V exp_nonpositive(V x) {
  constexpr float kRound = 12582912.0f;
  stdx::where(x < V(-87.0f), x) = V(-87.0f);
  const V shifted = x * V(1.44269504088896341f) + V(kRound);
  const V n = shifted - V(kRound);
  V r = x - n * V(0.693359375f);  // ln 2 in two parts (Cody & Waite)
  r = r - n * V(-2.12194440e-4f);
  V p = V(0x1.6d112cp-10f);
  p = p * r + V(0x1.120b9p-7f);
  p = p * r + V(0x1.55551ap-5f);
  p = p * r + V(0x1.5554dcp-3f);
  p = p * r + V(0.5f);
  p = p * r + V(1.0f);
  p = p * r + V(1.0f);
  return p * __builtin_bit_cast(V, (__builtin_bit_cast(Ints, shifted) << 23) + Ints(127 << 23));
}

/// Sums of the logarithms of factors in [1, C]: their product, whose exponent is taken out now and then.
struct Product {
  V mantissa = 1.0f;
  Ints exponent = 0;
  SHOAL_INLINE void take_exponent() {
    const Ints bits = __builtin_bit_cast(Ints, mantissa);
    exponent += (bits >> 23) - Ints(127);
    mantissa = __builtin_bit_cast(V, (bits & Ints(0x7fffff)) | Ints(127 << 23));
  }
};

}  // namespace
}  // namespace shoal::SHOAL_LEVEL
