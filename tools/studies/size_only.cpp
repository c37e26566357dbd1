// `shoal study size-only`: can the size of a network that has been trained be found by training the size
// alone? Weights train with all gates open, then rest; x0 goes on by itself. Beside it the loss at every x0,
// which is all that such a training sees, weights and size trained together, and plain networks.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "engine/estimate.h"
#include "engine/initialize.h"
#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/population_spec.h"
#include "tools/signals.h"
#include "tools/studies/findings.h"
#include "tools/studies/size_only_figures.h"
#include "tools/studies/size_only_rows.h"
#include "tools/studies/versions.h"
#include "tools/table.h"

namespace shoal {
namespace {

constexpr int kSteps = 32;  // of x0, from nothing to the whole layer

void check(const Settings& settings) {
  const Comparison comparison{"study size-only compares starts and lambdas", {"seeds"}};
  refuse_own(settings, comparison,
             {"gate", "gate-layers", "gate-penalty", "size-penalty", "gate-start", "gate-slope",
              "gate-slope-lr", "gate-lr", "gate-begin", "weights-rest", "remove-dead"});
  refuse_other_lists(settings, comparison);
  refuse_deep(settings, "study size-only");
  if (settings.text("loss") != "cross-entropy")
    throw UsageError(
        "study size-only sorts neurons by the rise of the cross-entropy: --loss cross-entropy is what it "
        "needs");
  if (settings.integer("trained") >= settings.integer("epochs"))
    throw UsageError(fmt::format(
        "--trained {}: the size trains in the epochs that are left, so it must be less than --epochs {}",
        settings.text("trained"), settings.text("epochs")));
}

SizeOnlySpec spec_of(const Settings& s) {
  SizeOnlySpec spec{.neurons = s.layers("hidden").front().front(),
                    .trained = static_cast<int>(s.integer("trained")),
                    .starts = s.reals("starts"),
                    .penalties = s.reals("penalties"),
                    .start_penalty = s.real("start-penalty"),
                    .plain = {}};
  for (const std::int64_t width : s.integers("plain")) spec.plain.push_back(static_cast<int>(width));
  return spec;
}

std::string table(std::span<const SizeOnlyRow> rows, bool colour) {
  Table text(
      {"", "width", "start", "lambda", "models", "size", "sd", "late change", "train %", "test %", "sd"});
  for (const SizeOnlyRow& r : rows) {
    if (r.models == 0) continue;
    const bool gated = r.training != SizeTraining::plain;
    text.add({std::string(name_of(r.training)), std::to_string(r.width),
              gated ? fmt::format("{:g}", r.start) : "", gated ? fmt::format("{:g}", r.penalty) : "",
              std::to_string(r.models), gated ? cell(r.size.mean, 1) : "", gated ? cell(r.size.sd, 1) : "",
              gated ? cell(r.late.mean, 2) : "", cell(100 * r.train_accuracy.mean, 2),
              cell(100 * r.test_accuracy.mean, 2), cell(100 * r.test_accuracy.sd, 2)});
  }
  return text.text(colour) +
         "\nfrozen: the weights rest while the size trains; sorted: the neurons were sorted before; late "
         "change: of x0 over the last quarter of "
         "these "
         "epochs, in\nneurons an epoch\n";
}

/// Trained weights by model, gates not in them.
using Weights = std::map<std::int64_t, Layers>;

/// One network a seed: those that start in the middle with the first of the lambdas.
std::vector<Layers> trained_networks(const Population& p, const SizeOnlySpec& spec, const Weights& weights) {
  std::vector<Layers> networks;
  std::vector<std::uint64_t> seeds;
  for (std::size_t m = 0; m < p.spec.models.size(); ++m) {
    const ModelSpec& model = p.spec.models[m];
    if (model.weights_rest < 0 || p.result.models[m].status != ModelStatus::ok ||
        model.gates.front().start != spec.neurons / 2.0 ||
        std::ranges::find(seeds, model.seed) != seeds.end())
      continue;
    seeds.push_back(model.seed);
    networks.push_back(weights.at(static_cast<std::int64_t>(m)));
  }
  return networks;
}

void conclude(const Population& p, const Weights& weights) {
  const SizeOnlySpec spec = spec_of(p.settings);
  const CutTask task{.task = p.task, .machine = p.spec.machine, .stop = &stop_requested()};
  const std::vector<Layers> networks = trained_networks(p, spec, weights);
  p.report.say("the loss of the trained networks at every x0");
  const Landscape landscape = cut_everywhere(networks, kSteps, task);
  p.report.say("the size of sorted networks");
  std::vector<SizeOnlyRow> rows = size_only_rows(spec, p.spec, p.result);
  for (SizeOnlyRow& row : train_sorted(spec, p.spec, task, networks, landscape))
    rows.push_back(std::move(row));
  if (stop_requested()) return;
  publish(p, "size-only.csv", "size-only", size_only_records(rows));
  publish(p, "size-only-landscape.csv", "cut", landscape_records(landscape));
  draw_figures(size_only_figures(spec, rows, landscape, where_of(p)), p.directory, p.report);
  p.report.print("\n" + where_of(p) +
                 fmt::format(", the size in the last {}\n\n", p.spec.epochs - spec.trained) +
                 table(rows, p.report.colour()));
  say_verdict(p.directory, p.data.name, size_only_verdict(spec, rows, landscape), p.report);
}

/// What `conclude` will take: a part of the cuts, on made-up networks, and the training of sorted ones.
double seconds_to_conclude(const SizeOnlySpec& s, const RunSpec& run, const Task& task) {
  constexpr double kFigures = 1.0;
  std::size_t networks = 0;
  for (const ModelSpec& m : run.models)
    networks += m.weights_rest >= 0 && m.gates.front().start == s.neurons / 2.0 &&
                m.gates.front().penalty == s.penalties.front();
  const Layers made_up = initial_weights(run.models.front(), task.shape);
  Task part = task;
  part.train.count = std::min<std::int64_t>(part.train.count, 1000);
  part.test.count = std::min<std::int64_t>(part.test.count, 1000);
  const CutTask whole{.task = task, .machine = run.machine};
  const double share =
      static_cast<double>(std::min(whole.samples, task.train.count)) / static_cast<double>(part.train.count);
  const auto began = std::chrono::steady_clock::now();
  cut_everywhere({&made_up, 1}, kSteps, {.task = part, .machine = run.machine, .stop = &stop_requested()});
  const double cut = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const TimeEstimate sorted =
      estimate_time(sorted_run(s, run, networks), task, {.seconds = 1.0, .stop = &stop_requested()});
  return kFigures + static_cast<double>(networks) * share * cut + sorted.seconds.total();
}

Schema schema_of_study() {
  Schema schema = training_schema();
  set_default(schema, "neurons", "none");
  const auto add = [&](Setting row) {
    row.group = kStudyGroup;
    schema.push_back(row);
  };
  add({.key = "trained",
       .type = SettingType::integer,
       .fallback = {},
       .group = {},
       .metavar = "N",
       .help =
           "epochs in which the weights train and all gates are open; the size trains in those that are left",
       .minimum = 1});
  add({.key = "starts",
       .type = SettingType::real,
       .fallback = {},
       .group = {},
       .metavar = "X0",
       .help = "where x0 starts, at the penalty --start-penalty",
       .list = true,
       .minimum = -1e6,
       .maximum = 1e6});
  add({.key = "start-penalty",
       .type = SettingType::real,
       .fallback = "1e-3",
       .group = {},
       .metavar = "LAMBDA",
       .help = "of the models that differ in their start",
       .minimum = 0});
  add({.key = "penalties",
       .type = SettingType::real,
       .fallback = {},
       .group = {},
       .metavar = "LAMBDA",
       .help = "on the gate's integral, of models that start in the middle",
       .list = true,
       .minimum = 0});
  add({.key = "plain",
       .type = SettingType::integer,
       .fallback = {},
       .group = {},
       .metavar = "N",
       .help = "widths of the plain networks beside them",
       .list = true,
       .minimum = 1});
  return schema;
}

TrainingExtras extras_of_study() {
  const auto weights = std::make_shared<Weights>();
  const auto study = std::make_shared<SizeOnlySpec>();
  TrainingExtras extras;
  extras.settle = [study](Settings& settings, Report&) {
    check(settings);
    *study = spec_of(settings);
  };
  extras.adjust = [](RunSpec& run, const Settings& settings) {
    run.models = size_only_models(spec_of(settings), run.models.front(), seeds_of(settings));
  };
  extras.unfolded_weights = [weights](std::int64_t model, std::span<const LayerWeights> layers) {
    (*weights)[model].assign(layers.begin(), layers.end());
  };
  extras.after = [weights](const Population& p) {
    conclude(p, *weights);
    weights->clear();
  };
  extras.after_seconds = [study](const RunSpec& run, const Task& task) {
    return seconds_to_conclude(*study, run, task);
  };
  return extras;
}

}  // namespace

Action declare_size_only(CLI::App& app) {
  return declare_study(
      app,
      {.schema = schema_of_study(),
       .versions = {{"--quick",
                     "256 neurons, 4 epochs and 4 of the size, 3 starts, 4 penalties, 4 seeds: what is done "
                     "by default",
                     {{"hidden", "256"},
                      {"trained", "4"},
                      {"epochs", "8"},
                      {"seeds", "4"},
                      {"starts", "0,128,256"},
                      {"penalties", "1e-2,1e-3,1e-4,1e-5"},
                      {"plain", "8,16,32,64,128,256"}}},
                    {"--full",
                     "500 neurons, 30 epochs and 30 of the size, 5 starts, 6 penalties, 11 seeds",
                     {{"hidden", "500"},
                      {"trained", "30"},
                      {"epochs", "60"},
                      {"seeds", "11"},
                      {"starts", "0,125,250,375,500"},
                      {"penalties", "1e-2,3e-3,1e-3,1e-4,1e-5,0"},
                      {"plain", "8,16,32,64,128,256,500"}}}},
       .extras = extras_of_study});
}

}  // namespace shoal
