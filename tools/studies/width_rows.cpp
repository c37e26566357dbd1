#include "tools/studies/width_rows.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/layer.h"

namespace shoal {
namespace {

/// One value a model, for every column.
struct Columns {
  std::int64_t diverged = 0;
  std::vector<double> train_loss, test_loss, train_accuracy, test_accuracy, mean_sd, sum_sd, dead, living_sds;
  std::vector<LayerMetrics> layers;
  std::vector<std::vector<double>> sds;  // of each model
};

void add_model(Columns& columns, const ModelResult& model) {
  if (model.status == ModelStatus::diverged) {
    ++columns.diverged;
    return;
  }
  columns.train_loss.push_back(model.train_loss);
  columns.test_loss.push_back(model.test_loss);
  columns.train_accuracy.push_back(model.train_accuracy);
  columns.test_accuracy.push_back(model.test_accuracy);
  if (model.neurons.empty()) return;
  const LayerSummary layer = summarize_layer(model.neurons.front());
  columns.mean_sd.push_back(layer.mean_sd);
  columns.sum_sd.push_back(layer.sum_sd);
  columns.dead.push_back(static_cast<double>(layer.dead));
  columns.layers.push_back(layer_metrics(model.neurons.front()));
  columns.sds.push_back(neuron_sds(model.neurons.front()));
  for (const double sd : columns.sds.back()) {
    if (sd != 0.0) columns.living_sds.push_back(sd);
  }
}

/// Shapes of the sds of every model, and of all models of a width in one sample, in one call.
void add_shapes(std::vector<WidthRow>& rows, const std::map<int, Columns>& by_width, const ShapeOf& shapes) {
  std::vector<std::vector<double>> samples;
  for (const auto& [width, c] : by_width) {
    samples.insert(samples.end(), c.sds.begin(), c.sds.end());
    std::vector<double>& pooled = samples.emplace_back();
    for (const std::vector<double>& sds : c.sds) pooled.insert(pooled.end(), sds.begin(), sds.end());
  }
  const std::vector<SpreadShape> found = shapes(samples);
  auto next = found.begin();
  for (WidthRow& row : rows) {
    for (LayerMetrics& layer : row.layers) add_shape(layer, *next++);
    row.pooled = *next++;
  }
}

}  // namespace

std::vector<WidthRow> rows_by_width(const RunSpec& spec, const RunResult& result, const ShapeOf& shapes) {
  std::map<int, Columns> by_width;
  for (std::size_t i = 0; i < result.models.size(); ++i) {
    add_model(by_width[spec.models[i].hidden.front()], result.models[i]);
  }
  std::vector<WidthRow> rows;
  for (const auto& [width, c] : by_width) {
    WidthRow& row = rows.emplace_back();
    row.width = width;
    row.models = static_cast<std::int64_t>(c.test_accuracy.size()), row.diverged = c.diverged;
    row.train_loss = summarize(c.train_loss), row.test_loss = summarize(c.test_loss);
    row.train_accuracy = summarize(c.train_accuracy), row.test_accuracy = summarize(c.test_accuracy);
    row.mean_sd = summarize(c.mean_sd), row.sum_sd = summarize(c.sum_sd), row.dead = summarize(c.dead);
    row.living_sds = c.living_sds;
    row.train_accuracies = c.train_accuracy, row.test_accuracies = c.test_accuracy;
    row.layers = c.layers;
  }
  if (shapes) add_shapes(rows, by_width, shapes);
  return rows;
}

Summary summary_of(const WidthRow& row, double LayerMetrics::*metric) {
  std::vector<double> values;
  for (const LayerMetrics& layer : row.layers) {
    if (std::isfinite(layer.*metric)) values.push_back(layer.*metric);
  }
  return summarize(values);
}

SumFits fit_sum_of_sds(const std::vector<WidthRow>& rows) {
  std::vector<double> x, log2_x, cube_root_x, y;
  for (const WidthRow& row : rows) {
    if (!std::isfinite(row.sum_sd.mean)) continue;
    x.push_back(row.width);
    log2_x.push_back(std::log2(row.width));
    cube_root_x.push_back(std::cbrt(row.width));
    y.push_back(row.sum_sd.mean);
  }
  return {fit_line(log2_x, y), fit_line(cube_root_x, y), fit_power_law(x, y)};
}

int sufficient_width(const std::vector<WidthRow>& rows) {
  return sufficient_width(rows, &WidthRow::test_accuracy);
}

int sufficient_width(const std::vector<WidthRow>& rows, const Summary WidthRow::*accuracy) {
  for (const WidthRow& row : rows) {
    if (!std::isfinite((row.*accuracy).standard_error)) return -1;
  }
  const auto beats = [](const Summary& wider, const Summary& narrow) {
    return wider.mean - narrow.mean > 2 * std::hypot(wider.standard_error, narrow.standard_error);
  };
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    const bool beaten = std::any_of(
        row + 1, rows.end(), [&](const WidthRow& wider) { return beats(wider.*accuracy, (*row).*accuracy); });
    if (!beaten) return row->width;
  }
  return -1;
}

std::vector<std::pair<std::string, double>> width_columns(const WidthRow& row) {
  std::vector<std::pair<std::string, double>> columns;
  const auto add = [&](const std::string& mean, const std::string& sd, const Summary& s) {
    columns.emplace_back(mean, s.mean);
    columns.emplace_back(sd, s.sd);
  };
  add("train_loss_mean", "train_loss_sd", row.train_loss);
  add("test_loss_mean", "test_loss_sd", row.test_loss);
  add("train_accuracy_mean", "train_accuracy_sd", row.train_accuracy);
  add("test_accuracy_mean", "test_accuracy_sd", row.test_accuracy);
  for (const MetricColumn& column : metric_columns()) {
    const std::string name = column.name;
    const bool plain = column.value == &LayerMetrics::sum_sd;  // "neuron_sd_sum" says what it is
    add(plain ? name : name + "_mean",
        plain                                    ? name + "_sd"
        : column.value == &LayerMetrics::mean_sd ? name + "_mean_sd"
                                                 : name + "_sd",
        summary_of(row, column.value));
  }
  const SpreadShape& pooled = row.pooled;
  columns.insert(columns.end(),
                 {{"neurons_pooled", row.layers.empty() ? NAN : static_cast<double>(pooled.count)},
                  {"w_pooled", pooled.w},
                  {"exp_normal_pooled", pooled.exp_normal.weight},
                  {"exp_normal_journal_pooled", pooled.exp_normal.journal},
                  {"gamma_gamma_pooled", pooled.gamma_gamma.weight},
                  {"gamma_gamma_journal_pooled", pooled.gamma_gamma.journal},
                  {"gamma_gamma_shape_pooled", pooled.gamma_gamma.shape},
                  {"exp_normal_bic_pooled", pooled.exp_normal.bic},
                  {"gamma_gamma_bic_pooled", pooled.gamma_gamma.bic}});
  return columns;
}

}  // namespace shoal
