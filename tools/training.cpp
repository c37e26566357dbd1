#include "tools/training.h"

#include <fmt/format.h>
#include <shoal_version.h>

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "datasets/file_data.h"
#include "datasets/registry.h"
#include "tools/config_file.h"
#include "tools/dry_run.h"
#include "tools/exit_codes.h"
#include "tools/population_spec.h"
#include "tools/results.h"
#include "tools/run_record.h"
#include "tools/signals.h"
#include "tools/table.h"
#include "tools/training_options.h"
#include "tools/training_run.h"

namespace shoal {
namespace {

/// Paths are written down as they are found from anywhere, so that config.toml repeats the run from anywhere.
void make_paths_absolute(Settings& settings) {
  const auto make_absolute = [&](std::string_view key) {
    const auto path = std::filesystem::absolute(settings.text(key)).lexically_normal();
    settings.set(key, path.string(), settings.origin(key));
  };
  const auto known = list_datasets();
  const std::string& data = settings.text("data");
  const bool named =
      std::any_of(known.begin(), known.end(), [&](const DatasetInfo& i) { return i.name == data; });
  if (!named && names_a_file(data)) make_absolute("data");
  if (!settings.text("data-dir").empty()) make_absolute("data-dir");
}

/// Settings, data and plan of a run that has not begun.
struct Prepared {
  Settings settings;
  Dataset data;
  Task task;
  RunSpec spec;
  RunPlan plan;
};

void announce(Report& report, const Prepared& p, std::int64_t combinations) {
  for (const std::string& warning : p.data.warnings) report.warn(warning);
  if (combinations != p.plan.models)
    report.say(fmt::format("{} combinations describe {} different models; each is trained once",
                           grouped(combinations), grouped(p.plan.models)));
  report.say(fmt::format("{} model{}, {} parameters, {} epoch{} of {} ({} samples) on {}",
                         grouped(p.plan.models), p.plan.models == 1 ? "" : "s", grouped(p.plan.parameters),
                         p.spec.epochs, p.spec.epochs == 1 ? "" : "s", p.data.name,
                         grouped(p.data.train.count), device_name(p.spec.machine)));
  report.detail(
      fmt::format("data: {}; inputs enter as x * {} + {}", p.data.source, p.task.scale, p.task.shift));
  report.detail(fmt::format("{} packs, {} panels, {} waves; {} of population, {} of activations",
                            p.plan.packs, p.plan.panels, p.plan.waves,
                            bytes_text(static_cast<double>(p.plan.population_bytes)),
                            bytes_text(static_cast<double>(p.plan.workspace_bytes))));
}

Prepared prepare(Settings settings, const TrainingExtras& extras, Report& report) {
  make_paths_absolute(settings);
  Product product = models_of(settings);  // cheap errors before slow data
  RunSpec spec = run_spec_of(settings);
  settings.set("device", device_name(spec.machine), settings.origin("device"));
  if (extras.adjust) extras.adjust(spec, settings);
  Prepared p{std::move(settings), {}, {}, std::move(spec), {}};
  p.data = load_dataset(dataset_spec_of(p.settings));
  check_against_data(p.spec, p.data);
  p.task = task_of(p.data, normalization_of(p.settings.text("normalize"), p.data.train));
  p.plan = plan_run(p.spec, p.task);
  announce(report, p, product.combinations);
  return p;
}

/// The exit code of a run that --resume finds finished.
std::optional<int> finished_before(const TrainingCommand& command) {
  if (resumed_config(command).empty()) return std::nullopt;
  const auto record = read_record(command.output);
  if (!record.is_object() || record.value("status", "") != "finished") return std::nullopt;
  return record.value("exit_code", kExitOk);
}

/// Another file under the same name would make another run of it.
void check_data_of_resumed(const std::filesystem::path& directory, const Prepared& p) {
  const auto before = read_record(directory);
  if (!before.is_object() || !before.contains("data")) return;
  const auto now = data_record(p.data, p.task);
  if (before["data"].contains("checksums") && before["data"]["checksums"] != now["checksums"])
    throw DataError(fmt::format("the files of {} are not those that the run in {} was begun with",
                                p.data.name, directory.string()));
}

Existing existing_of(const TrainingCommand& c) {
  return c.resume ? Existing::resume : c.force ? Existing::replace : Existing::refuse;
}

RunDirectory open_directory(const TrainingCommand& c, const Prepared& p) {
  std::string name = p.settings.text("name");
  if (name.empty()) name = p.data.name;
  if (name.find('/') != std::string::npos)
    throw UsageError(
        fmt::format("--name: '{}' has a / in it, and it becomes a part of the directory's name", name));
  const std::filesystem::path path =
      c.output.empty() ? default_run_path(name) : std::filesystem::path(c.output);
  if (c.resume) check_data_of_resumed(path, p);
  return RunDirectory(path, existing_of(c));
}

int train_in(const RunDirectory& directory, const TrainingCommand& c, const Prepared& p,
             const Invocation& invocation, const TrainingExtras& extras, Report& report) {
  auto record = begin_record(c.name, invocation, p.spec, p.plan, p.data, p.task);
  directory.write("config.toml", to_toml(p.settings, c.name));
  write_record(directory, record);
  report.event("start", {{"version", SHOAL_VERSION},
                         {"command", c.name},
                         {"data", p.data.name},
                         {"models", p.plan.models},
                         {"parameters", p.plan.parameters},
                         {"epochs", p.spec.epochs},
                         {"device", device_name(p.spec.machine)},
                         {"directory", directory.path().string()}});
  try {
    const RunResult result = run_with_files(directory, p.spec, p.task, p.data,
                                            p.settings.real("checkpoint-every"), extras, report);
    add_result(record, result);
    const Population population{p.settings, p.data, p.task, p.spec, result, directory, report};
    if (!result.stopped) write_results(population, extras.table);
    if (!result.stopped && extras.after) extras.after(population);
    const int code = result.stopped ? stop_exit_code() : result.diverged > 0 ? kExitDiverged : kExitOk;
    end_record(record, result.stopped ? "stopped" : "finished", code);
    write_record(directory, record);
    if (result.stopped)
      report.say(fmt::format("stopped after a checkpoint; `shoal {} --resume -o {}` goes on", c.name,
                             directory.path().string()));
    report.print_always(directory.path().string());
    report.event("end", {{"status", result.stopped ? "stopped" : "finished"},
                         {"exit_code", code},
                         {"directory", directory.path().string()}});
    return code;
  } catch (...) {
    const Failure failure = failure_of(std::current_exception());
    end_record(record, "failed", failure.code);
    record["error"] = failure.message;
    try {
      write_record(directory, record);
    } catch (const OutputError&) {  // on a full disk the first error is the one to tell
    }
    throw;
  }
}

int run_reported(const TrainingCommand& c, const Invocation& invocation, const TrainingExtras& extras,
                 Report& report) {
  std::vector<std::string> warnings;
  Settings settings = settings_of(c, warnings);
  for (const std::string& warning : warnings) report.warn(warning);
  if (extras.settle) extras.settle(settings, report);
  if (extras.settle) extras.settle(settings, report);
  if (c.print_config) return report.print_raw(to_toml(settings, c.name)), kExitOk;
  if (c.force && c.resume) throw UsageError("--force and --resume contradict each other: give one of them");
  check_resumed(c, settings);
  if (const auto code = finished_before(c)) {
    report.say(fmt::format("the run in {} is finished; there is nothing to go on with", c.output));
    report.print_always(c.output);
    report.event("end", {{"status", "finished"}, {"exit_code", *code}, {"directory", c.output}});
    return *code;
  }
  if (!c.dry_run && !c.output.empty()) check_run_path(c.output, existing_of(c));  // before slow data
  const Prepared prepared = prepare(std::move(settings), extras, report);
  if (c.dry_run) {
    print_plan(report, prepared.spec, prepared.plan, estimate_seconds(prepared.spec, prepared.task));
    return stop_exit_code();
  }
  return train_in(open_directory(c, prepared), c, prepared, invocation, extras, report);
}

}  // namespace

int run_training(const TrainingCommand& command, const Invocation& invocation, const TrainingExtras& extras) {
  Report report(report_spec_of(command));
  try {
    return run_reported(command, invocation, extras, report);
  } catch (...) {
    const Failure failure = failure_of(std::current_exception());
    report.end_progress();
    report.log(fmt::format("error: {}", failure.message));
    report.event("end", {{"status", "failed"}, {"exit_code", failure.code}, {"error", failure.message}});
    throw;
  }
}

}  // namespace shoal
