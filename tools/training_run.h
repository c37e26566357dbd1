// A run inside its directory: hooks that write as it goes, and the files at its end.
#pragma once

#include "tools/training.h"

namespace shoal {

/// Trains, with a checkpoint, metrics.jsonl and state.safetensors in the directory. Files that cannot be
/// written are OutputErrors.
RunResult run_with_files(const RunDirectory&, const RunSpec&, const Task&, const Dataset&,
                         double checkpoint_seconds, const TrainingExtras&, Report&);

/// The remaining files, the events and, when asked for, the table of a run that has ended.
void write_results(const Population&, bool table);

}  // namespace shoal
