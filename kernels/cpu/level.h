// The ops of one instruction-set level. Every kernels/cpu/*.cpp that includes this is compiled once per
// level, with SHOAL_LEVEL = plain, v2, v3 or v4 as its namespace.
#pragma once

#include "kernels/ops.h"

#ifndef SHOAL_LEVEL
#error "compiled per level: SHOAL_LEVEL must be defined"
#endif

namespace shoal::SHOAL_LEVEL {

void gather(const Gather&, void* stream);
void forward(const Forward&, void* stream);
void loss(const Loss&, void* stream);
void backward(const Backward&, void* stream);
void update(const Update&, void* stream);
void fold_moments(const FoldMoments&, void* stream);
void removal(const Removal&, void* stream);
void shrink_groups(const ShrinkGroups&, void* stream);

}  // namespace shoal::SHOAL_LEVEL
