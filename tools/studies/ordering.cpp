// `shoal study ordering`: which neurons does a network need? Takes out every neuron of every network alone
// and sees how the loss rises; asks how well cheaper measures order the neurons the same way, how the orders
// move while the networks train, and how accurate a network is that keeps the first neurons of each order.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>

#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/signals.h"
#include "tools/studies/findings.h"
#include "tools/studies/one_layer.h"
#include "tools/studies/ordering_figures.h"
#include "tools/studies/ordering_rows.h"
#include "tools/studies/pca_models.h"
#include "tools/studies/snapshots.h"
#include "tools/studies/versions.h"
#include "tools/table.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

void check(const Settings& settings) {
  check_one_layer(settings, "study ordering");
  for (const std::vector<int>& layers : settings.layers("hidden"))
    if (layers.front() < 4)
      throw UsageError(
          fmt::format("study ordering ranks the neurons of a layer: --hidden {} has too few, 4 or more "
                      "are needed",
                      layers.front()));
  if (settings.text("loss") != "cross-entropy")
    throw UsageError(
        "study ordering measures the rise of the cross-entropy: --loss cross-entropy is what it needs");
}

/// Every network with its scores at every checkpoint; empty when stopped.
std::vector<OrderedModel> measure(const Population& p, std::span<const int> epochs) {
  std::vector<OrderedModel> models;
  std::vector<std::int64_t> numbers;
  for (std::size_t m = 0; m < p.spec.models.size(); ++m) {
    if (p.result.models[m].status != ModelStatus::ok) continue;
    numbers.push_back(static_cast<std::int64_t>(m));
    models.push_back({p.spec.models[m].hidden.front(),
                      p.spec.models[m].seed,
                      p.result.models[m].test_accuracy,
                      p.result.models[m].test_loss,
                      {},
                      {}});
  }
  for (const int epoch : epochs) {
    p.report.say(fmt::format("every neuron removed alone, after epoch {}", epoch));
    std::map<std::int64_t, Layers> weights = snapshot_of(p.directory, epoch);
    std::vector<Layers> layers;
    for (const std::int64_t number : numbers) layers.push_back(std::move(weights.at(number)));
    const auto removals =
        removals_of(layers, p.task.train, p.task.scale, p.task.shift, p.spec.machine, &stop_requested());
    if (removals.size() != layers.size()) return {};
    for (std::size_t m = 0; m < models.size(); ++m) {
      models[m].scores.push_back(scores_of(layers[m], removals[m]));
      if (epoch == epochs.back()) models[m].layers = std::move(layers[m]);
    }
  }
  return models;
}

std::string number(double v) { return std::isfinite(v) ? to_text(v) : ""; }

/// ordering-neurons.csv: every neuron of every network in the end.
std::string neurons_csv(std::span<const OrderedModel> models) {
  std::string text = "width,seed,neuron";
  for (int i = 0; i < kMeasures; ++i) text += fmt::format(",{}", name_of(measure_of(i)));
  text += ",accuracy_without\n";
  for (const OrderedModel& m : models) {
    const NeuronScores& s = m.scores.back();
    for (int n = 0; n < m.width; ++n) {
      text += fmt::format("{},{},{}", m.width, m.seed, n);
      for (const std::vector<double>& of : s.of) text += "," + number(of[static_cast<std::size_t>(n)]);
      text += "," + number(s.accuracy_without[static_cast<std::size_t>(n)]) + "\n";
    }
  }
  return text;
}

Record record_of(const std::string& data, const Agreement& a) {
  return {{"data", data},
          {"width", a.width},
          {"models", a.models},
          {"proxy", name_of(a.proxy)},
          {"spearman", a.spearman.estimate},
          {"spearman_low", a.spearman.bca.low},
          {"spearman_high", a.spearman.bca.high},
          {"spearman_sd_of_seeds", a.spearman_seeds.sd},
          {"kendall", a.kendall.estimate},
          {"kendall_low", a.kendall.bca.low},
          {"kendall_high", a.kendall.bca.high},
          {"kendall_sd_of_seeds", a.kendall_seeds.sd},
          {"top_quarter", a.top_quarter}};
}

