// What a run would take, without making it.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "engine/estimate.h"
#include "engine/run.h"
#include "tools/report.h"

namespace shoal {

/// A run as it is planned, with its time where that was measured.
struct PlannedRun {
  std::string data;
  const RunSpec& spec;
  RunPlan plan;
  std::optional<TimeEstimate> time;  // nothing when the program was asked to stop meanwhile
  double data_seconds = 0;           // reading the data took so long
  double after_seconds = 0;          // statistics and figures
};

/// Seconds from beginning to end.
double seconds_of(const PlannedRun&);

/// Prints plans and estimates; in --json mode an event "result" with "dry_run": true. Several runs follow one
/// another.
void print_plan(Report&, std::span<const PlannedRun>);

}  // namespace shoal
