#include "tools/studies/width_fits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "analysis/bootstrap.h"
#include "analysis/line.h"
#include "analysis/rank.h"
#include "analysis/summary.h"

namespace shoal {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr int kResamples = 2000;

std::vector<double> finite(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  return values;
}

/// Index of the highest mean; -1 when there is none.
int highest(std::span<const double> means) {
  int best = -1;
  for (int i = 0; i < static_cast<int>(means.size()); ++i) {
    const double mean = means[static_cast<std::size_t>(i)];
    if (std::isfinite(mean) && (best < 0 || mean > means[static_cast<std::size_t>(best)])) best = i;
  }
  return best;
}

std::vector<double> means_of(const ValuesByWidth& values) {
  std::vector<double> means;
  for (const std::vector<double>& v : values) means.push_back(summarize(finite(v)).mean);
  return means;
}

/// Index of the peak of each resample, ascending. Every width has its own streams.
std::vector<double> resampled_peaks(const ValuesByWidth& values) {
  ValuesByWidth known;
  for (const std::vector<double>& v : values) known.push_back(finite(v));
  std::vector<double> peaks, means(values.size());
  for (int r = 0; r < kResamples; ++r) {
    for (std::size_t w = 0; w < known.size(); ++w) {
      std::vector<std::int32_t> chosen(known[w].size());
      if (!chosen.empty()) draw_resample(chosen, 1 + w, r);
      double sum = 0;
      for (const std::int32_t c : chosen) sum += known[w][static_cast<std::size_t>(c)];
      means[w] = sum / static_cast<double>(chosen.size());
    }
    peaks.push_back(highest(means));
  }
  return sorted(peaks);
}

}  // namespace

ValuesByWidth values_of(const std::vector<WidthRow>& rows, double LayerMetrics::*metric) {
  ValuesByWidth values;
  for (const WidthRow& row : rows) {
    std::vector<double>& of_row = values.emplace_back();
    for (const LayerMetrics& layer : row.layers) of_row.push_back(layer.*metric);
  }
  return values;
}

ValuesByWidth values_of(const std::vector<WidthRow>& rows, const std::vector<double> WidthRow::*accuracies) {
  ValuesByWidth values;
  for (const WidthRow& row : rows) values.push_back(row.*accuracies);
  return values;
}

Peak peak_of(const std::vector<WidthRow>& rows, const ValuesByWidth& values) {
  const std::vector<double> means = means_of(values);
  const int best = highest(means);
  if (best < 0) return {};
  const double top = means[static_cast<std::size_t>(best)];
  if (std::none_of(means.begin(), means.end(), [&](double m) { return m < top; })) return {};  // no peak
  const auto width = [&](double index) { return rows[static_cast<std::size_t>(index)].width; };
  const std::vector<double> peaks = resampled_peaks(values);
  // order statistics, so that the ends are widths that were trained
  const auto rank = [&](double p) { return peaks[static_cast<std::size_t>(p * (kResamples - 1))]; };
  return {width(best), width(rank(0.025)), width(rank(0.975)),
          best > 0 && best + 1 < static_cast<int>(rows.size())};
}

Plateau plateau_of(const std::vector<WidthRow>& rows, const ValuesByWidth& values) {
  std::vector<Summary> of_width;
  for (const std::vector<double>& v : values) of_width.push_back(summarize(finite(v)));
  const int best = highest(means_of(values));
  if (best < 0) return {};
  const Summary& top = of_width[static_cast<std::size_t>(best)];
  Plateau plateau;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double error = 2 * std::hypot(top.standard_error, of_width[i].standard_error);
    if (!(static_cast<int>(i) == best || top.mean - of_width[i].mean <= error)) continue;
    if (plateau.from < 0) plateau.from = rows[i].width;
    plateau.to = rows[i].width;
  }
  return plateau;
}

int crossing(const std::vector<WidthRow>& rows, const std::vector<double>& values, double limit) {
  int width = -1;
  for (std::size_t i = rows.size(); i-- > 0;) {
    if (!(values[i] > limit)) break;
    width = rows[i].width;
  }
  return width;
}

Correlation correlate(const ValuesByWidth& metric, const ValuesByWidth& accuracy) {
  std::vector<double> x, y;
  const std::vector<double> a = means_of(metric), b = means_of(accuracy);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) continue;
    x.push_back(a[i]);
    y.push_back(b[i]);
  }
  if (x.size() < 3) return {kUnknown, kUnknown};
  const Line line = fit_line(x, y);
  return {std::copysign(std::sqrt(line.r2), line.slope), spearman(x, y)};
}

std::vector<MetricLine> metric_lines(const std::vector<WidthRow>& rows) {
  const ValuesByWidth test = values_of(rows, &WidthRow::test_accuracies),
                      train = values_of(rows, &WidthRow::train_accuracies);
  std::vector<MetricLine> lines;
  const auto add = [&](std::string name, std::string words, const ValuesByWidth& values) {
    lines.push_back({std::move(name), std::move(words), peak_of(rows, values), correlate(values, test),
                     correlate(values, train)});
  };
  add("test_accuracy", "test accuracy", test);
  add("train_accuracy", "train accuracy", train);
  for (const MetricColumn& column : metric_columns())
    add(column.name, column.words, values_of(rows, column.value));
  const auto pooled = [&](auto value) {
    ValuesByWidth values;
    for (const WidthRow& row : rows) values.push_back({value(row.pooled)});
    return values;
  };
  add("w_pooled", "W, seeds pooled", pooled([](const SpreadShape& s) { return s.w; }));
  add("exp_normal_pooled", "weight of the exponential, pooled",
      pooled([](const SpreadShape& s) { return s.exp_normal.weight; }));
  add("gamma_gamma_pooled", "weight of the low-shape gamma, pooled",
      pooled([](const SpreadShape& s) { return s.gamma_gamma.weight; }));
  return lines;
}

}  // namespace shoal
