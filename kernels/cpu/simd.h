// Vectors of floats at the level this file is compiled for. Everything here has internal linkage: the file is
// compiled once per level into one program (see kernels/portable.h).
#pragma once

#include <math.h>

#include <experimental/simd>

#include "kernels/ops.h"
#include "kernels/portable.h"

namespace shoal::SHOAL_LEVEL {
namespace {

namespace stdx = std::experimental;
using V = stdx::native_simd<float>;
constexpr int kLanes = static_cast<int>(V::size());
constexpr auto kAligned = stdx::vector_aligned;

SHOAL_INLINE V load(const float* p) { return V(p, kAligned); }
SHOAL_INLINE void store(float* p, V v) { v.copy_to(p, kAligned); }
SHOAL_INLINE V relu(V z) {
  // Written as a selection so that NaN stays NaN: a model that diverges must be seen.
  V r = z;
  stdx::where(z < V(0.0f), r) = V(0.0f);
  return r;
}
SHOAL_INLINE float sum_of(V v) { return stdx::reduce(v); }
SHOAL_INLINE int smaller(int a, int b) { return a < b ? a : b; }

}  // namespace
}  // namespace shoal::SHOAL_LEVEL

namespace shoal {
template <>
struct Elementwise<SHOAL_LEVEL::V> {
  using V = SHOAL_LEVEL::V;
  static SHOAL_INLINE V root(V x) { return std::experimental::sqrt(x); }
  static SHOAL_INLINE V magnitude(V x) { return std::experimental::abs(x); }
  static SHOAL_INLINE V larger(V x, V y) { return std::experimental::max(x, y); }
  static SHOAL_INLINE V sign(V x) {
    V s = 0.0f;
    std::experimental::where(x > V(0.0f), s) = V(1.0f);
    std::experimental::where(x < V(0.0f), s) = V(-1.0f);
    return s;
  }
};
}  // namespace shoal
