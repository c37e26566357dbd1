// Ops without inner loops over numbers: compiled once, the same at every level.
#pragma once

#include "kernels/ops.h"

namespace shoal::cpu {

SHOAL_PLAIN_OPS(SHOAL_DECLARE_OP)

}  // namespace shoal::cpu
