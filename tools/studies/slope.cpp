// `shoal study slope`: layers that learn their size by a gate whose slope is drawn anew in every step, beside
// layers whose slope is fixed, at the same mean width of the grey zone and as a journal compared them. Are
// they larger, is their loss higher, how does x0 grow? And what is a gradient by x0 where neurons are on or
// off by chance?
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "engine/estimate.h"
#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/population_spec.h"
#include "tools/signals.h"
#include "tools/studies/findings.h"
#include "tools/studies/slope_figures.h"
#include "tools/studies/slope_onoff.h"
#include "tools/studies/slope_rows.h"
#include "tools/studies/versions.h"
#include "tools/table.h"

namespace shoal {
namespace {

constexpr std::size_t kNetworks = 3;  // whose gates are on or off by chance, and whose gradients are followed

SlopeSpec spec_of(const Settings& settings) {
  SlopeSpec s;
  s.neurons = settings.layers("hidden").front().front();
  s.epochs = static_cast<int>(settings.integer("epochs"));
  s.zones = settings.reals("zones");
  return s;
}

void check(const Settings& settings) {
  const Comparison comparison{"study slope compares slopes of the gate", {"seeds"}};
  refuse_other_lists(settings, comparison);
  refuse_own(
      settings, comparison,
      {"gate", "gate-begin", "gate-penalty", "gate-start", "gate-slope", "gate-lr", "grey-zone", "evaluate"});
  refuse_deep(settings, "study slope");
  if (settings.integer("epochs") < 4)
    throw UsageError(fmt::format("study slope looks at growth: --epochs {} are too few, 4 or more are needed",
                                 settings.integer("epochs")));
  if (settings.text("loss") != "cross-entropy")
    throw UsageError("study slope follows the cross-entropy: --loss cross-entropy is what it needs");
}

std::vector<Record> records_of(const SlopeSpec& s, const std::vector<SlopeRow>& rows) {
  std::vector<Record> records;
  for (const SlopeRow& row : rows) {
    Record& record = records.emplace_back(Record{{"arm", name_of(row.arm.kind)}});
    for (const auto& [name, value] : slope_columns(s, row)) record.emplace_back(name, value);
  }
  return records;
}

std::vector<Record> epochs_of(const SlopeSpec& s, const std::vector<SlopeRow>& rows) {
  using C = GateCurve;
  std::vector<Record> records;
  for (const SlopeRow& row : rows) {
    const Changes changes = changes_of(row);
    for (int e = 1; e <= s.epochs; ++e) {
      const auto at = [&](GateValue value) { return summary_at(row.models, value, e); };
      const auto i = static_cast<std::size_t>(e) - 1;
      records.push_back({{"arm", name_of(row.arm.kind)},
                         {"zone", row.arm.zone},
                         {"epoch", e},
                         {"size", at(&C::size).mean},
                         {"size_sd", at(&C::size).sd},
                         {"change", i < changes.mean.size() ? changes.mean[i] : NAN},
                         {"falls", i < changes.falls.size() ? static_cast<double>(changes.falls[i]) : NAN},
                         {"train_loss", at(&C::train_loss).mean},
                         {"test_loss", at(&C::test_loss).mean},
                         {"test_accuracy", at(&C::test_accuracy).mean}});
    }
  }
  return records;
}

std::vector<Record> records_of(const std::vector<SizeGradient>& gradients) {
  std::vector<Record> records;
  for (const SizeGradient& g : gradients) {
    const Summary s = summarize(g.by_model);
    records.push_back({{"arm", name_of(g.kind)},
                       {"epoch", g.epoch},
                       {"models", s.count},
                       {"gradient", s.mean},
                       {"gradient_sd", s.sd},
                       {"gradient_min", s.min},
                       {"gradient_max", s.max}});
  }
  return records;
}

std::vector<Record> records_of(const std::vector<OnOffRow>& rows) {
  std::vector<Record> records;
  for (const OnOffRow& r : rows) {
    Record& record = records.emplace_back(Record{{"seed", r.seed},
                                                 {"trained_x0", r.trained},
                                                 {"x0", r.x0},
                                                 {"slope", r.k},
                                                 {"draws", r.draws},
                                                 {"samples", r.samples},
                                                 {"loss", r.loss},
                                                 {"loss_sd", r.loss_sd},
                                                 {"gate_loss", r.gate_loss}});
    for (const Quotient& q : r.quotients) {
      const std::string of = fmt::format("_{:g}", q.h);
      record.emplace_back("zeros" + of, q.zeros), record.emplace_back("quotient" + of, q.mean);
      record.emplace_back("quotient_error" + of, q.standard_error);
    }
    record.emplace_back("score", r.score), record.emplace_back("score_error", r.score_error);
    record.emplace_back("score_sd", r.score_sd), record.emplace_back("score_sd_without_baseline", r.plain_sd);
    record.emplace_back("gate_gradient", r.gate_gradient),
        record.emplace_back("gate_gradient_batch_sd", r.batch_sd);
  }
  return records;
}

std::string table(const SlopeSpec& s, const std::vector<SlopeRow>& rows, bool colour) {
  using C = GateCurve;
  Table text({"gate", "models", "closed", fmt::format("x0, {}", s.epochs / 2),
              fmt::format("x0, {}", s.epochs), "95 %", "growth", "test %", "sd", "test loss", "train loss"});
  for (const SlopeRow& row : rows) {
    const auto at = [&](GateValue value, int epoch) { return summary_at(row.models, value, epoch); };
    const MeanInterval size = mean_interval(values_at(row.models, &C::size, s.epochs));
    text.add({words_of(row.arm), std::to_string(row.models.size()), std::to_string(row.closed),
              cell(at(&C::size, s.epochs / 2).mean, 1), cell(size.mean, 1),
              std::isfinite(size.low) ? fmt::format("{:.1f} to {:.1f}", size.low, size.high) : "",
              cell(growth_of(row.models, 0, s.epochs).last.mean, 2),
              cell(100 * at(&C::test_accuracy, s.epochs).mean, 2),
              cell(100 * at(&C::test_accuracy, s.epochs).sd, 2), cell(at(&C::test_loss, s.epochs).mean, 4),
              cell(at(&C::train_loss, s.epochs).mean, 5)});
  }
  return text.text(colour) +
         "\ngrowth: of x0 over the last quarter, neurons an epoch; train loss: mean of the epoch's batches\n";
}

/// 1, 2, 4, ... up to all epochs.
std::vector<int> looked_at(int epochs) {
  std::vector<int> found;
  for (int e = 1; e < epochs; e *= 2) found.push_back(e);
  found.push_back(epochs);
  return found;
}

/// Weights before folding of the networks whose gates will be on or off: the mean zone's, of a few seeds.
using Kept = std::map<std::int64_t, Layers>;

bool is_kept(const SlopeSpec& s, const std::vector<ModelSpec>& models, std::int64_t m) {
  const std::size_t seeds = models.size() / slope_arms(s).size();
  const auto i = static_cast<std::size_t>(m);
  return i >= seeds && i < 2 * seeds && i - seeds < kNetworks;  // the second arm
}

void conclude(const Population& p, const Kept& kept) {
  const SlopeSpec spec = spec_of(p.settings);
  const std::vector<SlopeRow> rows = slope_rows(spec, p.spec, p.result);
  std::vector<OnOffNetwork> networks;
  for (const auto& [m, layers] : kept) {
    const ModelResult& r = p.result.models[static_cast<std::size_t>(m)];
    if (r.status == ModelStatus::ok && r.gates.front().size >= kClosed)
      networks.push_back({p.spec.models[static_cast<std::size_t>(m)].seed, r.gates.front().size, layers});
  }
  p.report.say("gates that are on or off by chance");
  const auto on_off = on_off_rows(networks, {p.task, p.spec.machine, slope_arms(spec)[1].slope,
                                             p.settings.integer("draws"), 500, &stop_requested()});
  p.report.say("the gradient by x0 after some epochs");
  const auto gradients =
      size_gradients(spec, {p.spec, p.task, 10000, kNetworks, looked_at(spec.epochs), &stop_requested()});
  if (stop_requested()) return;
  publish(p, "slope.csv", "slope", records_of(spec, rows));
  p.directory.write("slope-epochs.csv", csv_of(epochs_of(spec, rows)));
  publish(p, "slope-gradients.csv", "gradient", records_of(gradients));
  publish(p, "slope-onoff.csv", "onoff", records_of(on_off));
  const std::string where = words_for(p.data.name);
  draw_figures(slope_figures(spec, rows, on_off, where), p.directory, p.report);
  p.report.print("\n" + where_of(p) + "\n\n" + table(spec, rows, p.report.colour()));
  say_verdict(p.directory, p.data.name, slope_verdict(spec, rows, gradients, on_off), p.report);
}

/// The networks that are trained again, and those whose gates are on or off.
double seconds_to_conclude(const SlopeSpec& s, const RunSpec& run, const TimeEstimate& whole) {
  double epochs = 0;
  for (const int e : looked_at(s.epochs)) epochs += e;
  const double models = static_cast<double>(run.models.size());
  const double again = std::min(models, 2.0 * kNetworks) * epochs / (models * s.epochs);
  return whole.seconds.training * again + 15.0;
}

Schema schema_of_study() {
  Schema schema = training_schema();
  set_default(schema, "neurons", "none");
  schema.push_back({.key = "zones",
                    .type = SettingType::real,
                    .fallback = {},
                    .group = kStudyGroup,
                    .metavar = "N",
                    .help = "more fixed slopes: neurons from a gate of 99 % to one of 1 %",
                    .list = true,
                    .minimum = 0.01,
                    .maximum = 1e6});
  schema.push_back({.key = "draws",
                    .type = SettingType::integer,
                    .fallback = {},
                    .group = kStudyGroup,
                    .metavar = "N",
                    .help = "of gates that are on or off by chance, for each of three networks",
                    .minimum = 4,
                    .maximum = 1e6});
  return schema;
}

TrainingExtras extras_of_study() {
  TrainingExtras extras;
  const auto kept = std::make_shared<Kept>();
  const auto run_of = std::make_shared<std::pair<SlopeSpec, std::vector<ModelSpec>>>();
  extras.settle = [](Settings& settings, Report&) { check(settings); };
  extras.adjust = [run_of](RunSpec& run, const Settings& settings) {
    const SlopeSpec spec = spec_of(settings);
    run.models = slope_models(spec, run.models.front(), seeds_of(settings));
    *run_of = {spec, run.models};
  };
  extras.unfolded_weights = [kept, run_of](std::int64_t m, std::span<const LayerWeights> layers) {
    if (is_kept(run_of->first, run_of->second, m)) (*kept)[m].assign(layers.begin(), layers.end());
  };
  extras.after = [kept](const Population& p) {
    conclude(p, *kept);
    kept->clear();
  };
  extras.after_seconds = [run_of](const RunSpec& run, const Task& task) {
    return seconds_to_conclude(run_of->first, run, estimate_time(run, task, {.rounds = 1, .seconds = 0.5}));
  };
  return extras;
}

}  // namespace

Action declare_slope(CLI::App& app) {
  return declare_study(
      app, {.schema = schema_of_study(),
            .versions =
                {{"--quick",
                  "192 neurons, 16 epochs of 20,000 samples, 3 more zones, 5 seeds: what is done by default",
                  {{"hidden", "192"},
                   {"epochs", "16"},
                   {"seeds", "5"},
                   {"train-count", "20000"},
                   {"zones", "1,5,20"},
                   {"draws", "512"}}},
                 {"--full",
                  "500 neurons, 60 epochs of all samples, 3 more zones, 30 seeds: the journal's settings",
                  {{"hidden", "500"},
                   {"epochs", "60"},
                   {"seeds", "30"},
                   {"train-count", "0"},
                   {"zones", "1,5,20"},
                   {"draws", "4096"}}}},
            .extras = extras_of_study});
}

}  // namespace shoal
