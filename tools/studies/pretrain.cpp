// `shoal study pretrain`: layers that train at their full width first, and learn their size from x0 = 0 only
// then, beside layers that learn it from the first epoch on. Are they smaller in the end, as a journal said?
// Has x0 settled by then, and are they as good?
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>

#include "engine/estimate.h"
#include "tools/figures/draw.h"
#include "tools/population_spec.h"
#include "tools/signals.h"
#include "tools/studies/findings.h"
#include "tools/studies/pretrain_figures.h"
#include "tools/studies/pretrain_rows.h"
#include "tools/studies/versions.h"
#include "tools/table.h"

namespace shoal {
namespace {

void check(const Settings& settings) {
  const Comparison comparison{"study pretrain compares when the gate begins", {"seeds"}};
  refuse_other_lists(settings, comparison);
  refuse_own(
      settings, comparison,
      {"gate", "gate-begin", "gate-penalty", "gate-start", "gate-slope", "gate-lr", "grey-zone", "evaluate"});
  refuse_deep(settings, "study pretrain");
}

PretrainSpec spec_of(const Settings& settings) {
  PretrainSpec s;
  s.neurons = settings.layers("hidden").front().front();
  s.gated_epochs = static_cast<int>(settings.integer("epochs"));
  const auto numbers = [&](const char* key) {
    std::vector<int> found;
    for (const std::int64_t n : settings.integers(key)) found.push_back(static_cast<int>(n));
    return found;
  };
  s.doses = numbers("pretrain"), s.random_doses = numbers("pretrain-random"), s.plain = numbers("plain");
  return s;
}

std::string_view kind_of(const PretrainRow& row) {
  return row.kind == GateKind::none ? "plain" : name_of(row.kind);
}

std::vector<Record> records_of(const PretrainSpec& s, const std::vector<PretrainRow>& rows) {
  std::vector<Record> records;
  for (const PretrainRow& row : rows) {
    Record& record = records.emplace_back(Record{{"kind", kind_of(row)}});
    for (const auto& [name, value] : pretrain_columns(s, rows, row)) record.emplace_back(name, value);
  }
  return records;
}

std::vector<Record> epochs_of(const PretrainSpec& s, const std::vector<PretrainRow>& rows) {
  using C = GateCurve;
  std::vector<Record> records;
  for (const PretrainRow& row : rows)
    for (int e = 1; e <= total_epochs(s); ++e) {
      const auto at = [&](GateValue value) { return summary_at(row.models, value, e); };
      records.push_back({{"kind", kind_of(row)},
                         {"pretraining", gated(row) ? row.dose : NAN},
                         {"width", row.width},
                         {"epoch", e},
                         {"size", at(&C::size).mean},
                         {"size_sd", at(&C::size).sd},
                         {"train_loss", at(&C::train_loss).mean},
                         {"test_loss", at(&C::test_loss).mean},
                         {"test_accuracy", at(&C::test_accuracy).mean},
                         {"test_accuracy_sd", at(&C::test_accuracy).sd}});
    }
  return records;
}

/// The last x0 of each stands for all gates open.
std::vector<Record> records_of(const std::vector<Cut>& cuts) {
  std::vector<Record> records;
  for (const Cut& cut : cuts)
    for (std::size_t i = 0; i < cut.x0.size(); ++i) {
      const Summary &accuracy = cut.test_accuracy[i], &loss = cut.test_loss[i];
      records.push_back({{"pretraining", cut.dose},
                         {"x0", i + 1 < cut.x0.size() ? cut.x0[i] : NAN},
                         {"models", accuracy.count},
                         {"test_accuracy", accuracy.mean},
                         {"test_accuracy_sd", accuracy.sd},
                         {"test_loss", loss.mean},
                         {"test_loss_sd", loss.sd}});
    }
  return records;
}

std::string table(const PretrainSpec& s, const std::vector<PretrainRow>& rows, bool colour) {
  using C = GateCurve;
  const int total = total_epochs(s);
  Table text({"", "pretraining", "models", "x0", "95 %", "growth", "test %", "sd", "test loss", "train loss",
              "in all: x0", "test %"});
  for (const PretrainRow& row : rows) {
    const int end = gated(row) ? row.dose + s.gated_epochs : total;
    const auto at = [&](GateValue value, int epoch) { return summary_at(row.models, value, epoch); };
    const MeanInterval size = mean_interval(values_at(row.models, &C::size, end));
    text.add(
        {gated(row) ? std::string(name_of(row.kind)) : fmt::format("plain {}", row.width),
         gated(row) ? std::to_string(row.dose) : "", std::to_string(row.models.size()), cell(size.mean, 1),
         std::isfinite(size.low) ? fmt::format("{:.1f} to {:.1f}", size.low, size.high) : "",
         cell(growth_of(gated(row) ? row.models : std::vector<C>{}, row.dose, s.gated_epochs).last.mean, 2),
         cell(100 * at(&C::test_accuracy, end).mean, 2), cell(100 * at(&C::test_accuracy, end).sd, 2),
         cell(at(&C::test_loss, end).mean, 4), cell(at(&C::train_loss, end).mean, 5),
         cell(at(&C::size, total).mean, 1), cell(100 * at(&C::test_accuracy, total).mean, 2)});
  }
  return text.text(colour) +
         fmt::format(
             "\nafter {} epochs with the gate (plain networks: {} epochs), and after {} epochs in all; "
             "growth: of "
             "x0 over the\nlast quarter, neurons an epoch; train loss: mean of the epoch's batches\n",
             s.gated_epochs, total, total);
}

void conclude(const Population& p) {
  const PretrainSpec spec = spec_of(p.settings);
  const std::vector<PretrainRow> rows = pretrain_rows(p.spec, p.result);
  const std::vector<Cut> cuts = cuts_of(
      spec,
      {p.task.test, p.spec, p.task, [&](const std::string& what) { p.report.say(what); }, &stop_requested()});
  if (stop_requested()) return;
  publish(p, "pretrain.csv", "pretrain", records_of(spec, rows));
  p.directory.write("pretrain-epochs.csv", csv_of(epochs_of(spec, rows)));
  publish(p, "pretrain-cut.csv", "cut", records_of(cuts));
  const std::string where = words_for(p.data.name);
  draw_figures(pretrain_figures(spec, rows, cuts, where), p.directory, p.report);
  p.report.print("\n" + where + "\n\n" + table(spec, rows, p.report.colour()));
  say_verdict(p.directory, p.data.name, pretrain_verdict(spec, rows, cuts), p.report);
}

Schema schema_of_study() {
  Schema schema = training_schema();
  set_default(schema, "neurons", "none");
  for (Setting& row : schema)
    if (row.key == "epochs") row.help = "with the gate, after those of --pretrain";
  const auto list = [&](const char* key, const char* unit, const char* help, double least, double most) {
    schema.push_back({.key = key,
                      .type = SettingType::integer,
                      .fallback = {},
                      .group = kStudyGroup,
                      .metavar = unit,
                      .help = help,
                      .list = true,
                      .minimum = least,
                      .maximum = most});
  };
  list("pretrain", "EPOCHS", "epochs at full width before the gate begins", 0, 10000);
  list("pretrain-random", "EPOCHS", "the same of gates whose slope is drawn anew in every step", 0, 10000);
  list("plain", "N", "widths of the plain networks beside them", 1, 1 << 20);
  return schema;
}

/// Training the arms' networks once more up to the moment when their gates begin.
double seconds_to_conclude(const PretrainSpec& s, const TimeEstimate& whole) {
  double again = 0, all = 0;
  for (const int dose : s.doses) again += dose, all += total_epochs(s);
  for (std::size_t i = 0; i < s.random_doses.size(); ++i) all += total_epochs(s);
  return 2.0 + (all > 0 ? whole.seconds.training * again / all : 0.0);  // and figures
}

TrainingExtras extras_of_study() {
  TrainingExtras extras;
  extras.settle = [](Settings& settings, Report&) { check(settings); };
  const auto study = std::make_shared<PretrainSpec>();
  extras.adjust = [study](RunSpec& run, const Settings& settings) {
    *study = spec_of(settings);
    run.models = pretrain_models(*study, run.models.front(), seeds_of(settings));
    run.epochs = total_epochs(*study);
  };
  extras.after = conclude;
  extras.after_seconds = [study](const RunSpec& run, const Task& task) {
    return seconds_to_conclude(*study, estimate_time(run, task, {.rounds = 1, .seconds = 0.5}));
  };
  return extras;
}

}  // namespace

Action declare_pretrain(CLI::App& app) {
  return declare_study(app, {.schema = schema_of_study(),
                             .versions = {{"--quick",
                                           "192 neurons, 0, 2, 5 and 10 epochs before the gate and 16 with "
                                           "it, 20,000 samples, 5 seeds: what "
                                           "is done by default",
                                           {{"hidden", "192"},
                                            {"epochs", "16"},
                                            {"seeds", "5"},
                                            {"train-count", "20000"},
                                            {"pretrain", "0,2,5,10"},
                                            {"pretrain-random", "0,10"},
                                            {"plain", "48,96,192"}}},
                                          {"--full",
                                           "500 neurons, 0 to 20 epochs before the gate and 60 with it, all "
                                           "samples, 30 seeds: the journal's "
                                           "settings and more",
                                           {{"hidden", "500"},
                                            {"epochs", "60"},
                                            {"seeds", "30"},
                                            {"train-count", "0"},
                                            {"pretrain", "0,1,2,5,10,20"},
                                            {"pretrain-random", "0,5,10"},
                                            {"plain", "50,100,150,200,500"}}}},
                             .extras = extras_of_study});
}

}  // namespace shoal
