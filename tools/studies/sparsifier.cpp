// `shoal study sparsifier`: gates that a penalty shuts. How many neurons are left for which lambda, how
// accurate is what is left, has the size settled, does it depend on the start, when do neurons die, and what
// other kinds of gates do. Beside all of them plain networks of several widths.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/population_spec.h"
#include "tools/studies/one_layer.h"
#include "tools/studies/sparsifier_figures.h"
#include "tools/studies/sparsifier_rows.h"
#include "tools/table.h"
#include "tools/training.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kStudy = "Study", kBoth = "both";

/// Values of the settings below and of those of every run.
struct Preset {
  std::string_view key, quick, standard, full;
};
constexpr Preset kPresets[] = {
    {"hidden", "200", "500", "500"},
    {"epochs", "8", "20", "60"},
    {"seeds", "2", "5", "30"},
    {"gate-lr", "0.01", "0.003", "0.001"},
    {"gate-penalty", "0,1e-4,1e-3,1e-2,1e-1", "0,1e-4,1e-3,1e-2,1e-1,1", "0,1e-4,1e-3,1e-2,1e-1,1"},
    {"starts", "100,200,400", "250,500,1000,2000", "250,500,1000,2500,5000,10000"},
    {"start-penalty", "1e-3", "1e-3", "1e-2,1e-3"},
    {"rates", "0.003,0.01,0.03", "0.001,0.003,0.01", "0.0003,0.001,0.003,0.01"},
    {"rival-penalty", "1e-3", "1e-2,1e-3", "1e-2,1e-3,1e-4"},
    {"fixed", "8,32,128", "4,8,16,32,64,128,256,500", "4,8,16,32,64,128,256,500"},
};

enum class Version { standard, quick, full };

std::string_view value_of(const Preset& p, Version v) {
  return v == Version::quick ? p.quick : v == Version::full ? p.full : p.standard;
}

void add_list(Schema& s, std::string_view key, SettingType type, std::string_view metavar,
              std::string_view help, double minimum) {
  s.push_back({.key = key,
               .type = type,
               .fallback = {},
               .group = kStudy,
               .metavar = metavar,
               .help = help,
               .list = true,
               .step = type == SettingType::integer ? RangeStep::doubling : RangeStep::tenfold,
               .minimum = minimum,
               .maximum = 1e6});
}

Schema schema_of_study() {
  Schema s = training_schema();
  using Type = SettingType;
  add_list(s, "starts", Type::integer, "WIDTHS", "neurons at the start, for the question whether they matter",
           2);
  add_list(s, "start-penalty", Type::real, "X,...", "lambda of these and of --rates", 0);
  add_list(s, "rates", Type::real, "X,...", "learning rates of gates, for the question when neurons die",
           1e-9);
  add_list(s, "rival-penalty", Type::real, "X,...",
           "lambda of switches, Smallify, hard-concrete gates, and of gates with L2 on the weights", 0);
  add_list(s, "fixed", Type::integer, "WIDTHS", "plain networks to compare with", 1);
  s.push_back({.key = "rival-l2",
               .type = Type::real,
               .fallback = "1e-04",
               .group = kStudy,
               .metavar = "X",
               .help = "the L2 of those with L2",
               .minimum = 0});
  for (const Preset& p : kPresets) set_default(s, p.key, p.standard);
  set_default(s, "neurons", "none");
  set_default(s, "gate-inertia", "0.99");
  for (Setting& row : s) {
    if (row.key == "gate-penalty") row.help = "lambda of the strict gates";
    if (row.key == "gate-lr") row.help = "learning rate of the gates";
    if (row.key == "gate-inertia") row.help = "of Smallify's rule";
  }
  return s;
}

/// The study sets these itself: another value would be overruled without a word.
constexpr std::string_view kOwn[] = {"gate",           "gate-layers", "size-penalty",  "gate-start",
                                     "gate-spread",    "gate-slope",  "gate-slope-lr", "grey-zone",
                                     "gate-threshold", "gate-begin",  "weights-rest",  "remove-dead"};

