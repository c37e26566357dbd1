#include "tools/studies/width_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "analysis/density.h"
#include "tools/figures/colours.h"
#include "tools/studies/width_fits.h"

namespace shoal {
namespace {

using Rows = std::vector<WidthRow>;

/// "11 models a width", or the range when models diverged or widths were given more seeds.
std::string models_in_words(const Rows& rows) {
  const auto [least, most] = std::minmax_element(
      rows.begin(), rows.end(), [](const WidthRow& a, const WidthRow& b) { return a.models < b.models; });
  if (least->models == most->models) return fmt::format("n = {} models a width", least->models);
  return fmt::format("n = {} to {} models a width", least->models, most->models);
}

/// Width on a logarithmic axis, labelled with the widths themselves; every second one when they are many.
Axis width_axis(const Rows& rows) {
  constexpr std::size_t kMostLabels = 14;
  Axis axis{.label = "hidden neurons",
            .from = rows.front().width / std::sqrt(std::sqrt(2.0)),
            .to = rows.back().width * std::sqrt(std::sqrt(2.0)),
            .log2 = true};
  const std::size_t step = (rows.size() + kMostLabels - 1) / kMostLabels;
  for (std::size_t i = 0; i < rows.size(); i += step) {
    axis.tics.emplace_back(rows[i].width, std::to_string(rows[i].width));
  }
  return axis;
}

/// Mean with bars of one sd over the seeds.
Series bars(const Rows& rows, const Summary WidthRow::*column, double scale, std::string name,
            std::string colour) {
  Series series{Mark::error_bars, std::move(name), std::move(colour), {}, {}};
  for (const WidthRow& row : rows) {
    const Summary& s = row.*column;
    const double sd = std::isfinite(s.sd) ? s.sd : 0.0;
    series.x.push_back(row.width);
    series.y.push_back(scale * s.mean);
    series.low.push_back(scale * (s.mean - sd));
    series.high.push_back(scale * (s.mean + sd));
  }
  return series;
}

/// Of a metric of the models.
Series bars(const Rows& rows, double LayerMetrics::*metric, double scale, std::string name,
            std::string colour) {
  Series series{Mark::error_bars, std::move(name), std::move(colour), {}, {}};
  for (const WidthRow& row : rows) {
    const Summary s = summary_of(row, metric);
    const double sd = std::isfinite(s.sd) ? s.sd : 0.0;
    series.x.push_back(row.width);
    series.y.push_back(scale * s.mean);
    series.low.push_back(scale * (s.mean - sd));
    series.high.push_back(scale * (s.mean + sd));
  }
  return series;
}

/// One value a width, from the pooled sample.
Series pooled(const Rows& rows, double value(const SpreadShape&), std::string name, const char* colour) {
  Series series{Mark::dashed_line, std::move(name), colour, {}, {}};
  for (const WidthRow& row : rows) {
    series.x.push_back(row.width);
    series.y.push_back(value(row.pooled));
  }
  return series;
}

bool has_values(const Series& series) {
  return std::any_of(series.y.begin(), series.y.end(), [](double y) { return std::isfinite(y); });
}

/// Beside the others of its panel, so that bars do not hide one another; `place` counts from the middle.
Series beside(Series series, double place) {
  for (double& x : series.x) x *= std::exp2(0.06 * place);
  return series;
}

/// A ring round the highest value of a series.
Series ring_at_highest(const Series& of, const char* name) {
  Series ring{Mark::rings, name, kBlack, {}, {}};
  std::size_t best = of.y.size();
  for (std::size_t i = 0; i < of.y.size(); ++i)
    if (std::isfinite(of.y[i]) && (best == of.y.size() || of.y[i] > of.y[best])) best = i;
  if (best < of.y.size()) ring.x = {of.x[best]}, ring.y = {of.y[best]};
  return ring;
}

double highest(const Series& series) {
  double top = 0;
  for (const double y : series.high) top = std::isfinite(y) ? std::max(top, y) : top;
  return top;
}

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
/// and the same scale.
Figure density_figure(const Rows& rows, const std::string& where) {
  constexpr int kPoints = 300;
  constexpr double kTallest = 2.2;    // in distances between lines
  constexpr double kVisible = 0.006;  // of the tallest; what is flatter is not drawn
  double top = 0;
  for (const WidthRow& row : rows) {
    for (const double sd : row.living_sds) top = std::max(top, sd);
  }
  std::vector<Density> densities;
  double tallest = 0;
  for (const WidthRow& row : rows) {
    densities.push_back(gaussian_density(
        row.living_sds, {.from = 0, .to = 1.04 * top, .points = kPoints, .lower_bound = 0.0}));
    for (const double y : densities.back().y) tallest = std::max(tallest, y);
  }
  Panel panel;
  panel.title =
      fmt::format("Density of the neurons' sds without dead neurons, {} ({})", where, models_in_words(rows));
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
      if (densities[i].y[k] < kVisible * tallest) continue;
      ridge.x.push_back(densities[i].x[k]);
      panel.x.to = std::max(*panel.x.to, densities[i].x[k]);
      ridge.y.push_back(line + kTallest * densities[i].y[k] / tallest);
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

double pooled_w(const SpreadShape& s) { return s.w; }

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
  for (std::size_t i = 0; i < 2; ++i) w.series.push_back(ring_at_highest(w.series[i], ""));
  Panel accuracy{.title = "Test accuracy (mean ± sd); rings: the highest",
                 .x = width_axis(rows),
                 .y = {.label = "test accuracy (%)"},
                 .series = {bars(rows, &WidthRow::test_accuracy, 100, "", kGreen)}};
  accuracy.series.push_back(ring_at_highest(accuracy.series[0], ""));
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

/// Panels of one row get one vertical axis, so that they can be compared.
void share_axis(Figure& figure, std::size_t row) {
  const auto columns = static_cast<std::size_t>(figure.columns);
  double low = 1e300, high = -1e300;
  for (std::size_t c = 0; c < columns; ++c)
    for (const Series& s : figure.panels[row * columns + c].series)
      for (std::size_t i = 0; i < s.y.size(); ++i)
        for (const double y :
             {s.y[i], s.low.empty() ? s.y[i] : s.low[i], s.high.empty() ? s.y[i] : s.high[i]})
          if (std::isfinite(y)) low = std::min(low, y), high = std::max(high, y);
  if (!(high > low)) return;
  for (std::size_t c = 0; c < columns; ++c) {
    Axis& y = figure.panels[row * columns + c].y;
    const double room = 0.04 * (high - low);
    if (!y.from) y.from = low - room;
    if (!y.to) y.to = high + room;
  }
}

std::vector<WidthRow> with_models(const Rows& rows) {
  Rows kept;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(kept),
               [](const WidthRow& r) { return r.models > 0; });
  return kept;
}

bool has_shapes(const Rows& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const WidthRow& r) { return std::isfinite(r.pooled.w); });
}

}  // namespace

