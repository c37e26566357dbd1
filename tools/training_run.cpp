#include "tools/training_run.h"

#include <fmt/format.h>
#include <shoal_version.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "engine/weights.h"
#include "tools/exit_codes.h"
#include "tools/progress.h"
#include "tools/results.h"
#include "tools/signals.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

constexpr const char* kCheckpoint = "checkpoint.safetensors";
constexpr const char* kState = "state.safetensors";
constexpr const char* kMetrics = "metrics.jsonl";

/// Writing and its errors, in our words' type: what cannot be written is no damaged input.
template <class F>
auto writing(F&& write) {
  try {
    return write();
  } catch (const WeightsError& e) { throw OutputError(e.what()); }
}

WeightsWriter open_state(const RunDirectory& directory, const RunSpec& spec, const Task& task,
                         const Dataset& data) {
  std::vector<WeightsWriter::Model> models;
  for (const ModelSpec& model : spec.models) {
    std::vector<int> widths{task.shape.features};
    widths.insert(widths.end(), model.hidden.begin(), model.hidden.end());
    widths.push_back(task.shape.classes);
    models.push_back({to_string(model_id(model, task.shape)), std::move(widths)});
  }
  // Nothing here may depend on when or how the run was made: an interrupted run ends in the same bytes.
  const std::map<std::string, std::string> metadata{{"program", "shoal " SHOAL_VERSION},
                                                    {"data", data.name},
                                                    {"epochs", std::to_string(spec.epochs)},
                                                    {"loss", std::string(name_of(spec.loss))},
                                                    {"scale", to_text(static_cast<double>(task.scale))},
                                                    {"shift", to_text(static_cast<double>(task.shift))}};
  return writing([&] { return WeightsWriter(directory.file(kState), std::move(models), metadata); });
}

/// metrics.jsonl of a resumed run keeps its whole lines; an epoch that is trained again after a hard end is
/// not written twice.
class MetricsFile {
 public:
  explicit MetricsFile(const RunDirectory& where) : directory(where) {
    std::ifstream in(directory.file(kMetrics));
    std::string whole;
    for (std::string line; std::getline(in, line);) {
      const auto object = nlohmann::ordered_json::parse(line, nullptr, false);
      if (!object.is_object() || !object.contains("wave") || !object.contains("epoch")) continue;
      if (known.emplace(object["wave"].get<int>(), object["epoch"].get<int>()).second) whole += line + "\n";
    }
    directory.write(kMetrics, whole);
  }
  void add(const nlohmann::ordered_json& fields) {
    if (!known.emplace(fields["wave"].get<int>(), fields["epoch"].get<int>()).second) return;
    directory.append_line(kMetrics, fields.dump());
  }

 private:
  const RunDirectory& directory;
  std::set<std::pair<int, int>> known;
};

/// Lines of progress, and once a second an event.
class ProgressReporter {
 public:
  explicit ProgressReporter(Report& to) : report(to) {}
  void operator()(const Progress& p) {
    if (!begun) begun = true, already_done = p.done;
    if (p.model_samples == 0.0) return;  // nothing to tell yet
    report.progress(progress_text(p, already_done), p.done, p.seconds);
    if (!report.json() || !(p.seconds - last_event >= 1.0)) return;
    last_event = p.seconds;
    report.event("progress", progress_fields(p, already_done));
  }

 private:
  Report& report;
  bool begun = false;
  double already_done = 0.0, last_event = 0.0;
};

}  // namespace

RunResult run_with_files(const RunDirectory& directory, const RunSpec& spec, const Task& task,
                         const Dataset& data, std::optional<double> checkpoint_seconds,
                         const TrainingExtras& extras, Report& report) {
  WeightsWriter state = open_state(directory, spec, task, data);
  MetricsFile metrics(directory);
  ProgressReporter progress(report);
  std::atomic<bool> training{false};  // a checkpoint is read before the first progress, and written after it
  RunHooks hooks;
  hooks.stop = &stop_requested();
  hooks.checkpoint_path = directory.file(kCheckpoint).string();
  hooks.checkpoint_seconds = checkpoint_seconds;
  hooks.keep_checkpoint = true;
  hooks.progress = [&](const Progress& p) {
    training = true;
    progress(p);
  };
  hooks.epoch = [&](const EpochReport& epoch) {
    training = true;
    const auto fields = epoch_fields(epoch);
    metrics.add(fields);
    report.event("epoch", fields);
  };
  hooks.weights = [&](std::int64_t model, std::span<const LayerWeights> layers) {
    writing([&] { state.write(static_cast<std::size_t>(model), layers); });
    if (extras.weights) extras.weights(model, layers);
  };
  hooks.unfolded_weights = extras.unfolded_weights;
  if (extras.weight_epochs && extras.epoch_weights) {
    hooks.weight_epochs = extras.weight_epochs(spec);
    hooks.epoch_weights = [&](const EpochWeights& w) {
      writing([&] { extras.epoch_weights(directory, w); });
    };
  }
  try {
    RunResult result = run(spec, task, hooks);
    report.end_progress();
    if (result.resumed) report.detail("went on from a checkpoint");
    if (!result.stopped) writing([&] { state.finish(); });
    return result;
  } catch (const WeightsError& e) {
    if (training || stop_requested()) throw OutputError(e.what());
    throw;
  }
}

void remove_run_checkpoints(const std::filesystem::path& directory) {
  remove_checkpoints((directory / kCheckpoint).string());
}

void write_results(const Population& p, bool table) {
  write_curves(p.directory, p.spec, p.result);
  write_population(p.directory, p.spec, p.result, p.task.shape);
  write_neurons(p.directory, p.spec, p.result);
  if (p.report.json())
    for (std::size_t m = 0; m < p.result.models.size(); ++m)
      p.report.event("model", model_fields(p.spec, p.result, m));
  p.report.event("result", result_fields(p.spec, p.result));
  if (table) p.report.print(result_table(p.spec, p.result, p.report.colour()));
}

}  // namespace shoal
