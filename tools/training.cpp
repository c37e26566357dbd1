#include "tools/training.h"

#include <fmt/format.h>
#include <shoal_version.h>

#include <algorithm>
#include <chrono>
#include <deque>
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
  double data_seconds = 0;  // reading the data took so long
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
  if (extras.adjust) {
    extras.adjust(spec, settings);
    product.combinations = static_cast<std::int64_t>(spec.models.size());  // they are the study's own
  }
  Prepared p{std::move(settings), {}, {}, std::move(spec), {}, 0};
  const auto began = std::chrono::steady_clock::now();
  p.data = load_dataset(dataset_spec_of(p.settings));
  check_against_data(p.spec, p.data);
  p.task = task_of(p.data, normalization_of(p.settings.text("normalize"), p.data.train));
  p.data_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  p.plan = plan_run(p.spec, p.task);
  announce(report, p, product.combinations);
  return p;
}

/// The exit code of a run that --resume finds finished.
std::optional<int> finished_before(const TrainingCommand& command) {
  if (resumed_config(command).empty()) return std::nullopt;
  const auto record = read_record(command.output);
  if (!record.is_object() || record.value("status", "") != "finished") return std::nullopt;
  remove_run_checkpoints(command.output);  // a process killed at its very end leaves them
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

std::filesystem::path run_path(const TrainingCommand& c, const Settings& settings, const std::string& data) {
  std::string name = settings.text("name");
  if (name.empty()) name = data;
  if (name.find('/') != std::string::npos)
    throw UsageError(
        fmt::format("--name: '{}' has a / in it, and it becomes a part of the directory's name", name));
  return c.output.empty() ? default_run_path(name) : std::filesystem::path(c.output);
}

/// What every step of a run knows.
struct Context {
  const TrainingCommand& command;
  const Invocation& invocation;
  const TrainingExtras& extras;
  Report& report;
};

std::optional<double> checkpoint_seconds_of(const Settings& settings) {
  if (settings.text("checkpoint-every") == "auto") return std::nullopt;
  return settings.real("checkpoint-every");
}

int code_of(const RunResult& result) {
  return result.stopped ? stop_exit_code() : result.diverged > 0 ? kExitDiverged : kExitOk;
}

/// Does the work of a run whose record is open, and writes into the record how it ended: with the exit code
/// that `work` returns, or with what it threw.
template <class Work>
int recorded(const RunDirectory& directory, nlohmann::ordered_json& record, Work&& work) {
  try {
    const int code = work();
    const bool stopped = code == kExitInterrupted || code == kExitTerminated;
    end_record(record, stopped ? "stopped" : "finished", code);
    write_record(directory, record);
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

/// A population in its directory; the checkpoint stays until the caller removes it.
int train_in(const RunDirectory& directory, const Prepared& p, const Context& x, RunResult& result) {
  auto record = begin_record(x.command.name, x.invocation, p.spec, p.plan, p.data, p.task);
  directory.write("config.toml", to_toml(p.settings, x.command.name));
  write_record(directory, record);
  x.report.event("start", {{"version", SHOAL_VERSION},
                           {"command", x.command.name},
                           {"data", p.data.name},
                           {"models", p.plan.models},
                           {"parameters", p.plan.parameters},
                           {"epochs", p.spec.epochs},
                           {"device", device_name(p.spec.machine)},
                           {"directory", directory.path().string()}});
  return recorded(directory, record, [&] {
    result = run_with_files(directory, p.spec, p.task, p.data, checkpoint_seconds_of(p.settings), x.extras,
                            x.report);
    add_result(record, result);
    if (result.stopped) return code_of(result);
    const Population population{p.settings, p.data, p.task, p.spec, result, directory, x.report};
    write_results(population, x.extras.table);
    if (!x.extras.after) return code_of(result);
    x.extras.after(population);
    result.stopped = stop_requested();  // what is missing is made when the run goes on
    return code_of(result);
  });
}

int say_end(const Context& x, const std::filesystem::path& path, int code, bool stopped) {
  if (stopped)
    x.report.say(fmt::format("stopped after a checkpoint; `shoal {} --resume -o {}` goes on", x.command.name,
                             path.string()));
  x.report.print_always(path.string());
  x.report.event(
      "end",
      {{"status", stopped ? "stopped" : "finished"}, {"exit_code", code}, {"directory", path.string()}});
  return code;
}

int train_one(const Prepared& p, const Context& x) {
  const auto path = run_path(x.command, p.settings, p.data.name);
  if (x.command.resume) check_data_of_resumed(path, p);
  const RunDirectory directory(path, existing_of(x.command));
  RunResult result;
  const int code = train_in(directory, p, x, result);
  if (!result.stopped) remove_run_checkpoints(path);
  return say_end(x, path, code, result.stopped);
}

/// One data set after the other, each in a directory of its own inside the run's.
int train_parts(const std::vector<Prepared>& parts, const Settings& settings, const Context& x) {
  const auto path = run_path(x.command, settings, settings.text("data"));
  const RunDirectory directory(path, existing_of(x.command));
  auto record = build_record();
  record["command"] = x.command.name;
  record["arguments"] = x.invocation.arguments;
  record["status"] = "running";
  record["exit_code"] = nullptr;
  record["started"] = utc_now();
  for (const Prepared& p : parts) record["parts"].push_back(p.data.name);
  directory.write("config.toml", to_toml(settings, x.command.name));
  write_record(directory, record);
  std::deque<RunDirectory> directories;
  std::deque<RunResult> results;
  std::vector<Population> populations;
  bool stopped = false;
  const int code = recorded(directory, record, [&] {
    int worst = kExitOk;
    for (const Prepared& p : parts) {
      const auto where = path / p.data.name;
      if (x.command.resume) check_data_of_resumed(where, p);
      directories.emplace_back(where, Existing::resume);
      const int part = train_in(directories.back(), p, x, results.emplace_back());
      stopped = results.back().stopped;
      if (stopped) return part;
      worst = std::max(worst, part);
      populations.push_back(
          {p.settings, p.data, p.task, p.spec, results.back(), directories.back(), x.report});
    }
    if (x.extras.together) x.extras.together(populations, directory, x.report);
    return worst;
  });
  if (!stopped)
    for (const RunDirectory& d : directories) remove_run_checkpoints(d.path());
  return say_end(x, path, code, stopped);
}

int plan_only(const std::vector<Prepared>& parts, const Context& x) {
  std::vector<PlannedRun> runs;
  for (const Prepared& p : parts) {
    const TimeEstimate time = estimate_time(p.spec, p.task, {.stop = &stop_requested()});
    runs.push_back({p.data.name, p.spec, p.plan, std::nullopt, p.data_seconds, 0.0});
    if (time.stopped) continue;
    runs.back().time = time;
    if (x.extras.after_seconds) runs.back().after_seconds = x.extras.after_seconds(p.spec, p.task);
  }
  print_plan(x.report, runs);
  return stop_exit_code();
}

int run_reported(const TrainingCommand& c, const Invocation& invocation, const TrainingExtras& extras,
                 Report& report) {
  std::vector<std::string> warnings;
  Settings settings = settings_of(c, warnings);
  for (const std::string& warning : warnings) report.warn(warning);
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
  const Context x{c, invocation, extras, report};
  std::vector<std::string> names;
  if (extras.parts) names = extras.parts(settings);
  std::vector<Prepared> parts;
  for (const std::string& name : names) {
    Settings of_part = settings;
    of_part.set("data", name, settings.origin("data"));
    parts.push_back(prepare(std::move(of_part), extras, report));
  }
  if (names.empty()) parts.push_back(prepare(settings, extras, report));
  if (c.dry_run) return plan_only(parts, x);
  return names.size() > 1 ? train_parts(parts, settings, x) : train_one(parts[0], x);
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
