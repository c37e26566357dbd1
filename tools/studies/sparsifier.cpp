// `shoal study sparsifier`: gates that a penalty shuts. How many neurons are left for which lambda, how
// accurate is what is left, has the size settled, does it depend on the start, when do neurons die, and what
// other kinds of gates do. Beside all of them plain networks of several widths.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/population_spec.h"
#include "tools/studies/findings.h"
#include "tools/studies/sparsifier_figures.h"
#include "tools/studies/sparsifier_rows.h"
#include "tools/studies/versions.h"
#include "tools/table.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

void add_list(Schema& s, std::string_view key, SettingType type, std::string_view metavar,
              std::string_view help, double minimum) {
  s.push_back({.key = key,
               .type = type,
               .fallback = {},
               .group = kStudyGroup,
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
               .group = kStudyGroup,
               .metavar = "X",
               .help = "the L2 of those with L2",
               .minimum = 0});
  set_default(s, "neurons", "none");
  set_default(s, "gate-inertia", "0.99");
  for (Setting& row : s) {
    if (row.key == "gate-penalty") row.help = "lambda of the strict gates";
    if (row.key == "gate-lr") row.help = "learning rate of the gates";
    if (row.key == "gate-inertia") row.help = "of Smallify's rule";
  }
  return s;
}

void check(const Settings& settings) {
  const Comparison comparison{"study sparsifier compares gates", {"seeds", "gate-penalty"}};
  refuse_own(settings, comparison,
             {"gate", "gate-layers", "size-penalty", "gate-start", "gate-spread", "gate-slope",
              "gate-slope-lr", "grey-zone", "gate-threshold", "gate-begin", "weights-rest", "remove-dead"});
  refuse_other_lists(settings, comparison);
  refuse_deep(settings, "study sparsifier");
  for (const std::string_view key : {"gate-lr", "gate-inertia"})
    if (settings.text(key) == settings.setting(key).word)
      throw UsageError(
          fmt::format("--{}: study sparsifier needs a number here, not {}", key, settings.text(key)));
  if (!(settings.reals("gate-lr").front() > 0.0))
    throw UsageError("--gate-lr: gates that do not learn sparsify nothing; give a rate above 0");
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

/// A line of sparsifier.csv.
Record record_of(const SparsifierRow& r) {
  const Summary deaths = summarize(r.first_deaths);
  return {{"family", name_of(r.family)},
          {"lambda", r.lambda},
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
          {"earliest_death_epochs", r.earliest_death},
          {"settled", r.epoch_size.empty() ? "" : settled_text(r)}};
}

std::vector<Record> epoch_records(std::span<const SparsifierRow> rows) {
  std::vector<Record> records;
  for (const SparsifierRow& row : rows)
    for (std::size_t e = 0; e < row.epoch_size.size(); ++e)
      records.push_back({{"family", name_of(row.family)},
                         {"lambda", row.lambda},
                         {"l2", row.l2},
                         {"start", row.width},
                         {"gate_lr", row.gate_lr},
                         {"epoch", e + 1},
                         {"size", row.epoch_size[e]},
                         {"size_sd", row.epoch_size_sd[e]},
                         {"test_accuracy", row.epoch_accuracy[e]},
                         {"test_accuracy_sd", row.epoch_accuracy_sd[e]}});
  return records;
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
  const std::size_t seeds = plan.arms.front().models.size();
  const std::string where = fmt::format("{}, {} seed{}", where_of(p), seeds, seeds == 1 ? "" : "s");
  std::vector<Record> records;
  for (const SparsifierRow& row : rows) records.push_back(record_of(row));
  publish(p, "sparsifier.csv", "sparsifier", records);
  p.directory.write("sparsifier-epochs.csv", csv_of(epoch_records(rows)));
  draw_figures(sparsifier_figures(rows, where), p.directory, p.report);
  p.report.print("\n" + where + "\n\n" + table(rows, p.report.colour()));
  say_verdict(p.directory, p.data.name, sparsifier_verdict(rows, p.spec.epochs), p.report);
  all[words_for(p.data.name)] = rows;
}

void compare(const RowsByData& all, const RunDirectory& directory, Report& report) {
  if (!all.contains("MNIST") || !all.contains("FashionMNIST")) return;
  const std::string sentence =
      size_comparison("MNIST", all.at("MNIST"), "FashionMNIST", all.at("FashionMNIST"));
  say_verdict(directory, "both", {&sentence, 1}, report);
}

TrainingExtras extras_of_study() {
  const auto rows = std::make_shared<RowsByData>();
  TrainingExtras extras;
  extras.settle = [](Settings& settings, Report&) { check(settings); };
  extras.adjust = [](RunSpec& spec, const Settings& settings) {
    spec.models = sparsifier_plan(base_models(settings), spec_of(settings)).models;
  };
  extras.after = [rows](const Population& p) { conclude(p, *rows); };
  extras.together = [rows](std::span<const Population>, const RunDirectory& directory, Report& report) {
    compare(*rows, directory, report);
  };
  extras.after_seconds = [](const RunSpec&, const Task&) { return 1.0; };  // figures
  return extras;
}

}  // namespace

Action declare_sparsifier(CLI::App& app) {
  return declare_study(
      app, {.schema = schema_of_study(),
            .versions = {{"",
                          "",
                          {{"hidden", "500"},
                           {"epochs", "20"},
                           {"seeds", "5"},
                           {"gate-lr", "0.003"},
                           {"gate-penalty", "0,1e-4,1e-3,1e-2,1e-1,1"},
                           {"starts", "250,500,1000,2000"},
                           {"start-penalty", "1e-3"},
                           {"rates", "0.001,0.003,0.01"},
                           {"rival-penalty", "1e-2,1e-3"},
                           {"fixed", "4,8,16,32,64,128,256,500"}}},
                         {"--quick",
                          "width 200, 8 epochs, 5 seeds, gates learn ten times as fast",
                          {{"hidden", "200"},
                           {"epochs", "8"},
                           {"seeds", "5"},
                           {"gate-lr", "0.01"},
                           {"gate-penalty", "0,1e-4,1e-3,1e-2,1e-1"},
                           {"starts", "100,200,400"},
                           {"start-penalty", "1e-3"},
                           {"rates", "0.001,0.003,0.01"},
                           {"rival-penalty", "1e-3"},
                           {"fixed", "8,32,128"}}},
                         {"--full",
                          "the journal's: width 500, 60 epochs, 30 seeds, starts 250 to 10,000; hours",
                          {{"hidden", "500"},
                           {"epochs", "60"},
                           {"seeds", "30"},
                           {"gate-lr", "0.001"},
                           {"gate-penalty", "0,1e-4,1e-3,1e-2,1e-1,1"},
                           {"starts", "250,500,1000,2500,5000,10000"},
                           {"start-penalty", "1e-2,1e-3"},
                           {"rates", "0.0003,0.001,0.003,0.01"},
                           {"rival-penalty", "1e-2,1e-3,1e-4"},
                           {"fixed", "4,8,16,32,64,128,256,500"}}}},
            .extras = extras_of_study});
}

}  // namespace shoal
