// `shoal study plateau`: what stops a layer that learns its size from growing? The journal saw outgoing
// weights of exactly 0 beyond the gate with L2, and initial ones without, and held L2 for the cause of the
// plateau. Layers with lambda 0, without decay, with L2 as the journal had it, and with decay beside Adam.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/population_spec.h"
#include "tools/studies/findings.h"
#include "tools/studies/plateau_figures.h"
#include "tools/studies/plateau_rows.h"
#include "tools/studies/versions.h"
#include "tools/table.h"

namespace shoal {
namespace {

void check(const Settings& settings) {
  const Comparison comparison{"study plateau compares starts and decays", {"seeds"}};
  refuse_own(
      settings, comparison,
      {"l2", "weight-decay", "optimizer", "gate", "gate-layers", "gate-penalty", "size-penalty", "gate-start",
       "gate-slope", "gate-slope-lr", "gate-lr", "gate-begin", "weights-rest", "remove-dead"});
  refuse_other_lists(settings, comparison);
  refuse_deep(settings, "study plateau");
}

PlateauSpec spec_of(const Settings& s) {
  return {.neurons = s.layers("hidden").front().front(),
          .starts = s.reals("starts"),
          .coupled = s.reals("coupled"),
          .decoupled = s.reals("decoupled")};
}

std::string table(std::span<const PlateauRow> rows, bool colour) {
  Table text({"decay", "start", "models", "x0", "sd", "late growth", "inside %", "beyond %", "far %",
              "train %", "test %", "sd"});
  for (const PlateauRow& r : rows) {
    if (r.models == 0) continue;
    text.add({name_of(r), fmt::format("{:g}", r.start), std::to_string(r.models), cell(r.size.mean, 1),
              cell(r.size.sd, 1), cell(r.growth.mean, 2), cell(100 * r.inside.mean, 1),
              cell(100 * r.beyond.mean, 1), cell(100 * r.far.mean, 2), cell(100 * r.train_accuracy.mean, 2),
              cell(100 * r.test_accuracy.mean, 2), cell(100 * r.test_accuracy.sd, 2)});
  }
  return text.text(colour) +
         fmt::format(
             "\nlate growth: of x0 over the last quarter of the epochs, in neurons an epoch; inside, "
             "beyond, far: mean sum\nof a neuron's absolute outgoing weights, in percent of that before "
             "training, up to {0:g} neurons before x0,\nfrom {0:g} to {1:g} beyond it, and from there "
             "on\n",
             kEdge, kFar);
}

/// Outgoing weights by model, as the models finish.
using Outgoing = std::map<std::int64_t, std::vector<double>>;

void conclude(const Population& p, const Outgoing& by_model) {
  std::vector<std::vector<double>> outgoing(p.spec.models.size());
  for (const auto& [model, sums] : by_model) outgoing[static_cast<std::size_t>(model)] = sums;
  const PlateauSpec spec = spec_of(p.settings);
  const std::vector<PlateauRow> rows = plateau_rows(p.spec, p.result, p.task.shape, outgoing);
  publish(p, "plateau.csv", "plateau", plateau_records(rows));
  p.directory.write("plateau-neurons.csv", csv_of(plateau_neuron_records(rows)));
  draw_figures(plateau_figures(spec, rows, where_of(p)), p.directory, p.report);
  p.report.print("\n" + where_of(p) + "\n\n" + table(rows, p.report.colour()));
  say_verdict(p.directory, p.data.name, plateau_verdict(spec, rows), p.report);
}

Schema schema_of_study() {
  Schema schema = training_schema();
  set_default(schema, "neurons", "none");
  const auto add = [&](std::string_view key, std::string_view metavar, std::string_view help,
                       double minimum) {
    schema.push_back({.key = key,
                      .type = SettingType::real,
                      .fallback = {},
                      .group = kStudyGroup,
                      .metavar = metavar,
                      .help = help,
                      .list = true,
                      .minimum = minimum,
                      .maximum = 1e6});
  };
  add("starts", "X0", "where x0 starts; the journal's code began at 1, whatever it was asked for", -1e6);
  add("coupled", "X", "L2 in the loss, through Adam, as the journal had it", 1e-12);
  add("decoupled", "X", "weight decay beside Adam", 1e-12);
  return schema;
}

TrainingExtras extras_of_study() {
  const auto outgoing = std::make_shared<Outgoing>();
  TrainingExtras extras;
  extras.settle = [](Settings& settings, Report&) { check(settings); };
  extras.adjust = [](RunSpec& run, const Settings& settings) {
    run.models = plateau_models(spec_of(settings), run.models.front(), seeds_of(settings));
  };
  extras.unfolded_weights = [outgoing](std::int64_t model, std::span<const LayerWeights> layers) {
    (*outgoing)[model] = outgoing_of(layers);
  };
  extras.after = [outgoing](const Population& p) {
    conclude(p, *outgoing);
    outgoing->clear();
  };
  extras.after_seconds = [](const RunSpec&, const Task&) { return 1.0; };  // figures
  return extras;
}

}  // namespace

Action declare_plateau(CLI::App& app) {
  return declare_study(
      app,
      {.schema = schema_of_study(),
       .versions = {{"--quick",
                     "256 neurons, 8 epochs, 4 seeds, 2 starts, 2 strengths of each decay: what is done by "
                     "default",
                     {{"hidden", "256"},
                      {"epochs", "8"},
                      {"seeds", "4"},
                      {"starts", "1,128"},
                      {"coupled", "1e-5,1e-3"},
                      {"decoupled", "1e-3,0.1"}}},
                    {"--full",
                     "500 neurons, 15 epochs, 11 seeds, 2 starts, 3 strengths of each decay: the journal's "
                     "size and time",
                     {{"hidden", "500"},
                      {"epochs", "15"},
                      {"seeds", "11"},
                      {"starts", "1,250"},
                      {"coupled", "1e-5,1e-4,1e-3"},
                      {"decoupled", "1e-4,1e-3,0.1"}}}},
       .extras = extras_of_study});
}

}  // namespace shoal