Record record_of(const std::string& data, const Movement& m) {
  return {{"data", data},
          {"width", m.width},
          {"measure", name_of(m.measure)},
          {"from", m.from},
          {"to", m.to},
          {"moved", m.moved.mean},
          {"moved_sd", m.moved.sd},
          {"spearman", m.spearman.mean},
          {"spearman_sd", m.spearman.sd},
          {"top_quarter", m.overlap.mean},
          {"top_quarter_sd", m.overlap.sd}};
}

Record record_of(const std::string& data, const PrunedScore& s) {
  return {{"data", data},
          {"width", s.width},
          {"order", name_of(s.by)},
          {"kept", s.kept},
          {"test_accuracy", s.accuracy.mean},
          {"test_accuracy_sd", s.accuracy.sd},
          {"test_loss", s.loss.mean},
          {"test_loss_sd", s.loss.sd}};
}

template <class Row>
void publish_rows(const Population& p, std::string_view file, std::string_view type,
                  std::span<const Row> rows) {
  std::vector<Record> records;
  for (const Row& row : rows) records.push_back(record_of(p.data.name, row));
  publish(p, file, type, records);
}

std::string table(const OrderingResults& r, bool colour) {
  std::vector<std::string> headings{"proxy"};
  for (const int width : r.widths) {
    headings.push_back(fmt::format("{}: Spearman", width));
    headings.emplace_back("95 %");
    headings.emplace_back("Kendall");
  }
  Table text(headings);
  for (int i = 1; i < kMeasures; ++i) {
    std::vector<std::string> line{std::string(words_of(measure_of(i)))};
    for (const int width : r.widths)
      for (const Agreement& a : r.agreements)
        if (a.width == width && a.proxy == measure_of(i)) {
          line.push_back(cell(a.spearman.estimate, 2));
          line.push_back(std::isfinite(a.spearman.bca.low)
                             ? fmt::format("{:.2f} to {:.2f}", a.spearman.bca.low, a.spearman.bca.high)
                             : "");
          line.push_back(cell(a.kendall.estimate, 2));
        }
    text.add(line);
  }
  return text.text(colour) +
         "\nrank correlation within a network, mean over the networks of a width, of each measure with the "
         "exact "
         "rise of\nthe training loss when the neuron is removed; 95 %: neurons resampled\n";
}

/// Nothing when stopped.
std::optional<OrderingResults> conclude(const Population& p, bool with_pruning) {
  OrderingResults r;
  r.where = where_of(p), r.epochs = snapshot_epochs(p.spec);
  const std::vector<OrderedModel> models = measure(p, r.epochs);
  if (models.empty()) {
    if (!stop_requested())
      p.report.warn("no network came to the end of its training: there is nothing to order");
    return std::nullopt;
  }
  std::map<int, std::vector<double>> accuracies;
  for (const OrderedModel& m : models) accuracies[m.width].push_back(m.test_accuracy);
  for (const auto& [width, values] : accuracies)
    r.widths.push_back(width), r.whole.push_back(summarize(values));
  p.report.say("rank correlations and their intervals");
  const Calculator calculator({.threads = p.spec.machine.threads});
  r.agreements = agreements_of(calculator, models);
  r.removability = removability_of(models);
  r.movements = movements_of(models, r.epochs);
  if (with_pruning) {
    r.pruned = prune(models, {p.task.train, p.task.test, p.task.scale, p.task.shift, p.spec.machine, 5000,
                              [&](const std::string& what) { p.report.say(what); }, &stop_requested()});
  }
  if (stop_requested()) return std::nullopt;
  p.directory.write("ordering-neurons.csv", neurons_csv(models));
  publish_rows<Agreement>(p, "ordering.csv", "agreement", r.agreements);
  publish_rows<Movement>(p, "ordering-stability.csv", "movement", r.movements);
  if (with_pruning) publish_rows<PrunedScore>(p, "ordering-pruning.csv", "pruned", r.pruned);
  draw_figures(ordering_figures({&r, 1}), p.directory, p.report);
  p.report.print("\n" + r.where + "\n\n" + table(r, p.report.colour()));
  say_verdict(p.directory, p.data.name, verdict(r), p.report);
  return r;
}

