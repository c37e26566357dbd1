// Ops without inner loops over numbers: compiled once, the same at every level.
#pragma once

#include "kernels/ops.h"

namespace shoal::cpu {

void begin_step(const BeginStep&, void* stream);
void shuffle(const Shuffle&, void* stream);
void set_gates(const SetGates&, void* stream);
void update_gates(const UpdateGates&, void* stream);

}  // namespace shoal::cpu