void check(const Settings& settings) {
  for (const std::string_view key : kOwn)
    if (settings.text(key) != settings.setting(key).fallback)
      throw UsageError(
          fmt::format("study sparsifier compares gates: it sets --{} itself, leave it out", key));
  for (const Setting& row : settings.schema()) {
    if (!row.list || row.group == kStudy || row.key == "seeds" || row.key == "gate-penalty") continue;
    const bool several =
        row.key == "hidden" ? settings.layers("hidden").size() > 1 : settings.texts(row.key).size() > 1;
    if (several)
      throw UsageError(fmt::format("study sparsifier compares gates: --{} takes one value here, not {}",
                                   row.key, settings.text(row.key)));
  }
  if (settings.layers("hidden").front().size() != 1)
    throw UsageError(fmt::format("study sparsifier looks at single hidden layers: --hidden {} has more",
                                 settings.text("hidden")));
  for (const std::string_view key : {"gate-lr", "gate-inertia"})
    if (settings.text(key) == settings.setting(key).word)
      throw UsageError(
          fmt::format("--{}: study sparsifier needs a number here, not {}", key, settings.text(key)));
  if (!(settings.reals("gate-lr").front() > 0.0))
    throw UsageError("--gate-lr: gates that do not learn sparsify nothing; give a rate above 0");
}

void settle(Settings& settings, Version version, Report& report) {
  for (const Preset& p : kPresets) set_unless_given(settings, p.key, value_of(p, version));
  if (fall_back_to_digits(settings))
    report.say(
        "MNIST is not here, so this study runs on the built-in digits (`shoal data list` says where MNIST is "
        "looked "
        "for)");
  check(settings);
}

std::vector<int> widths(const Settings& settings, std::string_view key) {
  std::vector<int> values;
  for (const std::int64_t width : settings.integers(key)) values.push_back(static_cast<int>(width));
  return values;
}

SparsifierSpec spec_of(const Settings& s) {
  return {.penalties = s.reals("gate-penalty"),
          .starts = widths(s, "starts"),
          .fixed = widths(s, "fixed"),
          .start_penalties = s.reals("start-penalty"),
          .rates = s.reals("rates"),
          .rival_penalties = s.reals("rival-penalty"),
          .gate_lr = s.reals("gate-lr").front(),
          .l2 = s.real("rival-l2"),
          .inertia = s.real("gate-inertia")};
}

/// One model a seed, as the settings describe it.
std::vector<ModelSpec> base_models(const Settings& settings) { return models_of(settings).models; }

std::string cell_of(double value) { return std::isfinite(value) ? to_text(value) : ""; }

/// Columns of sparsifier.csv and of the events, in order, behind the family.
std::vector<std::pair<const char*, double>> columns(const SparsifierRow& r) {
  const Summary deaths = summarize(r.first_deaths);
  return {{"lambda", r.lambda},
          {"l2", r.l2},
          {"start", r.width},
          {"gate_lr", r.gate_lr},
          {"models", r.models},
          {"diverged", r.diverged},
          {"size", r.size.mean},
          {"size_sd", r.size.sd},
          {"test_accuracy", r.test_accuracy.mean},
          {"test_accuracy_sd", r.test_accuracy.sd},
          {"train_accuracy", r.train_accuracy.mean},
          {"train_accuracy_sd", r.train_accuracy.sd},
          {"open_gate", r.open_gate},
          {"late_change", r.late_change.mean},
          {"late_change_low", r.late_change.low},
          {"late_change_high", r.late_change.high},
          {"first_deaths_epoch", deaths.mean},
          {"earliest_death_epochs", r.earliest_death}};
}

std::string csv(std::span<const SparsifierRow> rows) {
  std::string text = "family";
  for (const auto& [name, value] : columns(SparsifierRow{})) text += fmt::format(",{}", name);
  text += ",settled\n";
  for (const SparsifierRow& row : rows) {
    text += name_of(row.family);
    for (const auto& [name, value] : columns(row)) text += "," + cell_of(value);
    text += fmt::format(",{}\n", row.epoch_size.empty() ? "" : settled_text(row));
  }
  return text;
}

std::string epochs_csv(std::span<const SparsifierRow> rows) {
  std::string text = "family,lambda,l2,start,gate_lr,epoch,size,size_sd,test_accuracy,test_accuracy_sd\n";
  for (const SparsifierRow& row : rows)
    for (std::size_t e = 0; e < row.epoch_size.size(); ++e) {
      text += fmt::format("{},{},{},{},{},{}", name_of(row.family), to_text(row.lambda), to_text(row.l2),
                          row.width, to_text(row.gate_lr), e + 1);
      for (const double value :
           {row.epoch_size[e], row.epoch_size_sd[e], row.epoch_accuracy[e], row.epoch_accuracy_sd[e]})
        text += "," + cell_of(value);
      text += '\n';
    }
  return text;
}

