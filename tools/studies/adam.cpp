// `shoal study adam`: is Adam noisy at very low loss, and why? Trains the same networks by Adam with several
// eps and beta2, AdaMax, AMSGrad and SGD with momentum until the loss is very low, and follows the losses of
// all models by epoch: how far apart they lie, how often they jump up, and what the rule remembered then.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/population_spec.h"
#include "tools/studies/adam_figures.h"
#include "tools/studies/adam_rows.h"
#include "tools/studies/one_layer.h"
#include "tools/table.h"
#include "tools/training.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

using nlohmann::ordered_json;

struct Preset {
  std::string_view hidden, seeds, epochs, batch, train_count, test_count, lr;
};
constexpr Preset kQuick{"32", "5", "400", "16", "2000", "1000", "0.003"};
constexpr Preset kFull{"64", "11", "100", "128", "0", "0", "0.001"};
constexpr std::string_view kBoth = "both";

/// The variants set these: another value would be overruled without a word.
constexpr std::string_view kOfVariants[] = {"optimizer", "beta2", "eps"};

void settle(Settings& settings, bool full, Report& report) {
  const Preset& preset = full ? kFull : kQuick;
  set_unless_given(settings, "hidden", preset.hidden);
  set_unless_given(settings, "seeds", preset.seeds);
  set_unless_given(settings, "epochs", preset.epochs);
  set_unless_given(settings, "batch", preset.batch);
  set_unless_given(settings, "train-count", preset.train_count);
  set_unless_given(settings, "test-count", preset.test_count);
  set_unless_given(settings, "lr", preset.lr);
  if (fall_back_to_digits(settings)) {
    report.say(
        "MNIST is not here, so this study runs on the built-in digits (`shoal data list` says where MNIST is "
        "looked for)");
  }
  for (const std::string_view key : kOfVariants)
    if (settings.text(key) != settings.setting(key).fallback)
      throw UsageError(fmt::format("study adam compares optimizers: it sets --{} itself, leave it out", key));
  for (const Setting& row : settings.schema())
    if (row.list && row.key != "hidden" && row.key != "seeds" && settings.texts(row.key).size() > 1)
      throw UsageError(fmt::format("study adam compares optimizers: --{} takes one value here, not {}",
                                   row.key, settings.text(row.key)));
}

std::string cell_of(double value) { return std::isfinite(value) ? to_text(value) : ""; }

/// The columns of adam.csv and of the events, in order, behind width and variant.
std::vector<std::pair<const char*, double>> columns(const AdamRow& row) {
  const Band none{NAN, NAN, NAN, NAN, NAN}, end = row.loss.empty() ? none : row.loss.back(),
                                            lowest = row.loss.empty() ? none : row.lowest;
  const auto betas = [&](double value) { return has_betas(row.optimizer.rule) ? value : NAN; };
  return {{"lr", row.optimizer.lr},
          {"beta2", betas(row.optimizer.beta2)},
          {"eps", betas(row.optimizer.eps)},
          {"models", row.models},
          {"diverged", row.diverged},
          {"loss_min", end.min},
          {"loss_q1", end.q1},
          {"loss_median", end.median},
          {"loss_q3", end.q3},
          {"loss_max", end.max},
          {"lowest_median", lowest.median},
          {"lowest_min", lowest.min},
          {"low_epochs", static_cast<double>(row.low.size())},
          {"jumps", static_cast<double>(row.jumps)},
          {"jumping_models", row.jumping_models},
          {"largest_jump", row.largest_jump},
          {"room_before_jumps", row.room_before_jumps},
          {"room_otherwise", row.room_otherwise},
          {"decline", row.decline},
          {"fading", row.fading},
          {"below_eps", row.below_eps},
          {"largest_kick", largest_kick(row.optimizer)}};
}

std::string_view name_of(const AdamRow& row) { return adam_variants()[row.variant].name; }

std::string csv(std::span<const AdamRow> rows) {
  std::string text = "hidden,variant";
  for (const auto& [name, value] : columns(AdamRow{})) text += fmt::format(",{}", name);
  text += '\n';
  for (const AdamRow& row : rows) {
    text += fmt::format("{},{}", row.hidden, name_of(row));
    for (const auto& [name, value] : columns(row)) text += "," + cell_of(value);
    text += '\n';
  }
  return text;
}

std::string epochs_csv(std::span<const AdamRow> rows) {
  std::string text =
      "hidden,variant,epoch,loss_min,loss_q1,loss_median,loss_q3,loss_max,on_the_way_median,on_the_way_max,"
      "step_median,step_max,scale_median\n";
  for (const AdamRow& row : rows)
    for (std::size_t e = 0; e < row.loss.size(); ++e) {
      const Band& b = row.loss[e];
      text += fmt::format("{},{},{}", row.hidden, name_of(row), e + 1);
      for (const double v : {b.min, b.q1, b.median, b.q3, b.max, row.on_the_way[e].median,
                             row.on_the_way[e].max, row.step[e].median, row.step[e].max, row.scale[e].median})
        text += "," + cell_of(v);
      text += '\n';
    }
  return text;
}

