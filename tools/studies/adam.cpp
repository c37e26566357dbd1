// `shoal study adam`: is Adam noisy at very low loss, and why? Trains the same networks by Adam with several
// eps and beta2, AdaMax, AMSGrad and SGD with momentum until the loss is very low, and follows the losses of
// all models by epoch: how far apart they lie, how often they jump up, and what the rule remembered then.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>

#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/population_spec.h"
#include "tools/studies/adam_figures.h"
#include "tools/studies/adam_rows.h"
#include "tools/studies/findings.h"
#include "tools/studies/versions.h"
#include "tools/table.h"

namespace shoal {
namespace {

/// The variants set what makes them differ.
void check(const Settings& settings) {
  const Comparison comparison{"study adam compares optimizers", {"hidden", "seeds"}};
  refuse_own(settings, comparison, {"optimizer", "beta2", "eps"});
  refuse_other_lists(settings, comparison);
}

std::string_view name_of(const AdamRow& row) { return adam_variants()[row.variant].name; }

/// A line of adam.csv.
Record record_of(const AdamRow& row) {
  const Band none{NAN, NAN, NAN, NAN, NAN}, end = row.loss.empty() ? none : row.loss.back(),
                                            lowest = row.loss.empty() ? none : row.lowest;
  const auto betas = [&](double value) { return has_betas(row.optimizer.rule) ? value : NAN; };
  return {{"hidden", row.hidden},
          {"variant", name_of(row)},
          {"lr", row.optimizer.lr},
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

std::vector<Record> epoch_records(std::span<const AdamRow> rows) {
  std::vector<Record> records;
  for (const AdamRow& row : rows)
    for (std::size_t e = 0; e < row.loss.size(); ++e) {
      const Band& b = row.loss[e];
      records.push_back({{"hidden", row.hidden},
                         {"variant", name_of(row)},
                         {"epoch", e + 1},
                         {"loss_min", b.min},
                         {"loss_q1", b.q1},
                         {"loss_median", b.median},
                         {"loss_q3", b.q3},
                         {"loss_max", b.max},
                         {"on_the_way_median", row.on_the_way[e].median},
                         {"on_the_way_max", row.on_the_way[e].max},
                         {"step_median", row.step[e].median},
                         {"step_max", row.step[e].max},
                         {"scale_median", row.scale[e].median}});
    }
  return records;
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
  std::vector<Record> records;
  for (const AdamRow& row : rows) records.push_back(record_of(row));
  publish(p, "adam.csv", "variant", records);
  p.directory.write("adam-epochs.csv", csv_of(epoch_records(rows)));
  draw_figures(adam_figures(rows, where_of(p)), p.directory, p.report);
  p.report.print("\n" + where_of(p) + "\n\n" + table(rows, p.report.colour()));
  say_verdict(p.directory, p.data.name, adam_verdict(rows), p.report);
}

Schema schema_of_study() {
  Schema schema = training_schema();
  set_default(schema, "neurons", "none");
  set_default(schema, "evaluate", "last");
  for (Setting& row : schema)
    if (row.key == "lr") row.help = "learning rate of Adam and its kin; momentum takes 3 times as much";
  return schema;
}

TrainingExtras extras_of_study() {
  TrainingExtras extras;
  extras.settle = [](Settings& settings, Report&) { check(settings); };
  extras.adjust = [](RunSpec& spec, const Settings&) {
    spec.models = with_variants(spec.models);
    spec.epoch_details = true;
  };
  extras.after = conclude;
  extras.after_seconds = [](const RunSpec&, const Task&) { return 1.0; };  // figures
  return extras;
}

}  // namespace

Action declare_adam(CLI::App& app) {
  return declare_study(
      app,
      {.schema = schema_of_study(),
       .versions =
           {{"--quick",
             "width 32, 5 seeds, 400 epochs of 2000 samples, batch 16, lr 0.003: what is done by default",
             {{"hidden", "32"},
              {"seeds", "5"},
              {"epochs", "400"},
              {"batch", "16"},
              {"train-count", "2000"},
              {"test-count", "1000"},
              {"lr", "0.003"}}},
            {"--full",
             "width 64, 11 seeds, 100 epochs of all samples, batch 128, lr 0.001",
             {{"hidden", "64"},
              {"seeds", "11"},
              {"epochs", "100"},
              {"batch", "128"},
              {"train-count", "0"},
              {"test-count", "0"},
              {"lr", "0.001"}}}},
       .extras = extras_of_study});
}

}  // namespace shoal
