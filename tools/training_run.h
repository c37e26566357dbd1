// A run inside its directory: hooks that write as it goes, and the files at its end.
#pragma once

#include <filesystem>
#include <optional>

#include "tools/training.h"

namespace shoal {

/// Trains, with a checkpoint, metrics.jsonl and state.safetensors in the directory. The checkpoint of a run
/// that came to its end is still there: remove_run_checkpoints, when nothing can be lost any more. Files that
/// cannot be written are OutputErrors.
RunResult run_with_files(const RunDirectory&, const RunSpec&, const Task&, const Dataset&,
                         std::optional<double> checkpoint_seconds, const TrainingExtras&, Report&);
void remove_run_checkpoints(const std::filesystem::path& directory);

/// The remaining files, the events and, when asked for, the table of a run that has ended.
void write_results(const Population&, bool table);

}  // namespace shoal
