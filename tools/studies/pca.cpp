// `shoal study pca`: in how many directions do a hidden layer's activations spread, how much of them do k of
// these directions hold, and how accurate is the network that keeps only them? Before and after the ReLU, and
// beside it as the journal did it: projected on the columns of the components' matrix instead of its rows.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "datasets/npz.h"
#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/signals.h"
#include "tools/studies/findings.h"
#include "tools/studies/pca_figures.h"
#include "tools/studies/pca_rows.h"
#include "tools/studies/versions.h"
#include "tools/table.h"

namespace shoal {
namespace {

using Weights = std::map<std::int64_t, Layers>;  // by model

void check(const Settings& settings) {
  refuse_other_lists(settings, {"study pca compares widths", {"hidden"}});
  refuse_deep(settings, "study pca");
}

/// A line of pca.csv.
Record record_of(const PcaRow& row, const PcaSide& side) {
  const Pca& p = side.pca;
  const auto count = [&](double share) { return components_for(p, share); };
  const auto journal = [&](std::size_t k) {
    return side.journal.mse.empty() ? NAN : side.journal.mse[k] / side.journal.mse[0];
  };
  const std::size_t half = p.explained_variance.size() / 2;
  return {{"width", row.width},
          {"side", side.before_relu ? "before-relu" : "after-relu"},
          {"train_accuracy", row.train_accuracy},
          {"test_accuracy", row.test_accuracy},
          {"components", p.explained_variance.size()},
          {"rank", p.rank},
          {"total_variance", p.total_variance},
          {"participation_ratio", p.participation_ratio},
          {"effective_rank", p.effective_rank},
          {"components_for_50", count(0.5)},
          {"components_for_90", count(0.9)},
          {"components_for_99", count(0.99)},
          {"error_left_at_half", p.reconstruction_mse[half] / p.reconstruction_mse[0]},
          {"journal_error_left_at_half", journal(half)},
          {"clamped", p.clamped}};
}

std::vector<Record> records_of(const PcaResults& r) {
  std::vector<Record> records;
  for (const PcaRow& row : r.rows)
    for (const PcaSide* side : {&row.before, &row.after}) records.push_back(record_of(row, *side));
  return records;
}

/// Lines of pca-kept.csv.
std::vector<Record> kept_records(const PcaResults& r) {
  std::vector<Record> records;
  for (const PcaRow& row : r.rows)
    for (const KeptCurve& curve : row.curves)
      for (const KeptScore& s : curve.scores)
        records.push_back({{"width", row.width},
                           {"kept", name_of(curve.kept)},
                           {"k", s.k},
                           {"train_loss", s.train.loss},
                           {"train_accuracy", s.train.accuracy},
                           {"test_loss", s.test.loss},
                           {"test_accuracy", s.test.accuracy}});
  return records;
}

/// pca.npz: whole curves.
void write_curves(const RunDirectory& directory, const PcaResults& r) {
  directory.write_with("pca.npz", [&](const std::filesystem::path& path) {
    NpzWriter file(path);
    const auto add = [&](const std::string& name, const std::vector<double>& values) {
      if (!values.empty()) file.add<double>(name, {static_cast<std::int64_t>(values.size())}, values);
    };
    add("inputs.explained_variance", r.inputs.pca.explained_variance);
    for (const PcaRow& row : r.rows)
      for (const PcaSide* side : {&row.before, &row.after}) {
        const std::string name =
            fmt::format("{}.{}.", row.width, side->before_relu ? "before-relu" : "after-relu");
        add(name + "explained_variance", side->pca.explained_variance);
        add(name + "reconstruction_mse", side->pca.reconstruction_mse);
        add(name + "reconstruction_error", side->pca.reconstruction_error);
        add(name + "journal_mse", side->journal.mse);
        add(name + "journal_error", side->journal.error);
      }
    file.finish();
  });
}

std::string table(const PcaResults& r, bool colour) {
  Table text({"width", "train %", "test %", "", "participation", "effective", "rank", "50 %", "90 %", "99 %",
              "left at n/2", "journal"});
  for (const PcaRow& row : r.rows)
    for (const PcaSide* side : {&row.before, &row.after}) {
      const Pca& p = side->pca;
      const std::size_t half = p.explained_variance.size() / 2;
      text.add({std::to_string(row.width), cell(100 * row.train_accuracy, 2),
                cell(100 * row.test_accuracy, 2), side->before_relu ? "before" : "after",
                cell(p.participation_ratio, 1), cell(p.effective_rank, 1), std::to_string(p.rank),
                std::to_string(components_for(p, 0.5)), std::to_string(components_for(p, 0.9)),
                std::to_string(components_for(p, 0.99)),
                cell(p.reconstruction_mse[half] / p.reconstruction_mse[0], 4),
                side->journal.mse.empty() ? "" : cell(side->journal.mse[half] / side->journal.mse[0], 4)});
    }
  return text.text(colour);
}

PcaResults measure(const Population& p, const Weights& weights, bool accuracies) {
  const Calculator calculator(p.spec.machine);
  const PcaTask task{p.task, p.spec.loss, p.spec.machine, accuracies,
                     [&](const std::string& what) { p.report.say(what); }};
  PcaResults r;
  r.inputs = measure_inputs(calculator, task);
  std::map<int, std::size_t> by_width;
  for (std::size_t m = 0; m < p.spec.models.size(); ++m)
    if (p.result.models[m].status == ModelStatus::ok) by_width[p.spec.models[m].hidden.front()] = m;
  for (const auto& [width, m] : by_width) {
    if (stop_requested()) break;
    PcaRow row = measure_row(calculator, task, weights.at(static_cast<std::int64_t>(m)));
    row.train_accuracy = p.result.models[m].train_accuracy;
    row.test_accuracy = p.result.models[m].test_accuracy;
    r.rows.push_back(std::move(row));
  }
  return r;
}

void tell_inputs(const Population& p, const InputSpectrum& inputs) {
  p.report.event("inputs", {{"data", p.data.name},
                            {"features", inputs.features},
                            {"rank", inputs.pca.rank},
                            {"participation_ratio", inputs.pca.participation_ratio},
                            {"effective_rank", inputs.pca.effective_rank}});
}

void conclude(const Population& p, Weights weights, bool accuracies) {
  const PcaResults r = measure(p, weights, accuracies);
  if (stop_requested() || r.rows.empty()) return;
  tell_inputs(p, r.inputs);
  publish(p, "pca.csv", "pca", records_of(r));
  if (accuracies) publish(p, "pca-kept.csv", "kept", kept_records(r));
  try {
    write_curves(p.directory, r);
  } catch (const DataError& e) { throw OutputError(e.what()); }
  draw_figures(pca_figures(r, where_of(p)), p.directory, p.report);
  p.report.print(
      table(r, p.report.colour()) +
      "\nof the activations over the training set, before and after the ReLU: participation ratio, "
      "effective rank, rank;\ncomponents that hold 50, 90 and 99 % of the variance; share of the squared "
      "error left with half of the\ncomponents, and with half of what the journal took for components\n");
  say_verdict(p.directory, p.data.name, verdict(r), p.report);
}

TrainingExtras extras_of_study(bool accuracies) {
  const auto weights = std::make_shared<Weights>();
  TrainingExtras extras;
  extras.settle = [](Settings& settings, Report&) { check(settings); };
  extras.weights = [weights](std::int64_t model, std::span<const LayerWeights> layers) {
    (*weights)[model].assign(layers.begin(), layers.end());
  };
  extras.after = [weights, accuracies](const Population& p) {
    conclude(p, std::move(*weights), accuracies);
    weights->clear();
  };
  extras.after_seconds = [accuracies](const RunSpec& spec, const Task& task) {
    std::vector<int> widths;
    for (const ModelSpec& model : spec.models) widths.push_back(model.hidden.front());
    return estimate_seconds({task, spec.loss, spec.machine, accuracies, {}}, widths);
  };
  return extras;
}

}  // namespace

Action declare_pca(CLI::App& app) {
  Schema schema = training_schema();
  set_default(schema, "seeds", "1");
  const auto plain = std::make_shared<bool>(false);
  app.add_flag("--no-accuracy", *plain,
               "leave out the networks that keep k components (they take most of the time)");
  return declare_study(app,
                       {.schema = std::move(schema),
                        .versions = {{"--quick",
                                      "widths 32, 128, 350, 1024, 5 epochs: what is done by default",
                                      {{"hidden", "32,128,350,1024"}, {"epochs", "5"}}},
                                     {"--full",
                                      "widths 32, 64, 128, 200, 350, 568, 1024, 2048, 10 epochs",
                                      {{"hidden", "32,64,128,200,350,568,1024,2048"}, {"epochs", "10"}}}},
                        .extras = [plain] { return extras_of_study(!*plain); }});
}

}  // namespace shoal
