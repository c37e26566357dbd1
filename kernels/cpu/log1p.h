// log1p of a vector at the level this file is compiled for, of arguments that are finite and not negative.
//
//   u = 1 + q rounded, c = what the rounding lost;   log1p(q) = log u + c / u
//   u = 2^k m, sqrt(1/2) <= m < sqrt 2;   log m = 2 atanh s = 2 (s + s^3 / 3 + ...),  s = (m - 1) / (m + 1)
//
// |s| <= 0.1716: the series is cut where its next term is below 1e-18 (double) and 2e-9 (float) of the sum.
// With rounding the relative error is below 4 ulp; the test is tests/kernels/vector_functions_test.cpp.
// Internal linkage: see kernels/portable.h.
#pragma once

#include <cstdint>

#include "kernels/cpu/statistics_level.h"

namespace shoal::SHOAL_LEVEL {
namespace {

template <class T>
struct LogConstants;
template <>
struct LogConstants<float> {
  using Int = std::int32_t;
  static constexpr int kMantissa = 23;
  static constexpr Int kRootHalf = 0x3f3504f3;
  static constexpr float kLn2High = 0x1.62e3p-1f, kLn2Low = 0x1.2fefa2p-17f;  // the first has 15 bits
  static constexpr int kTerms = 4;
};
template <>
struct LogConstants<double> {
  using Int = std::int64_t;
  static constexpr int kMantissa = 52;
  static constexpr Int kRootHalf = 0x3fe6a09e667f3bcd;
  static constexpr double kLn2High = 0x1.62e42feep-1, kLn2Low = 0x1.a39ef35793c76p-33;  // 32 bits
  static constexpr int kTerms = 10;
};

template <class T>
SHOAL_INLINE stdx::native_simd<T> log1p_of(stdx::native_simd<T> q) {
  using C = LogConstants<T>;
  using W = stdx::native_simd<T>;
  using B = stdx::rebind_simd_t<typename C::Int, W>;
  const W u = q + W(T(1));
  W c = q - (u - W(T(1)));
  stdx::where(q > W(T(1)), c) = W(T(1)) - (u - q);
  const B bits = __builtin_bit_cast(B, u), k = (bits - B(C::kRootHalf)) >> C::kMantissa;
  const W m = __builtin_bit_cast(W, bits - (k << C::kMantissa));
  const W exponent = stdx::static_simd_cast<W>(k);
  const W s = (m - W(T(1))) / (m + W(T(1))), z = s * s;
  W p = W(T(1) / T(2 * C::kTerms + 1));
  for (int i = C::kTerms - 1; i >= 1; --i) p = p * z + W(T(1) / T(2 * i + 1));
  const W twice = s + s;
  return exponent * W(C::kLn2High) + (twice + (twice * (z * p) + (exponent * W(C::kLn2Low) + c / u)));
}

}  // namespace
}  // namespace shoal::SHOAL_LEVEL
