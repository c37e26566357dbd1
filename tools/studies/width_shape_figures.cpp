#include "tools/studies/width_shape_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/density.h"
#include "tools/figures/colours.h"
#include "tools/studies/width_series.h"

namespace shoal {
namespace {

using Rows = std::vector<WidthRow>;

/// W above the test accuracy, over the same widths (the journal's comparison), with rings round the highest.
Figure shapiro_figure(const Rows& rows, const std::string& where) {
  Panel w{.title = fmt::format("W of Shapiro and Wilk of the neurons' sds, {} (mean ± sd, {})", where,
                               models_in_words(rows)),
          .x = width_axis(rows),
          .y = {.label = "W", .to = 1.01},
          .series = {bars(rows, &LayerMetrics::w, 1, "sds of one model", kBlue),
                     pooled(rows, pooled_w, "sds of all seeds in one sample", kVermillion)},
          .legend = true,
          .height = 1.2};
  w.x.label = "";
  for (std::size_t i = 0; i < 2; ++i) w.series.push_back(ring_at_highest(w.series[i]));
  Panel accuracy{.title = "Test accuracy (mean ± sd); rings: the highest",
                 .x = width_axis(rows),
                 .y = {.label = "test accuracy (%)"},
                 .series = {bars(rows, &WidthRow::test_accuracy, 100, "", kGreen)}};
  accuracy.series.push_back(ring_at_highest(accuracy.series[0]));
  return {"shapiro", {w, accuracy}, 760, 600};
}

/// Index of the width whose models have the highest mean W.
std::size_t highest_w(const Rows& rows) {
  std::size_t best = rows.size();
  double top = -1;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double w = summary_of(rows[i], &LayerMetrics::w).mean;
    if (w > top) top = w, best = i;
  }
  return best;
}

/// Test accuracy against W, width by width.
Figure accuracy_against_w(const Rows& rows, const std::string& where) {
  Panel panel{.title = fmt::format("Test accuracy against W, {} (means, {}; numbers: hidden neurons)", where,
                                   models_in_words(rows)),
              .x = {.label = "W of the sds of one model's neurons"},
              .y = {.label = "test accuracy (%)"}};
  Series path{Mark::line, "", "#c8c8c8", {}, {}};
  // W goes up with the width, turns, and comes back: numbers stand outside of the bend.
  Series before{Mark::words, "", kBlack, {}, {}}, top{Mark::words_up, "", kBlack, {}, {}},
      after{Mark::words_left, "", kBlack, {}, {}};
  const std::size_t peak = highest_w(rows);
  std::vector<Series> points;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Summary w = summary_of(rows[i], &LayerMetrics::w), &accuracy = rows[i].test_accuracy;
    if (!std::isfinite(w.mean)) continue;
    const double place =
        rows.size() < 2 ? 0.5 : static_cast<double>(i) / static_cast<double>(rows.size() - 1);
    const double error = std::isfinite(accuracy.standard_error) ? accuracy.standard_error : 0.0;
    path.x.push_back(w.mean), path.y.push_back(100 * accuracy.mean);
    points.push_back({Mark::points,
                      fmt::format("width {}", rows[i].width),
                      viridis(0.92 * place),
                      {w.mean},
                      {100 * accuracy.mean},
                      {100 * (accuracy.mean - error)},
                      {100 * (accuracy.mean + error)}});
    Series& words = i < peak ? before : i == peak ? top : after;
    words.x.push_back(w.mean), words.y.push_back(100 * accuracy.mean);
    words.words.push_back(std::to_string(rows[i].width));
  }
  panel.series = {path};
  panel.series.insert(panel.series.end(), points.begin(), points.end());
  for (Series* words : {&before, &top, &after})
    if (!words->x.empty()) panel.series.push_back(*words);
  return {"accuracy-w", {panel}, 760, 480};
}

/// Densities of the width with the highest pooled W and of its neighbours, with the normal density of the
/// same mean and sd beside the first.
Figure peak_figure(const Rows& rows, const std::string& where) {
  constexpr int kPoints = 300;
  std::size_t best = rows.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double w = rows[i].pooled.w;
    if (std::isfinite(w) && (best == rows.size() || w > rows[best].pooled.w)) best = i;
  }
  if (best == rows.size()) return {};
  const std::size_t first = best > 0 ? best - 1 : 0, last = std::min(rows.size() - 1, best + 1);
  double top = 0;
  for (std::size_t i = first; i <= last; ++i)
    for (const double sd : rows[i].living_sds) top = std::max(top, sd);
  Panel panel{
      .title = fmt::format("Density of the living neurons' sds where the pooled W is highest, {}", where),
      .x = {.label = "sd of a neuron's output after ReLU, over the training set",
            .from = 0.0,
            .to = 1.02 * top},
      .y = {.label = "density", .from = 0.0},
      .legend = true,
      .legend_columns = 2};
  const char* const colours[] = {kSky, kBlue, kOrange};
  for (std::size_t i = first; i <= last; ++i) {
    const Density d = gaussian_density(rows[i].living_sds,
                                       {.from = 0, .to = 1.02 * top, .points = kPoints, .lower_bound = 0.0});
    panel.series.push_back({Mark::line,
                            fmt::format("width {}, pooled W {:.3f}{}", rows[i].width, rows[i].pooled.w,
                                        i == best ? ", the highest" : ""),
                            colours[i + 1 - best], d.x, d.y});
  }
  const Summary s = summarize(rows[best].living_sds);
  Series normal{
      Mark::dashed_line, fmt::format("normal with mean and sd of width {}", rows[best].width), kGrey, {}, {}};
  for (int k = 0; k < kPoints; ++k) {
    const double x = 1.02 * top * k / (kPoints - 1), z = (x - s.mean) / s.sd;
    normal.x.push_back(x);
    normal.y.push_back(std::exp(-z * z / 2) / (s.sd * std::sqrt(2 * M_PI)));
  }
  panel.series.push_back(normal);
  return {"neuron-sd-peak", {panel}, 760, 420};
}

