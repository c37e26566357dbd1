// bfloat16 as its 16 bits, the same arithmetic on every machine. Included by simt.h after the words of the
// language are known.
#pragma once

namespace simt {

// Round to nearest, ties to even; NaN stays NaN (the quiet bit is set).
__host__ __device__ __forceinline__ unsigned short to_bf16(float x) {
  union {
    float f;
    unsigned u;
  } bits{x};
  if ((bits.u & 0x7fffffffu) > 0x7f800000u) return static_cast<unsigned short>((bits.u >> 16) | 0x40u);
  return static_cast<unsigned short>((bits.u + 0x7fffu + ((bits.u >> 16) & 1u)) >> 16);
}

__host__ __device__ __forceinline__ float from_bf16(unsigned short h) {
  union {
    unsigned u;
    float f;
  } bits{static_cast<unsigned>(h) << 16};
  return bits.f;
}

// Two values in one register as mma and ldmatrix hold them: the first in the low half.
__host__ __device__ __forceinline__ unsigned pack_bf16(float low, float high) {
  return to_bf16(low) | static_cast<unsigned>(to_bf16(high)) << 16;
}

}  // namespace simt
