// Training a population from the command line: what `shoal train` does and studies build on. Settings, data,
// the product of all lists, the run, its directory.
// How a study is made of it: studies/versions.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/dataset.h"
#include "engine/run.h"
#include "tools/command.h"
#include "tools/report.h"
#include "tools/run_directory.h"
#include "tools/settings.h"

namespace shoal {

/// The rows that every training run has: data, models, optimizer, machine.
Schema training_schema();

/// The flags of a training command as they were given (training_options.h).
struct TrainingCommand;

/// Adds a flag for every setting and the flags that are not settings (-o, --config, --resume, ...).
std::shared_ptr<TrainingCommand> add_training_options(CLI::App&, Schema);

/// A population that has been trained; every standard file is written.
struct Population {
  const Settings& settings;
  const Dataset& data;
  const Task& task;
  const RunSpec& spec;
  const RunResult& result;
  const RunDirectory& directory;
  Report& report;
};

/// What a study adds to a run.
struct TrainingExtras {
  /// Sees the settings when all of them are known, before anything is made of them: a preset sets what nobody
  /// has set (origin fallback), a study refuses what it cannot do (UsageError).
  std::function<void(Settings&, Report&)> settle;
  /// Changes the run before it is planned; the settings are final.
  std::function<void(RunSpec&, const Settings&)> adjust;
  /// Sees the weights of every model as it finishes (RunHooks::weights).
  std::function<void(std::int64_t model, std::span<const LayerWeights>)> weights;
  /// The same before gates are folded into them (RunHooks::unfolded_weights).
  std::function<void(std::int64_t model, std::span<const LayerWeights>)> unfolded_weights;
  /// Epochs at whose ends `epoch_weights` sees the weights (RunHooks::weight_epochs). What it writes into the
  /// run's directory is there after a resume.
  std::function<std::vector<int>(const RunSpec&)> weight_epochs;
  std::function<void(const RunDirectory&, const EpochWeights&)> epoch_weights;
  /// The data sets that --data stands for. Two or more: each is trained in a directory of its own name inside
  /// the run's, one after the other; `after` sees each, `together` all of them.
  std::function<std::vector<std::string>(const Settings&)> parts;
  /// After a run that was not stopped. What takes long looks at stop_requested() (signals.h).
  std::function<void(const Population&)> after;
  std::function<void(std::span<const Population>, const RunDirectory&, Report&)> together;
  /// Seconds that `after` will take, for --dry-run; measured on made-up results.
  std::function<double(const RunSpec&, const Task&)> after_seconds;
  bool table = true;  // false: `after` prints one of its own
};

/// Runs it; returns the exit code. Errors are thrown.
int run_training(const TrainingCommand&, const Invocation&, const TrainingExtras&);

}  // namespace shoal
