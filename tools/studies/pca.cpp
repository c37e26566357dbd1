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
#include "tools/population_spec.h"
#include "tools/signals.h"
#include "tools/studies/one_layer.h"
#include "tools/studies/pca_figures.h"
#include "tools/studies/pca_rows.h"
#include "tools/table.h"
#include "tools/training.h"

namespace shoal {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kQuickWidths = "32,128,350,1024", kQuickEpochs = "5";
constexpr std::string_view kFullWidths = "32,64,128,200,350,568,1024,2048", kFullEpochs = "10";
constexpr std::string_view kBoth = "both";

using Weights = std::map<std::int64_t, Layers>;  // by model

/// Every list but that of widths would put different experiments into one row.
void check(const Settings& settings) {
  for (const Setting& row : settings.schema()) {
    if (!row.list || row.key == "hidden") continue;
    const bool several =
        row.key == "seeds" ? seeds_of(settings).size() > 1 : settings.texts(row.key).size() > 1;
    if (several)
      throw UsageError(fmt::format("study pca compares widths: --{} takes one value here, not {}", row.key,
                                   settings.text(row.key)));
  }
  for (const std::vector<int>& layers : settings.layers("hidden"))
    if (layers.size() != 1)
      throw UsageError(fmt::format("study pca looks at single hidden layers: --hidden {} has {} layers",
                                   to_text(layers), layers.size()));
}

void settle(Settings& settings, bool full, Report& report) {
  if (full) {
    set_unless_given(settings, "hidden", kFullWidths);
    set_unless_given(settings, "epochs", kFullEpochs);
  }
  if (fall_back_to_digits(settings)) {
    report.say(
        "MNIST is not here, so this study runs on the built-in digits (`shoal data list` says where MNIST is "
        "looked for)");
  }
  check(settings);
}

std::vector<std::string> parts_of(const Settings& settings) {
  if (settings.text("data") == kBoth) return {"mnist", "fashion-mnist"};
  return {settings.text("data")};
}

/// The columns of pca.csv and of the events, in order.
std::vector<std::pair<const char*, double>> columns(const PcaSide& side) {
  const Pca& p = side.pca;
  const auto count = [&](double share) { return static_cast<double>(components_for(p, share)); };
  const auto journal = [&](std::size_t k) {
    return side.journal.mse.empty() ? NAN : side.journal.mse[k] / side.journal.mse[0];
  };
  const std::size_t half = p.explained_variance.size() / 2;
  return {{"components", static_cast<double>(p.explained_variance.size())},
          {"rank", static_cast<double>(p.rank)},
          {"total_variance", p.total_variance},
          {"participation_ratio", p.participation_ratio},
          {"effective_rank", p.effective_rank},
          {"components_for_50", count(0.5)},
          {"components_for_90", count(0.9)},
          {"components_for_99", count(0.99)},
          {"error_left_at_half", p.reconstruction_mse[half] / p.reconstruction_mse[0]},
          {"journal_error_left_at_half", journal(half)},
          {"clamped", static_cast<double>(p.clamped)}};
}

ordered_json fields(const PcaRow& row, const PcaSide& side) {
  ordered_json object{{"width", row.width},
                      {"side", side.before_relu ? "before-relu" : "after-relu"},
                      {"train_accuracy", row.train_accuracy},
                      {"test_accuracy", row.test_accuracy}};
  for (const auto& [name, value] : columns(side)) object[name] = value;
  return object;
}

std::string cell_of(double value) { return std::isfinite(value) ? to_text(value) : ""; }

std::string csv(const PcaResults& r) {
  std::string text = "width,side,train_accuracy,test_accuracy";
  for (const auto& [name, value] : columns(r.rows.front().before)) text += fmt::format(",{}", name);
  text += '\n';
  for (const PcaRow& row : r.rows)
    for (const PcaSide* side : {&row.before, &row.after}) {
      text += fmt::format("{},{},{},{}", row.width, side->before_relu ? "before-relu" : "after-relu",
                          cell_of(row.train_accuracy), cell_of(row.test_accuracy));
      for (const auto& [name, value] : columns(*side)) text += "," + cell_of(value);
      text += '\n';
    }
  return text;
}

std::string kept_csv(const PcaResults& r) {
  std::string text = "width,kept,k,train_loss,train_accuracy,test_loss,test_accuracy\n";
  for (const PcaRow& row : r.rows)
    for (const KeptCurve& curve : row.curves)
      for (const KeptScore& s : curve.scores)
        text +=
            fmt::format("{},{},{},{},{},{},{}\n", row.width, name_of(curve.kept), s.k, cell_of(s.train.loss),
                        cell_of(s.train.accuracy), cell_of(s.test.loss), cell_of(s.test.accuracy));
  return text;
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

/// "MNIST, 5 epochs"
std::string where_of(const Population& p) {
  const std::string name = p.data.name == "mnist"           ? "MNIST"
                           : p.data.name == "fashion-mnist" ? "FashionMNIST"
                                                            : p.data.name;
  return fmt::format("{}, {} epoch{}", name, p.spec.epochs, p.spec.epochs == 1 ? "" : "s");
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

void tell(const Population& p, const PcaResults& r) {
  const Pca& inputs = r.inputs.pca;
  p.report.event("inputs", {{"features", r.inputs.features},
                            {"rank", inputs.rank},
                            {"participation_ratio", inputs.participation_ratio},
                            {"effective_rank", inputs.effective_rank}});
  for (const PcaRow& row : r.rows) {
    for (const PcaSide* side : {&row.before, &row.after}) p.report.event("pca", fields(row, *side));
    for (const KeptCurve& curve : row.curves)
      for (const KeptScore& s : curve.scores)
        p.report.event("kept", {{"width", row.width},
                                {"kept", name_of(curve.kept)},
                                {"k", s.k},
                                {"train_loss", s.train.loss},
                                {"train_accuracy", s.train.accuracy},
                                {"test_loss", s.test.loss},
                                {"test_accuracy", s.test.accuracy}});
  }
  const std::vector<std::string> sentences = verdict(r);
  p.report.event("verdict", {{"sentences", sentences}});
  p.report.print(
      table(r, p.report.colour()) +
      "\nof the activations over the training set, before and after the ReLU: participation ratio, "
      "effective rank, rank;\ncomponents that hold 50, 90 and 99 % of the variance; share of the squared "
      "error left with half of the\ncomponents, and with half of what the journal took for components\n");
  std::string text = "\n";
  for (const std::string& sentence : sentences) text += sentence + "\n";
  p.report.print(text);
}

void conclude(const Population& p, Weights weights, bool accuracies) {
  const PcaResults r = measure(p, weights, accuracies);
  if (stop_requested() || r.rows.empty()) return;
  p.directory.write("pca.csv", csv(r));
  if (accuracies) p.directory.write("pca-kept.csv", kept_csv(r));
  try {
    write_curves(p.directory, r);
  } catch (const DataError& e) { throw OutputError(e.what()); }
  draw_figures(pca_figures(r, where_of(p)), p.directory, p.report);
  tell(p, r);
}

}  // namespace

Action declare_pca(CLI::App& app) {
  Schema schema = training_schema();
  set_default(schema, "hidden", kQuickWidths);
  set_default(schema, "epochs", kQuickEpochs);
  set_default(schema, "seeds", "1");
  const auto full = std::make_shared<bool>(false), plain = std::make_shared<bool>(false);
  CLI::Option* quick =
      app.add_flag("--quick")->description("widths 32, 128, 350, 1024, 5 epochs: what is done by default");
  app.add_flag("--full", *full, "widths 32, 64, 128, 200, 350, 568, 1024, 2048, 10 epochs")->excludes(quick);
  app.add_flag("--no-accuracy", *plain,
               "leave out the networks that keep k components (they take most of the time)");
  const auto command = add_training_options(app, schema);
  const auto weights = std::make_shared<Weights>();
  return [command, full, plain, weights](const Invocation& invocation) {
    TrainingExtras extras;
    extras.settle = [full](Settings& settings, Report& report) { settle(settings, *full, report); };
    extras.parts = parts_of;
    extras.weights = [weights](std::int64_t model, std::span<const LayerWeights> layers) {
      (*weights)[model].assign(layers.begin(), layers.end());
    };
    extras.after = [weights, plain](const Population& p) {
      conclude(p, std::move(*weights), !*plain);
      weights->clear();
    };
    extras.after_seconds = [plain](const RunSpec& spec, const Task& task) {
      std::vector<int> widths;
      for (const ModelSpec& model : spec.models) widths.push_back(model.hidden.front());
      return estimate_seconds({task, spec.loss, spec.machine, !*plain, {}}, widths);
    };
    extras.table = false;
    return run_training(*command, invocation, extras);
  };
}

}  // namespace shoal
