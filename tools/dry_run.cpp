#include "tools/dry_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/population_spec.h"
#include "tools/table.h"

namespace shoal {
namespace {

using nlohmann::ordered_json;

/// "3.2 s", "12:31", "3:02:07"
std::string seconds_text(double seconds) {
  return seconds < 60 ? fmt::format("{:.1f} s", seconds) : clock_text(seconds);
}

std::string time_text(const PlannedRun& run) {
  if (!run.time) return "unknown";
  const TimeEstimate& t = *run.time;
  std::string text = fmt::format("{} ± {:.0f} %: training {}, evaluation {}", seconds_text(seconds_of(run)),
                                 std::max(1.0, 100 * t.uncertainty()), seconds_text(t.seconds.training),
                                 seconds_text(t.seconds.evaluation));
  if (run.after_seconds > 0) text += fmt::format(", statistics {}", seconds_text(run.after_seconds));
  return text +
         fmt::format(
             ", the rest {}\n                (an estimate, measured in {:.1f} s: {} of {} sizes of packs, {} "
             "times; ±: half the spread)",
             seconds_text(run.data_seconds + t.seconds.begin + t.seconds.files), t.measured, t.probed,
             t.kinds, t.rounds);
}

std::string plan_text(const PlannedRun& run) {
  const RunPlan& plan = run.plan;
  return fmt::format(
      "data            {}\nmodels          {}\nparameters      {}\nepochs          {}\ndevice          {}\n"
      "population      {} with optimizer state\nactivations     {}\ndata, size      {}\n"
      "waves           {}\npacks, panels   {}, {}\narithmetic      {}FLOP\ntime            {}\n",
      run.data, grouped(plan.models), grouped(plan.parameters), run.spec.epochs,
      device_name(run.spec.machine), bytes_text(static_cast<double>(plan.population_bytes)),
      bytes_text(static_cast<double>(plan.workspace_bytes)), bytes_text(static_cast<double>(plan.data_bytes)),
      plan.waves, grouped(plan.packs), grouped(plan.panels), with_unit(plan.train_flops), time_text(run));
}

ordered_json time_fields(const PlannedRun& run) {
  if (!run.time) return {{"estimated_seconds", nullptr}};
  const TimeEstimate& t = *run.time;
  return {{"estimated_seconds", seconds_of(run)},
          {"estimate_uncertainty", t.uncertainty()},
          {"estimate",
           {{"data", run.data_seconds},
            {"begin", t.seconds.begin},
            {"training", t.seconds.training},
            {"evaluation", t.seconds.evaluation},
            {"statistics", run.after_seconds},
            {"files", t.seconds.files}}},
          {"calibration",
           {{"seconds", t.measured},
            {"rounds", t.rounds},
            {"kinds", t.kinds},
            {"measured_kinds", t.probed},
            {"threads", t.threads}}}};
}

ordered_json plan_fields(const PlannedRun& run) {
  const RunPlan& plan = run.plan;
  ordered_json fields{{"data", run.data},
                      {"models", plan.models},
                      {"parameters", plan.parameters},
                      {"padded_parameters", plan.padded_parameters},
                      {"population_bytes", plan.population_bytes},
                      {"workspace_bytes", plan.workspace_bytes},
                      {"data_bytes", plan.data_bytes},
                      {"waves", plan.waves},
                      {"packs", plan.packs},
                      {"panels", plan.panels},
                      {"train_flops", plan.train_flops}};
  fields.update(time_fields(run));
  return fields;
}

}  // namespace

double seconds_of(const PlannedRun& run) {
  return run.data_seconds + run.after_seconds + (run.time ? run.time->seconds.total() : 0.0);
}

void print_plan(Report& report, std::span<const PlannedRun> runs) {
  ordered_json fields{{"dry_run", true}};
  if (runs.size() == 1) {
    report.print(plan_text(runs[0]));
    fields.update(plan_fields(runs[0]));
  } else {
    double total = 0;
    std::int64_t models = 0;
    bool known = true;
    ordered_json parts = ordered_json::array();
    for (const PlannedRun& run : runs) {
      report.print(plan_text(run) + "\n");
      parts.push_back(plan_fields(run));
      total += seconds_of(run), models += run.plan.models, known &= run.time.has_value();
    }
    report.print(fmt::format("all             {}\n", known ? seconds_text(total) : "unknown"));
    fields["models"] = models;
    fields["estimated_seconds"] = known ? ordered_json(total) : ordered_json();
    fields["parts"] = std::move(parts);
  }
  report.event("result", fields);
}

}  // namespace shoal