Panel mixture_panel(const Rows& rows, std::string title, double LayerMetrics::*single,
                    double ours(const SpreadShape&), double journal(const SpreadShape&)) {
  Panel panel{.title = std::move(title),
              .x = width_axis(rows),
              .y = {.label = "weight", .from = 0.0},
              .series = {bars(rows, single, 1, "one model (mean ± sd), best of many starts", kBlue),
                         pooled(rows, ours, "seeds pooled, best of many starts", kVermillion),
                         pooled(rows, journal, "seeds pooled, the journal's single start", kGreen),
                         {Mark::dashed_line,
                          "the journal's limit, 0.025",
                          kGrey,
                          {static_cast<double>(rows.front().width), static_cast<double>(rows.back().width)},
                          {0.025, 0.025}}},
              .legend = true,
              .legend_columns = 2};
  panel.series[1].mark = Mark::line;
  double top = 0.05;
  for (Series& series : panel.series) {
    for (double& low : series.low) low = std::max(0.0, low);
    for (double& high : series.high) high = std::min(1.0, high);
    for (const double y : series.y) top = std::isfinite(y) ? std::max(top, y) : top;
    top = std::max(top, highest(series));
  }
  panel.y.to = 1.04 * top;
  return panel;
}

Figure mixtures_figure(const Rows& rows, const std::string& where) {
  Panel upper = mixture_panel(
      rows,
      fmt::format("Exponential and normal fitted to the living neurons' sds: weight of the exponential, {}",
                  where),
      &LayerMetrics::exp_normal, [](const SpreadShape& s) { return s.exp_normal.weight; },
      [](const SpreadShape& s) { return s.exp_normal.journal; });
  upper.x.label = "";
  const Panel lower = mixture_panel(
      rows, "Two gammas: weight of the one with the lower shape", &LayerMetrics::gamma_gamma,
      [](const SpreadShape& s) { return s.gamma_gamma.weight; },
      [](const SpreadShape& s) { return s.gamma_gamma.journal; });
  return {"mixtures", {upper, lower}, 760, 700};
}

/// Stretched to 0 .. 1 over the widths.
Series stretched(Series series) {
  double low = 1e300, high = -1e300;
  for (const double y : series.y)
    if (std::isfinite(y)) low = std::min(low, y), high = std::max(high, y);
  for (double& y : series.y) y = high > low ? (y - low) / (high - low) : 0.5;
  series.low.clear(), series.high.clear();
  series.mark = Mark::line;
  return series;
}

Series plain(Series series) {
  series.low.clear(), series.high.clear();
  series.mark = Mark::line;
  return series;
}

/// The journal's plot of everything: weights and shares as they are, accuracies and W stretched to 0 .. 1.
Panel metrics_panel(const Rows& rows, std::string title) {
  Panel panel{.title = std::move(title),
              .x = width_axis(rows),
              .y = {.label = "metric", .from = 0.0, .to = 1.02},
              .legend = true,
              .legend_columns = 2};
  panel.series = {
      stretched(bars(rows, &WidthRow::test_accuracy, 1, "test accuracy, stretched to 0..1", kBlack)),
      stretched(bars(rows, &WidthRow::train_accuracy, 1, "train accuracy, stretched to 0..1", kGrey)),
      stretched(bars(rows, &LayerMetrics::w, 1, "W, stretched to 0..1", kBlue)),
      plain(bars(rows, &LayerMetrics::exp_normal, 1, "weight of the exponential", kVermillion)),
      plain(bars(rows, &LayerMetrics::gamma_gamma, 1, "weight of the low-shape gamma", kOrange)),
      plain(bars(rows, &LayerMetrics::faint, 1, "share of sds < 1 % of the median", kGreen))};
  for (std::size_t i = 0; i < rows.size(); ++i) panel.series.back().y[i] /= rows[i].width;
  std::erase_if(panel.series, [](const Series& s) { return !has_values(s); });
  return panel;
}

Figure metrics_figure(const Rows& rows, const std::string& where) {
  return {"metrics",
          {metrics_panel(rows, fmt::format("All metrics, {} (means, {})", where, models_in_words(rows)))},
          760,
          480};
}

}  // namespace

std::vector<Figure> width_shape_figures(const Rows& rows, const std::string& where) {
  if (std::none_of(rows.begin(), rows.end(), [](const WidthRow& r) { return std::isfinite(r.pooled.w); }))
    return {};
  return {shapiro_figure(rows, where), accuracy_against_w(rows, where), peak_figure(rows, where),
          mixtures_figure(rows, where), metrics_figure(rows, where)};
}

}  // namespace shoal
