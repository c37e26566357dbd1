// What a run would take, without making it.
#pragma once

#include <optional>

#include "engine/run.h"
#include "tools/report.h"

namespace shoal {

/// Trains for about a second and a half to measure the rate; seconds for the whole run. Nothing when the
/// program was asked to stop meanwhile, or when there was no progress to measure.
std::optional<double> estimate_seconds(const RunSpec&, const Task&);

/// Prints the plan and the estimate; in --json mode an event "result" with "dry_run": true.
void print_plan(Report&, const RunSpec&, const RunPlan&, std::optional<double> seconds);

}  // namespace shoal
