#include "tools/dry_run.h"

#include <fmt/format.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "tools/population_spec.h"
#include "tools/signals.h"
#include "tools/table.h"

namespace shoal {

std::optional<double> estimate_seconds(const RunSpec& spec, const Task& task) {
  constexpr double kMeasured = 1.5;
  std::atomic<bool> enough{false};
  std::optional<Progress> first, last;
  RunHooks hooks;
  hooks.stop = &enough;
  hooks.progress = [&](const Progress& p) {
    if (!first && p.done > 0.0) first = p;
    if (first) last = p;
    if (stop_requested() || (first && p.seconds - first->seconds >= kMeasured)) enough = true;
  };
  const RunResult result = run(spec, task, hooks);
  if (stop_requested()) return std::nullopt;
  if (!result.stopped) return result.seconds;
  if (!first || !(last->done > first->done)) return std::nullopt;
  const double rate = (last->done - first->done) / (last->seconds - first->seconds);
  return first->seconds + (1.0 - first->done) / rate;
}

void print_plan(Report& report, const RunSpec& spec, const RunPlan& plan, std::optional<double> seconds) {
  const std::string time =
      seconds ? clock_text(*seconds) + " (an estimate from a short measurement)" : "unknown";
  report.print(fmt::format(
      "models          {}\nparameters      {}\nepochs          {}\ndevice          {}\n"
      "population      {} with optimizer state\nactivations     {}\ndata            {}\n"
      "waves           {}\npacks, panels   {}, {}\narithmetic      {}FLOP\ntime            {}\n",
      grouped(plan.models), grouped(plan.parameters), spec.epochs, device_name(spec.machine),
      bytes_text(static_cast<double>(plan.population_bytes)),
      bytes_text(static_cast<double>(plan.workspace_bytes)), bytes_text(static_cast<double>(plan.data_bytes)),
      plan.waves, grouped(plan.packs), grouped(plan.panels), with_unit(plan.train_flops), time));
  report.event("result", {{"dry_run", true},
                          {"models", plan.models},
                          {"parameters", plan.parameters},
                          {"padded_parameters", plan.padded_parameters},
                          {"population_bytes", plan.population_bytes},
                          {"workspace_bytes", plan.workspace_bytes},
                          {"data_bytes", plan.data_bytes},
                          {"waves", plan.waves},
                          {"packs", plan.packs},
                          {"panels", plan.panels},
                          {"train_flops", plan.train_flops},
                          {"estimated_seconds",
                           seconds ? nlohmann::ordered_json(*seconds) : nlohmann::ordered_json()}});
}

}  // namespace shoal