/// What `conclude` will take, from how fast made-up networks are evaluated here.
double seconds_to_conclude(const RunSpec& spec, const Task& task, bool with_pruning) {
  constexpr int kWidth = 128, kModels = 4;
  const auto made_up = [](std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
      values[i] = 0.05f *
                  static_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(i) * 2654435761u)) *
                  0x1p-31f;
    return values;
  };
  const auto features = static_cast<std::size_t>(task.shape.features),
             classes = static_cast<std::size_t>(task.shape.classes);
  const Layers layers = {{task.shape.features, kWidth, made_up(features * kWidth), made_up(kWidth)},
                         {kWidth, task.shape.classes, made_up(classes * kWidth), made_up(classes)}};
  const std::vector<Layers> models(kModels, layers);
  DataView part = task.train;
  part.count = std::min<std::int64_t>(part.count, 4096);
  const auto began = std::chrono::steady_clock::now();
  removals_of(models, part, task.scale, task.shift, spec.machine);
  const double per_neuron_sample =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() /
      (static_cast<double>(part.count) * kModels * kWidth);
  double work = 0, neurons = 0;  // neurons times samples
  for (const ModelSpec& m : spec.models) {
    const double width = m.hidden.front();
    neurons += width;
    work += width * static_cast<double>(task.train.count) * static_cast<double>(snapshot_epochs(spec).size());
    if (!with_pruning) continue;
    work += 0.5 * width * std::min(width, 128.0) *
            static_cast<double>(std::min<std::int64_t>(5000, task.train.count));
    for (const int k : kept_counts(m.hidden.front()))
      work += 0.7 * kPrunings * k * static_cast<double>(task.test.count);
  }
  constexpr double kResampling = 4e-3;  // of a neuron: 20 correlations of a thousand resamples, on two cores
  return work * per_neuron_sample + kResampling * neurons;
}

TrainingExtras extras_of_study(bool with_pruning) {
  const auto sets = std::make_shared<std::vector<OrderingResults>>();
  TrainingExtras extras;
  extras.settle = [](Settings& settings, Report&) { check(settings); };
  extras.weight_epochs = snapshot_epochs;
  extras.epoch_weights = keep_snapshot;
  extras.after = [sets, with_pruning](const Population& p) {
    if (auto r = conclude(p, with_pruning)) sets->push_back(std::move(*r));
  };
  extras.together = [sets](std::span<const Population>, const RunDirectory& directory, Report& report) {
    if (sets->size() > 1) draw_figures(ordering_figures(*sets), directory, report);
  };
  extras.after_seconds = [with_pruning](const RunSpec& spec, const Task& task) {
    return seconds_to_conclude(spec, task, with_pruning);
  };
  return extras;
}

}  // namespace

Action declare_ordering(CLI::App& app) {
  const auto plain = std::make_shared<bool>(false);
  app.add_flag("--no-pruning", *plain, "leave out the pruned networks (they take most of the time)");
  return declare_study(app,
                       {.schema = training_schema(),
                        .versions = {{"--quick",
                                      "widths 32 and 128, 3 seeds, 5 epochs: what is done by default",
                                      {{"hidden", "32,128"}, {"seeds", "3"}, {"epochs", "5"}}},
                                     {"--full",
                                      "widths 32, 64, 128, 256, 512, 5 seeds, 15 epochs",
                                      {{"hidden", "32,64,128,256,512"}, {"seeds", "5"}, {"epochs", "15"}}}},
                        .extras = [plain] { return extras_of_study(!*plain); }});
}

}  // namespace shoal
