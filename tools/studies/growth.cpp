// `shoal study growth`: when to add neurons? Trains networks that grow, shrink or stay as they are, all at
// the same cost, and asks at many moments whether the gradient at a layer's edge tells what adding neurons
// there is worth.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "engine/estimate.h"
#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/signals.h"
#include "tools/studies/findings.h"
#include "tools/studies/growth_figures.h"
#include "tools/studies/growth_rows.h"
#include "tools/studies/versions.h"
#include "tools/table.h"

namespace shoal {
namespace {

GrowthSpec spec_of(const Settings& s) {
  GrowthSpec g;
  g.final = s.layers("hidden").front().front();
  g.start = static_cast<int>(s.integer("start")), g.widest = static_cast<int>(s.integer("widest"));
  g.epochs = static_cast<int>(s.integer("epochs"));
  g.horizon = static_cast<int>(s.integer("horizon"));
  g.moments.clear();
  for (const std::int64_t epoch : s.integers("moments")) g.moments.push_back(static_cast<int>(epoch));
  std::ranges::sort(g.moments);
  g.moments.erase(std::ranges::unique(g.moments).begin(), g.moments.end());
  return g;
}

/// Is `large` = `small` times a power of two, and larger?
bool doubles_to(int small, int large) {
  std::int64_t width = 2 * static_cast<std::int64_t>(small);
  while (width < large) width *= 2;
  return width == large;
}

void check(const Settings& settings) {
  const Comparison comparison{"study growth compares ways to the same width", {"seeds"}};
  refuse_other_lists(settings, comparison);
  refuse_deep(settings, "study growth");
  refuse_own(settings, comparison, {"gate", "gate-layers", "gate-begin", "weights-rest", "remove-dead"});
  if (settings.text("loss") != "cross-entropy")
    throw UsageError(
        "study growth removes neurons by the rise of the cross-entropy: --loss cross-entropy is what it "
        "needs");
  const GrowthSpec spec = spec_of(settings);
  if (!doubles_to(spec.start, spec.final))
    throw UsageError(
        fmt::format("--start {}: doubling it does not lead to the {} neurons of --hidden; {} would do",
                    spec.start, spec.final, spec.final % 8 == 0 ? spec.final / 8 : 8 * spec.start));
  if (!doubles_to(spec.final, spec.widest))
    throw UsageError(
        fmt::format("--widest {}: halving it does not lead to the {} neurons of --hidden; {} "
                    "would do",
                    spec.widest, spec.final, 4 * spec.final));
  try {
    growth_arms(spec);
  } catch (const SpecError& e) { throw UsageError(e.what()); }
}

/// What every record of an interval has.
void add_interval(Record& record, const std::string& name, const MeanInterval& d) {
  record.emplace_back(name, d.mean);
  record.emplace_back(name + "_low", d.low);
  record.emplace_back(name + "_high", d.high);
}

Record record_of(const GrowthRow& row) {
  Record r{{"arm", name_of(row.arm)},
           {"from", row.arm.course.front().width},
           {"to", row.arm.course.back().width},
           {"models", row.models},
           {"diverged", row.diverged},
           {"cost", row.cost.mean},
           {"epochs", row.epochs.mean},
           {"size", row.size.mean},
           {"size_sd", row.size.sd}};
  for (const Score score : kScores) {
    const auto s = static_cast<std::size_t>(score);
    const std::string name(name_of(score));
    r.emplace_back(name, row.scores[s].mean);
    r.emplace_back(name + "_sd", row.scores[s].sd);
    add_interval(r, name + "_against_fixed", row.against[s]);
  }
  return r;
}

Record record_of(const GainRow& g) {
  Record r{{"width", g.width},   {"epoch", g.epoch}, {"horizon", g.horizon}, {"models", g.models},
           {"silent", g.silent}, {"gate", g.gate},   {"loss", g.loss}};
  add_interval(r, "train_gain", g.train);
  add_interval(r, "test_gain", g.test);
  return r;
}

Record record_of(const SignalRow& s) {
  const std::string over = s.width == kAllWidths      ? "all"
                           : s.width == kWithinWidths ? "within"
                                                      : fmt::format("{}", s.width);
  Record r{{"signal", name_of(s.signal)},
           {"width", over},
           {"horizon", s.horizon},
           {"moments", s.moments},
           {"networks", s.networks}};
  const auto add = [&](const std::string& name, const Bootstrap& b) {
    const Interval i = std::isfinite(b.bca.low) ? b.bca : b.percentile;
    add_interval(r, name, {b.estimate, i.low, i.high});
  };
  add("spearman_train_gain", s.train);
  add("spearman_test_gain", s.test);
  return r;
}

/// A line a moment and horizon.
std::vector<Record> moment_records(const GrowthResults& r) {
  const std::vector<int> horizons = horizons_of(r.spec);
  std::vector<Record> records;
  for (const Moment& m : r.moments)
    for (std::size_t h = 0; h < horizons.size(); ++h)
      records.push_back({{"width", m.width},
                         {"seed", static_cast<std::int64_t>(m.seed)},
                         {"epoch", m.epoch},
                         {"horizon", horizons[h]},
                         {"loss", m.loss},
                         {"silent", m.silent},
                         {"gate", m.gate},
                         {"train_gain", m.train_gain[h]},
                         {"test_gain", m.test_gain[h]}});
  return records;
}

template <class Row>
std::vector<Record> records_of(const std::vector<Row>& rows) {
  std::vector<Record> records;
  for (const Row& row : rows) records.push_back(record_of(row));
  return records;
}

std::vector<Record> curve_records(const std::vector<ArmOutcomes>& arms) {
  std::vector<Record> records;
  for (const ArmOutcomes& arm : arms) {
    int epoch = 0;
    for (const CurveRow& row : curve_of(arm))
      records.push_back({{"arm", name_of(arm.arm)},
                         {"epoch", ++epoch},
                         {"cost", row.cost},
                         {"test_loss", row.test_loss.mean},
                         {"test_loss_sd", row.test_loss.sd},
                         {"test_accuracy", row.test_accuracy.mean},
                         {"test_accuracy_sd", row.test_accuracy.sd}});
  }
  return records;
}

std::string interval_text(const MeanInterval& d, double factor, int decimals) {
  if (!std::isfinite(d.low)) return "";
  return fmt::format("{:.{}f} to {:.{}f}", factor * d.low, decimals, factor * d.high, decimals);
}

std::string table(const GrowthResults& r, bool colour) {
  Table text(
      {"", "epochs", "cost", "size", "test %", "sd", "against", "95 %", "train loss", "against", "95 %"});
  for (const GrowthRow& row : r.rows) {
    if (row.models == 0) continue;
    const auto accuracy = static_cast<std::size_t>(Score::test_accuracy),
               loss = static_cast<std::size_t>(Score::train_loss);
    const bool first = &row == &r.rows.front();
    text.add({words_of(row.arm), cell(row.epochs.mean, 1), cell(row.cost.mean, 0), cell(row.size.mean, 1),
              cell(100 * row.scores[accuracy].mean, 2), cell(100 * row.scores[accuracy].sd, 2),
              first ? "" : cell(100 * row.against[accuracy].mean, 2),
              first ? "" : interval_text(row.against[accuracy], 100, 2), cell(row.scores[loss].mean, 4),
              first ? "" : cell(row.against[loss].mean, 4),
              first ? "" : interval_text(row.against[loss], 1, 4)});
  }
  return text.text(colour) +
         fmt::format(
             "\ncost: neuron-epochs; against: minus {} from the beginning, seed by seed, with its 95 % "
             "interval\n",
             r.spec.final);
}

std::string gains_table(const GrowthResults& r, bool colour) {
  const std::vector<int> horizons = horizons_of(r.spec);
  std::vector<std::string> headings{"neurons", "epoch", "train loss", "silent |dL/dv|", "gate -dL/dx0"};
  for (const int h : horizons)
    if (h == horizons.front() || h == horizons.back()) {
      headings.push_back(fmt::format("gain after {}", h));
      headings.emplace_back("95 %");
    }
  Table text(headings);
  std::vector<std::string> line;
  for (const GainRow& g : r.gains) {
    if (line.empty())
      line = {fmt::format("{}", g.width), fmt::format("{}", g.epoch), cell(g.loss, 4),
              fmt::format("{:.2e}", g.silent), fmt::format("{:.1e}", g.gate)};
    if (g.horizon == horizons.front() || g.horizon == horizons.back())
      line.push_back(cell(g.train.mean, 4)), line.push_back(interval_text(g.train, 1, 4));
    if (g.horizon == horizons.back()) text.add(std::exchange(line, {}));
  }
  return "\n" + text.text(colour) +
         "\ngain: in training loss, of a layer that is doubled by silent neurons and trained for so many "
         "epochs, "
         "against as it is\nfor twice as many\n";
}

/// Nothing when stopped.
std::optional<GrowthResults> conclude(const Population& p) {
  GrowthResults r;
  r.spec = spec_of(p.settings);
  const std::size_t seeds = p.spec.models.size();
  r.where = fmt::format("{}, {} seed{}", words_for(p.data.name), seeds, seeds == 1 ? "" : "s");
  Phases phases(p, cost_of_phases(r.spec, seeds));
  p.report.say("networks that grow, shrink, and stay");
  auto arms = run_arms(r.spec, p, phases);
  if (!arms) return std::nullopt;
  p.report.say("when to add neurons");
  auto moments = run_moments(r.spec, p, phases);
  if (!moments) return std::nullopt;
  r.arms = std::move(*arms), r.moments = std::move(*moments);
  r.rows = growth_rows(r.arms), r.gains = gain_rows(r.moments, r.spec);
  r.signals = signal_rows(Calculator({.threads = p.spec.machine.threads}), r.moments, r.spec);
  publish(p, "growth.csv", "arm", records_of(r.rows));
  p.directory.write("growth-curves.csv", csv_of(curve_records(r.arms)));
  publish(p, "growth-moments.csv", "moment", moment_records(r));
  publish(p, "growth-gains.csv", "gain", records_of(r.gains));
  publish(p, "growth-signals.csv", "signal", records_of(r.signals));
  draw_figures(growth_figures({&r, 1}), p.directory, p.report);
  p.report.print("\n" + r.where + "\n\n" + table(r, p.report.colour()) + gains_table(r, p.report.colour()));
  say_verdict(p.directory, p.data.name, growth_verdict(r), p.report);
  return r;
}

/// What `conclude` will take: short runs of every width, measured here, times their epochs; and the gradients
/// at the edges, which one thread computes.
double seconds_to_conclude(const GrowthSpec& spec, const RunSpec& population, const Task& task) {
  constexpr int kEpochs = 4;
  constexpr double kFigures = 1.5;
  std::map<int, double> epochs = epochs_by_width(spec);
  for (const int width : growing_widths(spec))
    epochs[2 * width] += (4.0 + spec.horizon) * static_cast<double>(spec.moments.size());
  double seconds = kFigures;
  for (const auto& [width, count] : epochs) {
    RunSpec run = population;
    for (ModelSpec& m : run.models) m.hidden = {width};
    run.epochs = kEpochs, run.evaluate_train = run.neuron_moments = false;
    const TimeEstimate time =
        estimate_time(run, task, {.kinds = 1, .rounds = 3, .seconds = 0.4, .stop = &stop_requested()});
    if (time.stopped) return seconds;
    seconds += count * (time.seconds.training / kEpochs + time.seconds.evaluation / (kEpochs + 1));
  }
  return seconds;
}

Schema schema_of_study() {
  Schema schema = training_schema();
  set_default(schema, "neurons", "none");
  const auto add = [&](std::string_view key, std::string_view metavar, std::string_view help,
                       double minimum) {
    schema.push_back({.key = key,
                      .type = SettingType::integer,
                      .fallback = {},
                      .group = kStudyGroup,
                      .metavar = metavar,
                      .help = help,
                      .minimum = minimum,
                      .maximum = 1 << 20});
  };
  add("start", "N", "neurons of the networks that grow; doubling leads to --hidden", 1);
  add("widest", "N", "neurons of the networks that shrink; halving leads to --hidden", 2);
  add("moments", "EPOCHS", "epochs after which it is asked what adding neurons is worth", 1);
  schema.back().list = true;
  add("horizon", "EPOCHS", "for which a doubled layer then trains, at most; others twice as many", 1);
  return schema;
}

TrainingExtras extras_of_study() {
  const auto spec = std::make_shared<GrowthSpec>();
  const auto sets = std::make_shared<std::vector<GrowthResults>>();
  TrainingExtras extras;
  extras.settle = [spec](Settings& settings, Report&) { check(settings), *spec = spec_of(settings); };
  extras.after = [sets](const Population& p) {
    if (auto r = conclude(p)) sets->push_back(std::move(*r));
  };
  extras.together = [sets](std::span<const Population>, const RunDirectory& directory, Report& report) {
    if (sets->size() > 1) draw_figures(growth_figures(*sets), directory, report);
  };
  extras.after_seconds = [spec](const RunSpec& run, const Task& task) {
    return seconds_to_conclude(*spec, run, task);
  };
  return extras;
}

}  // namespace

Action declare_growth(CLI::App& app) {
  return declare_study(
      app,
      {.schema = schema_of_study(),
       .versions = {{"--quick",
                     "8 to 64 neurons, and 256 to 64, at the cost of 24 epochs of 64; 20000 samples, 5 "
                     "seeds: what is done by default",
                     {{"hidden", "64"},
                      {"epochs", "24"},
                      {"seeds", "5"},
                      {"train-count", "20000"},
                      {"start", "8"},
                      {"widest", "256"},
                      {"moments", "1,3,9,27"},
                      {"horizon", "8"}}},
                    {"--full",
                     "32 to 512 neurons, and 2048 to 512, at the cost of 60 epochs of 512; all samples, 10 "
                     "seeds",
                     {{"hidden", "512"},
                      {"epochs", "60"},
                      {"seeds", "10"},
                      {"train-count", "0"},
                      {"start", "32"},
                      {"widest", "2048"},
                      {"moments", "1,3,10,30,60"},
                      {"horizon", "16"}}}},
       .extras = extras_of_study});
}

}  // namespace shoal