std::string table(std::span<const SparsifierRow> rows, bool colour) {
  Table text({"", "lambda", "L2", "start", "gate lr", "models", "size", "sd", "test %", "sd", "train %",
              "late change %", "settled"});
  for (const SparsifierRow& r : rows) {
    if (r.models == 0) continue;
    const bool gated = r.family != SparsifierFamily::fixed;
    text.add({std::string(words_of(r.family)), gated ? to_text(r.lambda) : "", to_text(r.l2),
              std::to_string(r.width), gated ? to_text(r.gate_lr) : "", std::to_string(r.models),
              cell(r.size.mean, 1), cell(r.size.sd, 1), cell(100 * r.test_accuracy.mean, 2),
              cell(100 * r.test_accuracy.sd, 2), cell(100 * r.train_accuracy.mean, 2),
              gated ? cell(100 * r.late_change.mean, 1) : "", gated ? std::string(settled_text(r)) : ""});
  }
  return text.text(colour) +
         "\nsize: gates that are not 0, mean over models; late change: of the size over the last quarter of "
         "the epochs;\n"
         "settled: its 95 % interval lies within ±1 %\n";
}

/// Rows of the data sets that are done, for what compares them.
using RowsByData = std::map<std::string, std::vector<SparsifierRow>>;

void conclude(const Population& p, RowsByData& all) {
  const SparsifierPlan plan = sparsifier_plan(base_models(p.settings), spec_of(p.settings));
  const std::vector<SparsifierRow> rows = sparsifier_rows(plan, p.result, p.task.train.count);
  const std::string name = words_for(p.data.name);
  const std::size_t seeds = plan.arms.front().models.size();
  const std::string where = fmt::format("{}, {} epoch{}, {} seed{}", name, p.spec.epochs,
                                        p.spec.epochs == 1 ? "" : "s", seeds, seeds == 1 ? "" : "s");
  const std::vector<std::string> sentences = sparsifier_verdict(rows, p.spec.epochs);
  p.directory.write("sparsifier.csv", csv(rows));
  p.directory.write("sparsifier-epochs.csv", epochs_csv(rows));
  draw_figures(sparsifier_figures(rows, where), p.directory, p.report);
  for (const SparsifierRow& row : rows) {
    ordered_json fields{{"data", p.data.name}, {"family", name_of(row.family)}};
    for (const auto& [column, value] : columns(row)) fields[column] = value;
    p.report.event("sparsifier", fields);
  }
  std::string text;
  for (const std::string& sentence : sentences) text += sentence + "\n";
  p.directory.write("verdict.txt", text);
  p.report.event("verdict", {{"data", p.data.name}, {"sentences", sentences}});
  p.report.print("\n" + where + "\n\n" + table(rows, p.report.colour()) + "\n" + text);
  all[name] = rows;
}

void compare(const RowsByData& all, const RunDirectory& directory, Report& report) {
  if (!all.contains("MNIST") || !all.contains("FashionMNIST")) return;
  const std::string sentence =
      size_comparison("MNIST", all.at("MNIST"), "FashionMNIST", all.at("FashionMNIST"));
  directory.write("verdict.txt", sentence + "\n");
  report.event("verdict", {{"data", "both"}, {"sentences", {sentence}}});
  report.print("\n" + sentence + "\n");
}

}  // namespace

Action declare_sparsifier(CLI::App& app) {
  const auto quick = std::make_shared<bool>(false), full = std::make_shared<bool>(false);
  CLI::Option* const flag = app.add_flag(
      "--quick", *quick,
      "width 200, 8 epochs, 2 seeds, gates learn ten times as fast");
  app.add_flag("--full", *full, "the journal's: width 500, 60 epochs, 30 seeds, starts 250 to 10,000; hours")
      ->excludes(flag);
  const auto command = add_training_options(app, schema_of_study());
  const auto rows = std::make_shared<RowsByData>();
  return [command, quick, full, rows](const Invocation& invocation) {
    TrainingExtras extras;
    const Version version = *quick ? Version::quick : *full ? Version::full : Version::standard;
    extras.settle = [version](Settings& settings, Report& report) { settle(settings, version, report); };
    extras.parts = [](const Settings& settings) {
      return settings.text("data") == kBoth ? std::vector<std::string>{"mnist", "fashion-mnist"}
                                            : std::vector<std::string>{};
    };
    extras.adjust = [](RunSpec& spec, const Settings& settings) {
      spec.models = sparsifier_plan(base_models(settings), spec_of(settings)).models;
    };
    extras.after = [rows](const Population& p) { conclude(p, *rows); };
    extras.together = [rows](std::span<const Population>, const RunDirectory& directory, Report& report) {
      compare(*rows, directory, report);
    };
    extras.after_seconds = [](const RunSpec&, const Task&) { return 1.0; };  // figures
    extras.table = false;
    return run_training(*command, invocation, extras);
  };
}

}  // namespace shoal
