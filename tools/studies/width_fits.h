// Where the metrics of the width study point: the width at which each is highest, with its error, and how
// each goes along with the accuracy.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/studies/width_rows.h"

namespace shoal {

/// Of every width: one value a model.
using ValuesByWidth = std::vector<std::vector<double>>;
ValuesByWidth values_of(const std::vector<WidthRow>&, double LayerMetrics::*metric);
ValuesByWidth values_of(const std::vector<WidthRow>&, const std::vector<double> WidthRow::*accuracies);

/// The width with the highest mean. low, high: 95 % of 2000 resamples of the models of each width (Philox,
/// seed 1) peak between them, both ends included; the width itself where there is one model a width.
struct Peak {
  int width = -1;  // -1: no width has a value, or all the same
  int low = -1, high = -1;
  bool inside = false;  // neither the narrowest nor the widest
};
Peak peak_of(const std::vector<WidthRow>&, const ValuesByWidth&);

/// Widths whose mean the highest one does not beat by more than two standard errors of the difference: the
/// first and the last.
struct Plateau {
  int from = -1, to = -1;
};
Plateau plateau_of(const std::vector<WidthRow>&, const ValuesByWidth&);

/// The first width from which on the values stay above the limit; -1 when they do not.
int crossing(const std::vector<WidthRow>&, const std::vector<double>& values, double limit);

/// Correlation over widths of a metric's means with an accuracy's. NaN for fewer than three widths.
struct Correlation {
  double pearson, spearman;
};
Correlation correlate(const ValuesByWidth& metric, const ValuesByWidth& accuracy);

/// One line a metric: where it is highest, and its correlations with the test accuracy.
struct MetricLine {
  std::string name, words;
  Peak peak;
  Correlation test, train;
};
/// Test and train accuracy first.
std::vector<MetricLine> metric_lines(const std::vector<WidthRow>&);

}  // namespace shoal