std::string table(std::span<const AdamRow> rows, bool colour) {
  Table text({"width", "", "loss: min", "median", "max", "lowest", "low epochs", "jumps", "in 1000",
              "largest", "models", "room", "at jumps"});
  const auto loss = [](double v) { return fmt::format("{:.1e}", v); };
  for (const AdamRow& row : rows) {
    if (row.loss.empty()) continue;
    const Band& end = row.loss.back();
    const auto room = [](double v) { return std::isfinite(v) ? fmt::format("{:.3g}", v) : std::string(); };
    text.add({row.hidden, std::string(adam_variants()[row.variant].words), loss(end.min), loss(end.median),
              loss(end.max), loss(row.lowest.median), std::to_string(row.low.size()),
              std::to_string(row.jumps), room(jump_rate(row)),
              row.low.empty() ? "" : fmt::format("{:.3g}", row.largest_jump),
              fmt::format("{}/{}", row.jumping_models, row.models - row.diverged), room(row.room_otherwise),
              room(row.room_before_jumps)});
  }
  return text.text(colour) + fmt::format(
                                 "\nloss over the training set at the end, over the models; lowest: of any "
                                 "epoch, median; low epochs: "
                                 "those that\nbegan below {:g}; jumps: those in which the loss rose to {:g} "
                                 "times and more; models: "
                                 "with a jump; room: largest\nsqrt(v) so far over sqrt(v) + eps, median over "
                                 "low epochs without and "
                                 "with a jump\n",
                                 kLowLoss, kJump);
}

void conclude(const Population& p) {
  const std::vector<AdamRow> rows = adam_rows(p.spec, p.result, p.task.train.count);
  const std::string where =
      fmt::format("{}, {} epoch{}", words_for(p.data.name), p.spec.epochs, p.spec.epochs == 1 ? "" : "s");
  const std::vector<std::string> sentences = adam_verdict(rows);
  p.directory.write("adam.csv", csv(rows));
  p.directory.write("adam-epochs.csv", epochs_csv(rows));
  draw_figures(adam_figures(rows, where), p.directory, p.report);
  for (const AdamRow& row : rows) {
    ordered_json fields{{"data", p.data.name}, {"hidden", row.hidden}, {"variant", name_of(row)}};
    for (const auto& [name, value] : columns(row)) fields[name] = value;
    p.report.event("variant", fields);
  }
  std::string text;
  for (const std::string& sentence : sentences) text += sentence + "\n";
  p.directory.write("verdict.txt", text);
  p.report.event("verdict", {{"data", p.data.name}, {"sentences", sentences}});
  p.report.print("\n" + where + "\n\n" + table(rows, p.report.colour()) + "\n" + text);
}

}  // namespace

Action declare_adam(CLI::App& app) {
  Schema schema = training_schema();
  set_default(schema, "hidden", kQuick.hidden);
  set_default(schema, "seeds", kQuick.seeds);
  set_default(schema, "epochs", kQuick.epochs);
  set_default(schema, "batch", kQuick.batch);
  set_default(schema, "train-count", kQuick.train_count);
  set_default(schema, "test-count", kQuick.test_count);
  set_default(schema, "lr", kQuick.lr);
  set_default(schema, "neurons", "none");
  set_default(schema, "evaluate", "last");
  for (Setting& row : schema)
    if (row.key == "lr") row.help = "learning rate of Adam and its kin; momentum takes 3 times as much";
  const auto full = std::make_shared<bool>(false);
  CLI::Option* quick = app.add_flag("--quick")->description(
      "width 32, 5 seeds, 400 epochs of 2000 samples, batch 16, lr 0.003: what is done by default");
  app.add_flag("--full", *full, "width 64, 11 seeds, 100 epochs of all samples, batch 128, lr 0.001")
      ->excludes(quick);
  const auto command = add_training_options(app, schema);
  return [command, full](const Invocation& invocation) {
    TrainingExtras extras;
    extras.settle = [full](Settings& settings, Report& report) { settle(settings, *full, report); };
    extras.parts = [](const Settings& settings) {
      return settings.text("data") == kBoth ? std::vector<std::string>{"mnist", "fashion-mnist"}
                                            : std::vector<std::string>{};
    };
    extras.adjust = [](RunSpec& spec, const Settings&) {
      spec.models = with_variants(spec.models);
      spec.epoch_details = true;
    };
    extras.after = conclude;
    extras.after_seconds = [](const RunSpec&, const Task&) { return 1.0; };  // figures
    extras.table = false;
    return run_training(*command, invocation, extras);
  };
}

}  // namespace shoal
