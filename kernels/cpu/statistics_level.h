// The statistics ops of one instruction-set level, and vectors of doubles for them. As kernels/cpu/level.h:
// every source that includes this is compiled once per level, with SHOAL_LEVEL as its namespace.
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/statistics.h"

#ifndef SHOAL_LEVEL
#error "compiled per level: SHOAL_LEVEL must be defined"
#endif

namespace shoal::SHOAL_LEVEL {

SHOAL_VECTOR_STATISTICS(SHOAL_DECLARE_OP)

namespace {

using D = stdx::native_simd<double>;
constexpr int kDoubles = static_cast<int>(D::size());

}  // namespace
}  // namespace shoal::SHOAL_LEVEL
