// The ops of one instruction-set level. Every kernels/cpu/*.cpp that includes this is compiled once per
// level, with SHOAL_LEVEL = plain, v2, v3 or v4 as its namespace.
#pragma once

#include "kernels/ops.h"

#ifndef SHOAL_LEVEL
#error "compiled per level: SHOAL_LEVEL must be defined"
#endif

namespace shoal::SHOAL_LEVEL {

SHOAL_VECTOR_OPS(SHOAL_DECLARE_OP)

}  // namespace shoal::SHOAL_LEVEL
