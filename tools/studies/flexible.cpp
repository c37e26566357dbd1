// `shoal study flexible`: layers that learn their own size by the gate sigma(k (x0 - i)) and a penalty on its
// integral. Where does x0 end, depending on where it starts, on the penalty and on L2? Are such layers better
// than plain ones of the same size? What did the journal's bug do, what the penalty x0, what the formulas as
// first written down?
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/population_spec.h"
#include "tools/studies/flexible_figures.h"
#include "tools/studies/flexible_rows.h"
#include "tools/studies/one_layer.h"
#include "tools/table.h"
#include "tools/training.h"

namespace shoal {
namespace {

using nlohmann::ordered_json;

struct Preset {
  std::string_view hidden, epochs, seeds, starts, penalties, plain;
};
constexpr Preset kQuick{"128", "4", "3", "0,32,64,96,128", "1e-3,1e-4,1e-5,1e-6", "8,16,32,64,96,128"};
constexpr Preset kFull{"500",
                       "15",
                       "3",
                       "0,50,100,150,200,250,300,350,400,450,500",
                       "3e-3,1e-3,3e-4,1e-4,3e-5,1e-5,3e-6,1e-6,3e-7,1e-7,3e-8",
                       "8,16,32,64,96,128,192,256,384,512,1000"};
constexpr std::string_view kBoth = "both", kGroup = "Study";

void settle(Settings& settings, const Preset& preset, Report& report) {
  set_unless_given(settings, "hidden", preset.hidden);
  set_unless_given(settings, "epochs", preset.epochs);
  set_unless_given(settings, "seeds", preset.seeds);
  set_unless_given(settings, "starts", preset.starts);
  set_unless_given(settings, "penalties", preset.penalties);
  set_unless_given(settings, "plain", preset.plain);
  if (fall_back_to_digits(settings))
    report.say(
        "MNIST is not here, so this study runs on the built-in digits (`shoal data list` says where MNIST is "
        "looked for)");
  for (const Setting& row : settings.schema()) {
    if (!row.list || row.group == kGroup || row.key == "seeds") continue;
    if (settings.texts(row.key).size() > 1)
      throw UsageError(
          fmt::format("study flexible varies starts, penalties and L2: --{} takes one value here, not {}",
                      row.key, settings.text(row.key)));
  }
  if (settings.layers("hidden").front().size() != 1)
    throw UsageError("study flexible looks at single hidden layers: --hidden takes one width");
  if (!(settings.reals("l2").front() > 0))
    throw UsageError("study flexible trains without and with L2: --l2 must be larger than 0");
}

FlexibleSpec spec_of(const Settings& settings) {
  FlexibleSpec s;
  s.neurons = settings.layers("hidden").front().front();
  s.starts = settings.reals("starts"), s.penalties = settings.reals("penalties");
  s.start_penalty = settings.real("start-penalty"), s.l2 = settings.reals("l2").front();
  for (const std::int64_t width : settings.integers("plain")) s.fixed.push_back(static_cast<int>(width));
  return s;
}

std::string cell_of(double value) { return std::isfinite(value) ? to_text(value) : ""; }

std::string csv(const std::vector<FlexibleRow>& rows) {
  std::string text = "kind";
  for (const auto& [name, value] : flexible_columns(rows.front())) text += "," + name;
  text += '\n';
  for (const FlexibleRow& row : rows) {
    text += row.kind == FlexibleRow::Kind::start_penalty ? "gated-x0" : std::string(name_of(row.kind));
    for (const auto& [name, value] : flexible_columns(row)) text += "," + cell_of(value);
    text += '\n';
  }
  return text;
}

std::string table(const std::vector<FlexibleRow>& rows, bool colour) {
  Table text({"", "width", "start", "lambda", "L2", "models", "size", "sd", "train %", "test %", "sd"});
  for (const FlexibleRow& r : rows) {
    const bool gated = r.kind != FlexibleRow::Kind::fixed;
    text.add({std::string(name_of(r.kind)), std::to_string(r.width),
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
  p.directory.write("flexible.csv", csv(rows));
  for (const FlexibleRow& row : rows) {
    ordered_json fields{{"data", p.data.name}, {"kind", name_of(row.kind)}};
    for (const auto& [name, value] : flexible_columns(row)) fields[name] = value;
    p.report.event("flexible", fields);
  }
  const std::string where =
      fmt::format("{}, {} epoch{}", words_for(p.data.name), p.spec.epochs, p.spec.epochs == 1 ? "" : "s");
  draw_figures(flexible_figures(spec, rows, where), p.directory, p.report);
  std::string text;
  const std::vector<std::string> sentences = flexible_verdict(spec, rows);
  for (const std::string& sentence : sentences) text += sentence + "\n";
  p.directory.write("verdict.txt", text);
  p.report.event("verdict", {{"data", p.data.name}, {"sentences", sentences}});
  p.report.print("\n" + where + "\n\n" + table(rows, p.report.colour()) + "\n" + text);
}

void add_rows(Schema& schema) {
  schema.push_back({.key = "starts",
                    .type = SettingType::real,
                    .fallback = kQuick.starts,
                    .group = kGroup,
                    .metavar = "X0",
                    .help = "where x0 starts, at the penalty --start-penalty",
                    .list = true,
                    .minimum = -1e6,
                    .maximum = 1e6});
  schema.push_back({.key = "start-penalty",
                    .type = SettingType::real,
                    .fallback = "1e-5",
                    .group = kGroup,
                    .metavar = "LAMBDA",
                    .help = "of the models that differ in their start",
                    .minimum = 0});
  schema.push_back({.key = "penalties",
                    .type = SettingType::real,
                    .fallback = kQuick.penalties,
                    .group = kGroup,
                    .metavar = "LAMBDA",
                    .help = "on the gate's integral, of models that start in the middle",
                    .list = true,
                    .minimum = 1e-12});
  schema.push_back({.key = "plain",
                    .type = SettingType::integer,
                    .fallback = kQuick.plain,
                    .group = kGroup,
                    .metavar = "N",
                    .help = "widths of the plain networks beside them",
                    .list = true,
                    .minimum = 1});
}

}  // namespace

Action declare_flexible(CLI::App& app) {
  Schema schema = training_schema();
  set_default(schema, "hidden", kQuick.hidden);
  set_default(schema, "epochs", kQuick.epochs);
  set_default(schema, "seeds", kQuick.seeds);
  set_default(schema, "l2", "0.001");
  add_rows(schema);
  const auto full = std::make_shared<bool>(false);
  CLI::Option* quick = app.add_flag("--quick")->description(
      "128 neurons, 4 epochs, 5 starts, 4 penalties, 3 seeds: what is done by default");
  app.add_flag("--full", *full,
               "500 neurons, 15 epochs, 11 starts, 11 penalties, 3 seeds: the journal's settings")
      ->excludes(quick);
  const auto command = add_training_options(app, schema);
  return [command, full](const Invocation& invocation) {
    TrainingExtras extras;
    extras.settle = [full](Settings& settings, Report& report) {
      settle(settings, *full ? kFull : kQuick, report);
    };
    extras.parts = [](const Settings& settings) {
      return settings.text("data") == kBoth ? std::vector<std::string>{"mnist", "fashion-mnist"}
                                            : std::vector<std::string>{};
    };
    extras.adjust = [](RunSpec& run, const Settings& settings) {
      run.models = flexible_models(spec_of(settings), run.models.front(), seeds_of(settings));
    };
    extras.after = conclude;
    extras.after_seconds = [](const RunSpec&, const Task&) { return 1.5; };  // figures
    extras.table = false;
    return run_training(*command, invocation, extras);
  };
}

}  // namespace shoal
