// `shoal study width`: how wide does a hidden layer have to be? Trains one hidden layer of many widths,
// several seeds each, and shows against the width: accuracy on both sets, how far the neurons' outputs
// spread, how many never change.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "datasets/mnist.h"
#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/studies/width_figures.h"
#include "tools/studies/width_rows.h"
#include "tools/table.h"
#include "tools/training.h"

namespace shoal {
namespace {

using nlohmann::ordered_json;

/// floor(2^(i/2)): two widths a doubling.
constexpr std::string_view kQuickWidths = "11,16,22,32,45,64,90,128,181,256,362,512";
constexpr std::string_view kFullWidths =
    "11,16,22,32,45,64,90,128,181,256,362,512,724,1024,1448,2048,2896,4096,5792,8192,11585";
constexpr std::string_view kSeeds = "11", kQuickEpochs = "5", kFullEpochs = "30";

void set_unless_given(Settings& settings, std::string_view key, std::string_view value) {
  if (settings.origin(key) == Origin::fallback) settings.set(key, value, Origin::fallback);
}

/// Every list but that of widths and seeds would put different experiments into one row.
void check(const Settings& settings) {
  for (const Setting& row : settings.schema()) {
    if (!row.list || row.key == "hidden" || row.key == "seeds") continue;
    if (settings.texts(row.key).size() > 1) {
      throw UsageError(fmt::format("study width compares widths and seeds: --{} takes one value here, not {}",
                                   row.key, settings.text(row.key)));
    }
  }
  for (const std::vector<int>& layers : settings.layers("hidden")) {
    if (layers.size() == 1) continue;
    throw UsageError(fmt::format("study width compares single hidden layers: --hidden {} has {} layers",
                                 to_text(layers), layers.size()));
  }
  if (settings.text("neurons") != "after-relu") {
    throw UsageError(
        fmt::format("study width looks at neurons after their ReLU: --neurons {} leaves it nothing to "
                    "look at, after-relu is what it needs",
                    settings.text("neurons")));
  }
}

void settle(Settings& settings, bool full, Report& report) {
  if (full) {
    set_unless_given(settings, "hidden", kFullWidths);
    set_unless_given(settings, "epochs", kFullEpochs);
  }
  if (settings.origin("data") == Origin::fallback && settings.origin("data-dir") == Origin::fallback &&
      !find_dataset("mnist", {})) {
    settings.set("data", "digits", Origin::fallback);
    report.say(
        "MNIST is not here, so this study runs on the built-in digits (`shoal data list` says where MNIST is "
        "looked for)");
  }
  check(settings);
}

/// The columns of width.csv and of the events, in order.
std::vector<std::pair<const char*, double>> columns(const WidthRow& row) {
  return {{"train_loss_mean", row.train_loss.mean},
          {"train_loss_sd", row.train_loss.sd},
          {"test_loss_mean", row.test_loss.mean},
          {"test_loss_sd", row.test_loss.sd},
          {"train_accuracy_mean", row.train_accuracy.mean},
          {"train_accuracy_sd", row.train_accuracy.sd},
          {"test_accuracy_mean", row.test_accuracy.mean},
          {"test_accuracy_sd", row.test_accuracy.sd},
          {"neuron_sd_mean", row.mean_sd.mean},
          {"neuron_sd_mean_sd", row.mean_sd.sd},
          {"neuron_sd_sum", row.sum_sd.mean},
          {"neuron_sd_sum_sd", row.sum_sd.sd},
          {"dead_mean", row.dead.mean},
          {"dead_sd", row.dead.sd}};
}

/// What a row does not have (the sd of one model) is an empty field.
std::string csv(const std::vector<WidthRow>& rows) {
  std::string text = "width,models,diverged";
  for (const auto& [name, value] : columns(WidthRow{})) text += fmt::format(",{}", name);
  text += '\n';
  for (const WidthRow& row : rows) {
    text += fmt::format("{},{},{}", row.width, row.models, row.diverged);
    for (const auto& [name, value] : columns(row)) text += "," + (std::isfinite(value) ? to_text(value) : "");
    text += '\n';
  }
  return text;
}

ordered_json fields(const WidthRow& row) {
  ordered_json object{{"width", row.width}, {"models", row.models}, {"diverged", row.diverged}};
  for (const auto& [name, value] : columns(row)) object[name] = value;
  return object;
}

std::string table(const std::vector<WidthRow>& rows, bool colour) {
  Table text({"width", "models", "train %", "± sd", "test %", "± sd", "mean sd", "sum of sds", "dead"});
  for (const WidthRow& row : rows) {
    text.add({std::to_string(row.width), std::to_string(row.models), cell(100 * row.train_accuracy.mean, 2),
              cell(100 * row.train_accuracy.sd, 2), cell(100 * row.test_accuracy.mean, 2),
              cell(100 * row.test_accuracy.sd, 2), cell(row.mean_sd.mean, 3), cell(row.sum_sd.mean, 1),
              cell(row.dead.mean, 2)});
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

void conclude(const Population& p) {
  const std::vector<WidthRow> rows = rows_by_width(p.spec, p.result);
  p.directory.write("width.csv", csv(rows));
  draw_figures(width_figures(rows, where_of(p)), p.directory, p.report);
  const std::vector<std::string> sentences = verdict(rows);
  for (const WidthRow& row : rows) p.report.event("width", fields(row));
  p.report.event("verdict", {{"sentences", sentences}});
  p.report.print(
      table(rows, p.report.colour()) +
      "\nmean over models; sd: of the models' accuracies; mean sd, sum of sds: of the sd of each neuron "
      "after\nReLU over the training set; dead: neurons of a model whose sd is exactly 0\n");
  std::string text = "\n";
  for (const std::string& sentence : sentences) text += sentence + "\n";
  p.report.print(text);
}

}  // namespace

Action declare_width(CLI::App& app) {
  Schema schema = training_schema();
  set_default(schema, "hidden", kQuickWidths);
  set_default(schema, "seeds", kSeeds);
  set_default(schema, "epochs", kQuickEpochs);
  const auto full = std::make_shared<bool>(false);
  CLI::Option* quick = app.add_flag("--quick")->description(
      "12 widths up to 512, 11 seeds, 5 epochs: what is done by default");
  app.add_flag("--full", *full, "21 widths up to 11585, 11 seeds, 30 epochs: for a GPU")->excludes(quick);
  const auto command = add_training_options(app, schema);
  return [command, full](const Invocation& invocation) {
    TrainingExtras extras;
    extras.settle = [full](Settings& settings, Report& report) { settle(settings, *full, report); };
    extras.after = conclude;
    extras.table = false;
    return run_training(*command, invocation, extras);
  };
}

}  // namespace shoal