std::vector<Figure> width_figures(const Rows& all, const std::string& where) {
  if (all.empty()) return {};
  const Rows rows = with_models(all).empty() ? all : with_models(all);
  std::vector<Figure> figures{accuracy_figure(rows, where), density_figure(rows, where),
                              sum_figure(rows, where), dead_figure(rows, where)};
  if (!has_shapes(rows)) return figures;
  for (Figure& figure : std::vector<Figure>{shapiro_figure(rows, where), accuracy_against_w(rows, where),
                                            peak_figure(rows, where), mixtures_figure(rows, where),
                                            metrics_figure(rows, where)})
    if (!figure.panels.empty()) figures.push_back(std::move(figure));
  return figures;
}

std::vector<Figure> beside_figures(std::span<const NamedFigureRows> sets) {
  Figure figure{"side-by-side", {}, 1040, 1180, static_cast<int>(sets.size())};
  std::vector<std::vector<Panel>> columns;
  for (const NamedFigureRows& set : sets) {
    const Rows rows = with_models(set.rows);
    if (rows.empty()) return {};
    std::vector<Panel> panels(4);
    panels[0] = {.title = fmt::format("{}: accuracy", set.where),
                 .x = width_axis(rows),
                 .y = {.label = "accuracy (%)"},
                 .series = {bars(rows, &WidthRow::train_accuracy, 100, "training set", kBlue),
                            bars(rows, &WidthRow::test_accuracy, 100, "test set", kVermillion)},
                 .legend = true};
    panels[1] = {.title = "W of the neurons' sds",
                 .x = width_axis(rows),
                 .y = {.label = "W"},
                 .series = {bars(rows, &LayerMetrics::w, 1, "one model", kBlue),
                            pooled(rows, pooled_w, "seeds pooled", kVermillion)},
                 .legend = true};
    panels[1].series.push_back(ring_at_highest(panels[1].series[0], ""));
    panels[2] = {.title = "Weights of the mixtures",
                 .x = width_axis(rows),
                 .y = {.label = "weight", .from = 0.0, .to = 1.0},
                 .series = {bars(rows, &LayerMetrics::exp_normal, 1, "exponential", kVermillion),
                            bars(rows, &LayerMetrics::gamma_gamma, 1, "low-shape gamma", kOrange)},
                 .legend = true};
    panels[3] = {.title = "Sum of the neurons' sds",
                 .x = width_axis(rows),
                 .y = {.label = "sum of sds", .from = 0.0},
                 .series = {bars(rows, &WidthRow::sum_sd, 1, "", kBlue)}};
    for (std::size_t i = 0; i < 3; ++i) panels[i].x.label = "";
    columns.push_back(std::move(panels));
  }
  for (std::vector<Panel>& column : columns)
    for (Panel& panel : column) std::erase_if(panel.series, [](const Series& s) { return !has_values(s); });
  for (std::size_t row = 0; row < 4; ++row) {
    // A row that is empty somewhere (narrow layers have no shapes) is left out.
    if (std::any_of(columns.begin(), columns.end(), [&](const auto& c) { return c[row].series.empty(); }))
      continue;
    for (const std::vector<Panel>& column : columns) figure.panels.push_back(column[row]);
    share_axis(figure, figure.panels.size() / sets.size() - 1);
  }
  return {figure};
}

}  // namespace shoal
