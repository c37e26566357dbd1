// What is known of a run before it is made (plan_run is in run.h).
#pragma once

#include "engine/run.h"

namespace shoal {

/// SpecError for what cannot be run on this task: a model that is none, data without samples, a batch larger
/// than the data.
void validate(const RunSpec&, const Task&);

}  // namespace shoal
