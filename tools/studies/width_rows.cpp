#include "tools/studies/width_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "analysis/layer.h"

namespace shoal {
namespace {

/// One value a model, for every column.
struct Columns {
  std::int64_t diverged = 0;
  std::vector<double> train_loss, test_loss, train_accuracy, test_accuracy, mean_sd, sum_sd, dead, living_sds;
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
  for (const double sd : neuron_sds(model.neurons.front())) {
    if (sd != 0.0) columns.living_sds.push_back(sd);
  }
}

std::string percent(const Summary& accuracy) {
  return fmt::format("{:.2f} % ± {:.2f}", 100 * accuracy.mean, 100 * accuracy.sd);
}

std::string accuracy_sentence(const std::vector<WidthRow>& rows) {
  const int enough = sufficient_width(rows);
  if (enough < 0)
    return "Too few models a width to tell a difference in accuracy from the spread of the seeds.";
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const WidthRow& r) { return r.width == enough; });
  if (row + 1 == rows.end()) {
    return fmt::format(
        "Test accuracy still improves up to the widest layer, {} neurons: {} (sd over {} seeds).", enough,
        percent(row->test_accuracy), row->models);
  }
  return fmt::format(
      "Test accuracy stops improving beyond the spread of the seeds at {} neurons: {} (sd over {} seeds); no "
      "wider layer beats it by more than two standard errors.",
      enough, percent(row->test_accuracy), row->models);
}

std::string dead_sentence(const std::vector<WidthRow>& rows) {
  const auto first =
      std::find_if(rows.begin(), rows.end(), [](const WidthRow& r) { return r.dead.mean > 0; });
  if (first == rows.end()) return "No neuron is dead (constant over the training set) at any width.";
  const WidthRow& widest = rows.back();
  return fmt::format(
      "Dead neurons (constant over the training set) appear at width {}; at {} they are {:.1f} % of the "
      "layer.",
      first->width, widest.width, 100 * widest.dead.mean / widest.width);
}

std::string sum_sentence(const std::vector<WidthRow>& rows) {
  const SumFits fits = fit_sum_of_sds(rows);
  if (!std::isfinite(fits.line.r2) || !std::isfinite(fits.power.r2)) return {};
  return fmt::format(
      "The sum of the neurons' sds grows from {:.1f} at width {} to {:.1f} at {}: as a line in log2(width) "
      "with "
      "R² = {:.3f}, as width^{:.2f} with R² = {:.3f}.",
      rows.front().sum_sd.mean, rows.front().width, rows.back().sum_sd.mean, rows.back().width, fits.line.r2,
      fits.power.exponent, fits.power.r2);
}

}  // namespace

std::vector<WidthRow> rows_by_width(const RunSpec& spec, const RunResult& result) {
  std::map<int, Columns> by_width;
  for (std::size_t i = 0; i < result.models.size(); ++i) {
    add_model(by_width[spec.models[i].hidden.front()], result.models[i]);
  }
  std::vector<WidthRow> rows;
  for (auto& [width, c] : by_width) {
    rows.push_back({width, static_cast<std::int64_t>(c.test_accuracy.size()), c.diverged,
                    summarize(c.train_loss), summarize(c.test_loss), summarize(c.train_accuracy),
                    summarize(c.test_accuracy), summarize(c.mean_sd), summarize(c.sum_sd), summarize(c.dead),
                    std::move(c.living_sds)});
  }
  return rows;
}

SumFits fit_sum_of_sds(const std::vector<WidthRow>& rows) {
  std::vector<double> x, log2_x, y;
  for (const WidthRow& row : rows) {
    if (!std::isfinite(row.sum_sd.mean)) continue;
    x.push_back(row.width);
    log2_x.push_back(std::log2(row.width));
    y.push_back(row.sum_sd.mean);
  }
  return {fit_line(log2_x, y), fit_power_law(x, y)};
}

int sufficient_width(const std::vector<WidthRow>& rows) {
  for (const WidthRow& row : rows) {
    if (!std::isfinite(row.test_accuracy.standard_error)) return -1;
  }
  const auto beats = [](const Summary& wider, const Summary& narrow) {
    return wider.mean - narrow.mean > 2 * std::hypot(wider.standard_error, narrow.standard_error);
  };
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    const bool beaten = std::any_of(row + 1, rows.end(), [&](const WidthRow& wider) {
      return beats(wider.test_accuracy, row->test_accuracy);
    });
    if (!beaten) return row->width;
  }
  return -1;
}

std::vector<std::string> verdict(const std::vector<WidthRow>& rows) {
  std::vector<WidthRow> finished;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(finished),
               [](const WidthRow& r) { return r.models > 0; });
  if (finished.empty()) return {"Every model diverged."};
  std::vector<std::string> sentences;
  for (std::string sentence :
       {accuracy_sentence(finished), dead_sentence(finished), sum_sentence(finished)}) {
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
  }
  return sentences;
}

}  // namespace shoal
