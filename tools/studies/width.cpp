// `shoal study width`: how wide does a hidden layer have to be? Trains one hidden layer of many widths,
// several seeds each, and shows against the width: accuracy on both sets, how far the neurons' outputs
// spread, the shape of that spread, how many never change; and which of the journal's statements hold.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/philox.h"
#include "tools/figures/draw.h"
#include "tools/studies/findings.h"
#include "tools/studies/layer_metrics.h"
#include "tools/studies/one_layer.h"
#include "tools/studies/versions.h"
#include "tools/studies/width_beside.h"
#include "tools/studies/width_figures.h"
#include "tools/studies/width_fits.h"
#include "tools/studies/width_rows.h"
#include "tools/studies/width_verdict.h"
#include "tools/table.h"

namespace shoal {
namespace {

/// floor(2^(i/2)): two a doubling.
constexpr std::string_view kAllWidths =
    "11,16,22,32,45,64,90,128,181,256,362,512,724,1024,1448,2048,2896,4096,5792,8192,11585";

struct NamedRows {
  std::string name, where;  // "mnist"; "MNIST, 5 epochs"
  std::vector<WidthRow> rows;
};

/// With names, the data's name comes first.
std::vector<Record> records_of(std::span<const NamedRows> sets, bool named) {
  std::vector<Record> records;
  for (const NamedRows& set : sets)
    for (const WidthRow& row : set.rows) {
      Record& record = records.emplace_back();
      if (named) record.emplace_back("data", set.name);
      record.emplace_back("width", row.width);
      record.emplace_back("models", row.models);
      record.emplace_back("diverged", row.diverged);
      for (const auto& [name, value] : width_columns(row)) record.emplace_back(name, value);
    }
  return records;
}

std::vector<Record> records_of(const std::vector<MetricLine>& lines) {
  const auto width = [](const char* name, int w) { return w < 0 ? Field(name, NAN) : Field(name, w); };
  std::vector<Record> records;
  for (const MetricLine& l : lines)
    records.push_back({{"metric", l.name},
                       width("peak", l.peak.width),
                       width("peak_low", l.peak.low),
                       width("peak_high", l.peak.high),
                       {"pearson_test", l.test.pearson},
                       {"spearman_test", l.test.spearman},
                       {"pearson_train", l.train.pearson},
                       {"spearman_train", l.train.spearman}});
  return records;
}

std::string table(const std::vector<WidthRow>& rows, bool colour) {
  Table text({"width", "models", "train %", "± sd", "test %", "± sd", "mean sd", "sum of sds", "dead",
              "faint", "W", "W pooled", "exp", "gamma"});
  for (const WidthRow& row : rows) {
    text.add({std::to_string(row.width), std::to_string(row.models), cell(100 * row.train_accuracy.mean, 2),
              cell(100 * row.train_accuracy.sd, 2), cell(100 * row.test_accuracy.mean, 2),
              cell(100 * row.test_accuracy.sd, 2), cell(row.mean_sd.mean, 3), cell(row.sum_sd.mean, 1),
              cell(row.dead.mean, 2), cell(summary_of(row, &LayerMetrics::faint).mean, 2),
              cell(summary_of(row, &LayerMetrics::w).mean, 3), cell(row.pooled.w, 3),
              cell(row.pooled.exp_normal.weight, 3), cell(row.pooled.gamma_gamma.weight, 3)});
  }
  return text.text(colour) +
         "\nmean over models; sd: of the models' accuracies; mean sd, sum of sds: of the sd of each neuron "
         "after\nReLU over the training set; dead: neurons of a model whose sd is exactly 0; faint: below 1 "
         "% of "
         "the median;\nW: of Shapiro and Wilk, of the sds of a model, and of all models of a width; exp, "
         "gamma: "
         "weight of the\nexponential beside a normal, and of the gamma with the lower shape, of all models "
         "of a "
         "width\n";
}

std::string table(const std::vector<MetricLine>& lines, bool colour) {
  Table text({"metric", "highest at", "95 %", "Spearman", "Pearson"});
  for (const MetricLine& l : lines) {
    if (l.peak.width < 0) continue;
    text.add({l.words, std::to_string(l.peak.width), fmt::format("{} to {}", l.peak.low, l.peak.high),
              cell(l.test.spearman, 2), cell(l.test.pearson, 2)});
  }
  return text.text(colour) +
         "\nhighest at: the width with the highest mean; 95 %: of resampled seeds; correlations over the "
         "widths with "
         "the test accuracy\n";
}

/// Most about a normal, some near 0: as the layers of a trained population have them.
std::vector<double> made_up_sds(std::size_t count) {
  std::vector<double> sds(count);
  for (std::size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (std::uint64_t k = 0; k < 4; ++k) sum += philox_word(1, i, k) / 4294967296.0;
    sds[i] = i % 8 == 0 ? 0.1 * philox_word(2, i, 0) / 4294967296.0 : sum;
  }
  return sds;
}

NamedRows conclude(const Population& p) {
  NamedRows set{p.data.name, where_of(p), rows_by_width(p.spec, p.result, shapes_on(p.spec.machine))};
  const std::vector<MetricLine> lines = metric_lines(set.rows);
  publish(p, "width.csv", "width", records_of({&set, 1}, false));
  publish(p, "metrics.csv", "metric", records_of(lines));
  draw_figures(width_figures(set.rows, set.where), p.directory, p.report);
  p.report.print("\n" + set.where + "\n\n" + table(set.rows, p.report.colour()));
  p.report.print("\n" + table(lines, p.report.colour()));
  say_verdict(p.directory, set.name, verdict(set.rows), p.report);
  return set;
}

/// What `conclude` will take: the shapes of made-up sds of every width, wide layers cut short and counted in
/// proportion, and the figures, which cannot be drawn without writing, at what they take elsewhere.
double seconds_to_conclude(const RunSpec& spec, const Task&) {
  constexpr double kFigures = 1.0;
  constexpr std::size_t kMost = 4096;
  std::map<int, std::int64_t> models;
  for (const ModelSpec& m : spec.models) ++models[m.hidden.front()];
  std::vector<std::vector<double>> samples;
  double all = 0, made = 0;
  for (const auto& [width, count] : models) {
    for (const std::int64_t seeds : {std::int64_t{1}, count}) {
      const auto size = static_cast<std::size_t>(width * seeds);
      samples.push_back(made_up_sds(std::min(size, kMost)));
      made += static_cast<double>(samples.back().size());
      all += static_cast<double>(size) * (seeds == 1 && count > 1 ? static_cast<double>(count) : 1.0);
    }
  }
  const auto began = std::chrono::steady_clock::now();
  shapes_on(spec.machine)(samples);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return kFigures + seconds * all / made;
}

/// Several data sets beside each other, in the run's own directory.
void conclude_all(std::span<const NamedRows> sets, const RunDirectory& directory, Report& report) {
  directory.write("width.csv", csv_of(records_of(sets, true)));
  std::vector<NamedFigureRows> columns;
  for (const NamedRows& set : sets) columns.push_back({set.where, set.rows});
  draw_figures(beside_figures(columns), directory, report);
  const auto named = [](const NamedRows& set) { return DataRows{words_for(set.name), set.rows}; };
  const std::string shift = sentence(statement_on_shift(named(sets[0]), named(sets[1])));
  say_verdict(directory, "both", {&shift, 1}, report);
}

TrainingExtras extras_of_study() {
  const auto sets = std::make_shared<std::vector<NamedRows>>();
  TrainingExtras extras;
  extras.settle = [](Settings& settings, Report&) { check_one_layer(settings, "study width"); };
  extras.after = [sets](const Population& p) { sets->push_back(conclude(p)); };
  extras.together = [sets](std::span<const Population>, const RunDirectory& directory, Report& report) {
    conclude_all(*sets, directory, report);
  };
  extras.after_seconds = seconds_to_conclude;
  return extras;
}

}  // namespace

Action declare_width(CLI::App& app) {
  return declare_study(
      app, {.schema = training_schema(),
            .versions = {{"--quick",
                          "12 widths up to 512, 11 seeds, 5 epochs, batch 128: what is done by default",
                          {{"hidden", "11,16,22,32,45,64,90,128,181,256,362,512"},
                           {"seeds", "11"},
                           {"epochs", "5"},
                           {"batch", "128"}}},
                         {"--first",
                          "21 widths up to 11585, 1 seed, 5 epochs, batch 64: the journal's first version",
                          {{"hidden", kAllWidths}, {"seeds", "1"}, {"epochs", "5"}, {"batch", "64"}}},
                         {"--full",
                          "21 widths up to 11585, 11 seeds, 30 epochs, batch 128: the journal's last version",
                          {{"hidden", kAllWidths}, {"seeds", "11"}, {"epochs", "30"}, {"batch", "128"}}}},
            .extras = extras_of_study});
}

}  // namespace shoal
