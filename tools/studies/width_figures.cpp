#include "tools/studies/width_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/density.h"
#include "tools/figures/colours.h"
#include "tools/studies/width_fits.h"
#include "tools/studies/width_series.h"
#include "tools/studies/width_shape_figures.h"

namespace shoal {
namespace {

using Rows = std::vector<WidthRow>;

Figure accuracy_figure(const Rows& rows, const std::string& where) {
  Panel accuracy{.title = fmt::format("Accuracy, {} (mean ± sd, {})", where, models_in_words(rows)),
                 .x = width_axis(rows),
                 .y = {.label = "accuracy (%)"},
                 .series = {bars(rows, &WidthRow::train_accuracy, 100, "training set", kBlue),
                            bars(rows, &WidthRow::test_accuracy, 100, "test set", kVermillion)},
                 .legend = true,
                 .height = 1.5};
  accuracy.x.label = "";
  Panel dead{.title = "Dead neurons: output constant over the training set (mean ± sd)",
             .x = width_axis(rows),
             .y = {.label = "dead neurons", .from = 0.0},
             .series = {bars(rows, &WidthRow::dead, 1, "dead neurons", kGreen)}};
  // A count has no bar below 0, and one that is 0 everywhere still needs an axis.
  for (double& low : dead.series[0].low) low = std::max(0.0, low);
  dead.y.to = std::max(1.0, 1.05 * highest(dead.series[0]));
  dead.y.step = round_step(*dead.y.to, 4);
  return {"accuracy", {accuracy, dead}, 760, 600};
}

/// One density a width, each standing on its own line: narrow layers at the bottom. All have the same area
/// and the same scale, unless the flattest would then be lines: then each has its own height.
Figure density_figure(const Rows& rows, const std::string& where) {
  constexpr int kPoints = 300;
  constexpr double kTallest = 2.2;     // in distances between lines
  constexpr double kVisible = 0.006;   // of the tallest; what is flatter is not drawn
  constexpr double kSameScale = 15.0;  // of two peaks, at most, where all share a scale
  double top = 0;
  for (const WidthRow& row : rows) {
    for (const double sd : row.living_sds) top = std::max(top, sd);
  }
  std::vector<Density> densities;
  std::vector<double> peaks;
  for (const WidthRow& row : rows) {
    densities.push_back(gaussian_density(
        row.living_sds, {.from = 0, .to = 1.04 * top, .points = kPoints, .lower_bound = 0.0}));
    peaks.push_back(0);
    for (const double y : densities.back().y) peaks.back() = std::max(peaks.back(), y);
  }
  const auto [flattest, tallest] = std::minmax_element(peaks.begin(), peaks.end());
  const bool own_heights = *tallest > kSameScale * *flattest;
  if (!own_heights) std::fill(peaks.begin(), peaks.end(), double{*tallest});
  Panel panel;
  panel.title = fmt::format("Density of the neurons' sds without dead neurons{}, {} ({})",
                            own_heights ? ", each to its own height" : "", where, models_in_words(rows));
  panel.x = {.label = "sd of a neuron's output after ReLU, over the training set", .from = 0.0, .to = 0.0};
  panel.y = {
      .label = "hidden neurons", .from = -0.15, .to = static_cast<double>(rows.size()) - 1 + 1.03 * kTallest};
  for (std::size_t i = rows.size(); i-- > 0;) {
    const auto line = static_cast<double>(i);
    const double place = rows.size() < 2 ? 0.5 : line / static_cast<double>(rows.size() - 1);
    panel.y.tics.emplace_back(line, std::to_string(rows[i].width));
    Series ridge{Mark::area,
                 fmt::format("width {}, bandwidth {:.4g}", rows[i].width, densities[i].bandwidth),
                 viridis(0.95 * place),
                 {},
                 {}};
    for (std::size_t k = 0; k < densities[i].x.size(); ++k) {
      if (!(densities[i].y[k] >= kVisible * peaks[i] && peaks[i] > 0)) continue;
      ridge.x.push_back(densities[i].x[k]);
      panel.x.to = std::max(*panel.x.to, densities[i].x[k]);
      ridge.y.push_back(line + kTallest * densities[i].y[k] / peaks[i]);
    }
    ridge.low.assign(ridge.x.size(), line);
    panel.series.push_back(std::move(ridge));
  }
  if (!(*panel.x.to > 0)) panel.x.to = 1.0;  // nothing to see
  return {"neuron-sd", {panel}, 760, 560};
}

/// A fitted curve, drawn over the range of the widths.
template <class Curve>
Series fitted(const Rows& rows, std::string name, const char* colour, Curve&& curve) {
  constexpr int kPoints = 60;
  Series series{Mark::dashed_line, std::move(name), colour, {}, {}};
  for (int i = 0; i <= kPoints; ++i) {
    const double log2_width = std::lerp(std::log2(rows.front().width), std::log2(rows.back().width),
                                        static_cast<double>(i) / kPoints);
    series.x.push_back(std::exp2(log2_width));
    series.y.push_back(curve(series.x.back()));
  }
  return series;
}

Figure sum_figure(const Rows& rows, const std::string& where) {
  Panel panel{
      .title = fmt::format("Sum of the neurons' sds, {} (mean ± sd, {})", where, models_in_words(rows)),
      .x = width_axis(rows),
      .y = {.label = "sum of sds over the layer", .from = 0.0},
      .series = {},
      .legend = true,
      .legend_columns = 2};
  const SumFits fits = fit_sum_of_sds(rows);
  if (std::isfinite(fits.line.r2) && std::isfinite(fits.power.r2)) {
    panel.series.push_back(
        fitted(rows, fmt::format("a + b ln n, R² {:.4f}", fits.line.r2), kGrey,
               [&](double width) { return fits.line.intercept + fits.line.slope * std::log2(width); }));
    panel.series.push_back(fitted(
        rows, fmt::format("a + b n^(1/3), R² {:.4f}", fits.cube_root.r2), kVermillion,
        [&](double width) { return fits.cube_root.intercept + fits.cube_root.slope * std::cbrt(width); }));
    panel.series.push_back(
        fitted(rows, fmt::format("a n^{:.2f}, R² {:.4f}", fits.power.exponent, fits.power.r2), kGreen,
               [&](double width) { return fits.power.factor * std::pow(width, fits.power.exponent); }));
  }
  panel.series.push_back(bars(rows, &WidthRow::sum_sd, 1, "measured", kBlue));
  panel.series.back().mark = Mark::points;
  return {"sum-of-sd", {panel}, 760, 480};
}

/// Beside the others of its panel, so that bars do not hide one another; `place` counts from the middle.
Series beside(Series series, double place) {
  for (double& x : series.x) x *= std::exp2(0.06 * place);
  return series;
}

/// As shares of the layer.
Figure dead_figure(const Rows& rows, const std::string& where) {
  Panel panel{
      .title = fmt::format("Dead and nearly dead neurons, {} (mean ± sd, {})", where, models_in_words(rows)),
      .x = width_axis(rows),
      .y = {.label = "share of the layer (%)", .from = 0.0},
      .legend = true,
      .legend_columns = 2};
  const auto add = [&](double LayerMetrics::*metric, const char* name, const char* colour) {
    Series series = bars(rows, metric, 100, name, colour);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (auto* values : {&series.y, &series.low, &series.high}) (*values)[i] /= rows[i].width;
      series.low[i] = std::max(0.0, series.low[i]);
    }
    const auto place = static_cast<double>(panel.series.size()) - 1.5;
    panel.series.push_back(beside(std::move(series), place));
  };
  add(&LayerMetrics::dead, "sd exactly 0", kBlack);
  add(&LayerMetrics::nearly_dead, "sd below 0.1 % of the layer's median", kBlue);
  add(&LayerMetrics::faint, "sd below 1 % of the layer's median", kVermillion);
  add(&LayerMetrics::rarely, "firing on less than 0.1 % of the samples", kGreen);
  double top = 0;
  for (const Series& series : panel.series) top = std::max(top, highest(series));
  panel.y.to = std::max(1.0, 1.05 * top);
  return {"dead", {panel}, 760, 460};
}

}  // namespace

std::vector<Figure> width_figures(const Rows& all, const std::string& where) {
  if (all.empty()) return {};
  const Rows living = with_models(all), &rows = living.empty() ? all : living;
  std::vector<Figure> figures{accuracy_figure(rows, where), density_figure(rows, where),
                              sum_figure(rows, where), dead_figure(rows, where)};
  for (Figure& figure : width_shape_figures(rows, where)) figures.push_back(std::move(figure));
  return figures;
}

}  // namespace shoal
