// `shoal study flexible`: layers that learn their own size by the gate sigma(k (x0 - i)) and a penalty on its
// integral. Where does x0 end, depending on where it starts, on the penalty and on L2? Are such layers better
// than plain ones of the same size? What did the journal's bug do, what the penalty x0, what the formulas as
// first written down?
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/population_spec.h"
#include "tools/studies/findings.h"
#include "tools/studies/flexible_figures.h"
#include "tools/studies/flexible_rows.h"
#include "tools/studies/versions.h"
#include "tools/table.h"

namespace shoal {
namespace {

void check(const Settings& settings) {
  const Comparison comparison{"study flexible varies starts, penalties and L2", {"seeds"}};
  refuse_other_lists(settings, comparison);
  refuse_deep(settings, "study flexible");
  if (!(settings.reals("l2").front() > 0))
    throw UsageError("study flexible trains without and with L2: --l2 must be larger than 0");
}

FlexibleSpec spec_of(const Settings& settings) {
  FlexibleSpec s;
  s.neurons = settings.layers("hidden").front().front();
  s.starts = settings.reals("starts"), s.penalties = settings.reals("penalties");
  s.start_penalty = settings.real("start-penalty"), s.l2 = settings.reals("l2").front();
  for (const std::int64_t width : settings.integers("plain")) s.fixed.push_back(static_cast<int>(width));
  for (const std::int64_t depth : settings.integers("layers")) s.depths.push_back(static_cast<int>(depth));
  return s;
}

std::vector<Record> records_of(const std::vector<FlexibleRow>& rows) {
  std::vector<Record> records;
  for (const FlexibleRow& row : rows) {
    Record& record = records.emplace_back();
    record.emplace_back("kind", row.kind == FlexibleRow::Kind::start_penalty ? "gated-x0"
                                : row.kind == FlexibleRow::Kind::deep        ? "gated-deep"
                                                                             : name_of(row.kind));
    for (const auto& [name, value] : flexible_columns(row)) record.emplace_back(name, value);
  }
  return records;
}

std::string table(const std::vector<FlexibleRow>& rows, bool colour) {
  Table text(
      {"", "width", "layers", "start", "lambda", "L2", "models", "size", "sd", "train %", "test %", "sd"});
  for (const FlexibleRow& r : rows) {
    const bool gated = r.kind != FlexibleRow::Kind::fixed;
    text.add({std::string(name_of(r.kind)), std::to_string(r.width), std::to_string(r.depth),
              gated ? fmt::format("{:.0f}", r.start) : "", gated ? fmt::format("{:.1e}", r.penalty) : "",
              r.l2 > 0 ? fmt::format("{}", r.l2) : "", std::to_string(r.models),
              gated ? cell(r.size.mean, 1) : "", gated ? cell(r.size.sd, 1) : "",
              cell(100 * r.train_accuracy.mean, 2), cell(100 * r.test_accuracy.mean, 2),
              cell(100 * r.test_accuracy.sd, 2)});
  }
  return text.text(colour);
}

void conclude(const Population& p) {
  const FlexibleSpec spec = spec_of(p.settings);
  const std::vector<FlexibleRow> rows = flexible_rows(p.spec, p.result);
  publish(p, "flexible.csv", "flexible", records_of(rows));
  draw_figures(flexible_figures(spec, rows, where_of(p)), p.directory, p.report);
  p.report.print("\n" + where_of(p) + "\n\n" + table(rows, p.report.colour()));
  say_verdict(p.directory, p.data.name, flexible_verdict(spec, rows), p.report);
}

Schema schema_of_study() {
  Schema schema = training_schema();
  set_default(schema, "l2", "0.001");
  schema.push_back({.key = "starts",
                    .type = SettingType::real,
                    .fallback = {},
                    .group = kStudyGroup,
                    .metavar = "X0",
                    .help = "where x0 starts, at the penalty --start-penalty",
                    .list = true,
                    .minimum = -1e6,
                    .maximum = 1e6});
  schema.push_back({.key = "start-penalty",
                    .type = SettingType::real,
                    .fallback = "1e-5",
                    .group = kStudyGroup,
                    .metavar = "LAMBDA",
                    .help = "of the models that differ in their start",
                    .minimum = 0});
  schema.push_back({.key = "penalties",
                    .type = SettingType::real,
                    .fallback = {},
                    .group = kStudyGroup,
                    .metavar = "LAMBDA",
                    .help = "on the gate's integral, of models that start in the middle",
                    .list = true,
                    .minimum = 1e-12});
  schema.push_back({.key = "plain",
                    .type = SettingType::integer,
                    .fallback = {},
                    .group = kStudyGroup,
                    .metavar = "N",
                    .help = "widths of the plain networks beside them",
                    .list = true,
                    .minimum = 1});
  schema.push_back({.key = "layers",
                    .type = SettingType::integer,
                    .fallback = {},
                    .group = kStudyGroup,
                    .metavar = "N",
                    .help = "depths of networks with a gate in every hidden layer, each from x0 = 25",
                    .list = true,
                    .minimum = 2,
                    .maximum = 4});
  return schema;
}

TrainingExtras extras_of_study() {
  TrainingExtras extras;
  extras.settle = [](Settings& settings, Report&) { check(settings); };
  extras.adjust = [](RunSpec& run, const Settings& settings) {
    run.models = flexible_models(spec_of(settings), run.models.front(), seeds_of(settings));
  };
  extras.after = conclude;
  extras.after_seconds = [](const RunSpec&, const Task&) { return 1.5; };  // figures
  return extras;
}

}  // namespace

Action declare_flexible(CLI::App& app) {
  return declare_study(
      app, {.schema = schema_of_study(),
            .versions = {{"--quick",
                          "128 neurons, 4 epochs, 5 starts, 4 penalties, 3 seeds: what is done by default",
                          {{"hidden", "128"},
                           {"epochs", "4"},
                           {"seeds", "3"},
                           {"starts", "0,32,64,96,128"},
                           {"penalties", "1e-3,1e-4,1e-5,1e-6"},
                           {"plain", "8,16,32,64,96,128"},
                           {"layers", "2,3"}}},
                         {"--full",
                          "500 neurons, 15 epochs, 11 starts, 11 penalties, 3 seeds: the journal's settings",
                          {{"hidden", "500"},
                           {"epochs", "15"},
                           {"seeds", "3"},
                           {"starts", "0,50,100,150,200,250,300,350,400,450,500"},
                           {"penalties", "3e-3,1e-3,3e-4,1e-4,3e-5,1e-5,3e-6,1e-6,3e-7,1e-7,3e-8"},
                           {"plain", "8,16,32,64,96,128,192,256,384,512,1000"},
                           {"layers", "2,3"}}}},
            .extras = extras_of_study});
}

}  // namespace shoal
