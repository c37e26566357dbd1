// exp of a vector of doubles at the level this file is compiled for, of arguments that are not positive.
//
//   x = k ln 2 + r, |r| <= ln 2 / 2;   exp(x) = 2^k p(r)
//
// p is the Chebyshev economisation of exp's series to degree 11 on |r| <= 0.34658: relative error 3.2e-18 in
// exact arithmetic. With rounding the result is within 1.5 ulp of exp(x) for -708 <= x <= 0, with or without
// fused multiply-adds; below -708 it is exp(-708) = 3e-308. The test is
// tests/kernels/vector_functions_test.cpp. Internal linkage: see kernels/portable.h.
#pragma once

#include <cstdint>

#include "kernels/cpu/statistics_level.h"

namespace shoal::SHOAL_LEVEL {
namespace {

using Bits = stdx::rebind_simd_t<std::int64_t, D>;
static_assert(sizeof(D) == sizeof(Bits));

SHOAL_INLINE Bits bits_of(D x) { return __builtin_bit_cast(Bits, x); }
SHOAL_INLINE D double_of(Bits b) { return __builtin_bit_cast(D, b); }

SHOAL_INLINE D exp_of_negative(D x) {
  constexpr double kRound = 0x1.8p52;  // a sum with it has the nearest integer in its lowest bits
  x = stdx::max(x, D(-708.0));
  const D shifted = x * D(0x1.71547652b82fep+0) + D(kRound);
  const D k = shifted - D(kRound);
  // ln 2 in two parts, the first with 32 bits, so that k times it is exact
  const D r = (x - k * D(0x1.62e42feep-1)) - k * D(0x1.a39ef35793c76p-33);
  D p = D(0x1.af7860a846281p-26);
  p = p * r + D(0x1.28b408307df80p-22);
  p = p * r + D(0x1.71dde7689d187p-19);
  p = p * r + D(0x1.a01991a987b0ep-16);
  p = p * r + D(0x1.a01a01b80313fp-13);
  p = p * r + D(0x1.6c16c187fd096p-10);
  p = p * r + D(0x1.111111110db73p-7);
  p = p * r + D(0x1.555555554f0c9p-5);
  p = p * r + D(0x1.5555555555562p-3);
  p = p * r + D(0x1.0000000000011p-1);
  p = p * r + D(1.0);
  p = p * r + D(1.0);
  return double_of(bits_of(p) + (bits_of(shifted) << 52));
}

}  // namespace
}  // namespace shoal::SHOAL_LEVEL
