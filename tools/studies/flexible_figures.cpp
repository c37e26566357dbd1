#include "tools/studies/flexible_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tools/figures/colours.h"

namespace shoal {
namespace {

using Rows = std::vector<FlexibleRow>;

/// The models of the bug are another matter than those that start where they were asked to.
Rows asked_starts(const FlexibleSpec& s, const Rows& rows, double l2) {
  Rows line = by_start(rows, s.start_penalty, l2);
  std::erase_if(line, [](const FlexibleRow& r) { return r.start == kIgnoredStart; });
  return line;
}

struct Arm {
  double l2;
  const char* colour;
  std::string name;
};

std::vector<Arm> arms_of(const FlexibleSpec& s) {
  return {{s.l2, kBlue, fmt::format("L2 {}", s.l2)}, {0.0, kVermillion, "without L2"}};
}

void add_point(Series& series, double x, const Summary& y, double scale) {
  const double sd = std::isfinite(y.sd) ? y.sd : 0.0;
  series.x.push_back(x), series.y.push_back(scale * y.mean);
  series.low.push_back(scale * (y.mean - sd)), series.high.push_back(scale * (y.mean + sd));
}

Series bars(const Rows& rows, double FlexibleRow::*x, Summary FlexibleRow::*y, double scale, const Arm& arm) {
  Series series{Mark::error_bars, arm.name, arm.colour, {}, {}};
  for (const FlexibleRow& r : rows) add_point(series, r.*x, r.*y, scale);
  return series;
}

Figure start_figure(const FlexibleSpec& s, const Rows& rows, const std::string& where) {
  const auto most = static_cast<double>(s.neurons);
  Panel size{
      .title = fmt::format("Where x0 ends, {}: {} neurons, lambda {}", where, s.neurons, s.start_penalty),
      .x = {.label = "", .from = -0.03 * most, .to = 1.03 * most},
      .y = {.label = "final x0"},
      .legend = true,
      .legend_columns = 3};
  Panel accuracy{.title = "Test accuracy",
                 .x = {.label = "x0 at the start", .from = -0.03 * most, .to = 1.03 * most},
                 .y = {.label = "accuracy (%)"}};
  size.series.push_back({Mark::dashed_line, "where it started", kGrey, {0, most}, {0, most}});
  for (const Arm& arm : arms_of(s)) {
    const Rows line = asked_starts(s, rows, arm.l2);
    size.series.push_back(bars(line, &FlexibleRow::start, &FlexibleRow::size, 1, arm));
    accuracy.series.push_back(bars(line, &FlexibleRow::start, &FlexibleRow::test_accuracy, 100, arm));
    accuracy.series.back().name.clear();
  }
  return {"flexible-start", {size, accuracy}, 760, 720};
}

/// "10⁻⁵" at whole decades.
Axis lambda_axis(const Rows& rows, std::string label) {
  static constexpr const char* kPowers[] = {"1",    "10⁻¹", "10⁻²", "10⁻³", "10⁻⁴",
                                            "10⁻⁵", "10⁻⁶", "10⁻⁷", "10⁻⁸"};
  Axis axis{.label = std::move(label), .log10 = true};
  if (rows.empty()) return axis;
  axis.from = rows.front().penalty / 1.5, axis.to = rows.back().penalty * 1.5;
  for (int e = 0; e < 9; ++e) axis.tics.emplace_back(std::pow(10.0, -e), kPowers[e]);
  return axis;
}

Figure penalty_figure(const FlexibleSpec& s, const Rows& rows, const std::string& where) {
  const Rows axis_rows = by_penalty(rows, s.neurons / 2.0, 0.0);
  Panel size{.title = fmt::format("Where x0 ends, {}: from x0 = {} of {}", where, s.neurons / 2.0, s.neurons),
             .x = lambda_axis(axis_rows, ""),
             .y = {.label = "final x0", .from = 0.0},
             .legend = true};
  Panel accuracy{.title = "Test accuracy",
                 .x = lambda_axis(axis_rows, "penalty lambda"),
                 .y = {.label = "accuracy (%)"}};
  for (const Arm& arm : arms_of(s)) {
    const Rows line = by_penalty(rows, s.neurons / 2.0, arm.l2);
    size.series.push_back(bars(line, &FlexibleRow::penalty, &FlexibleRow::size, 1, arm));
    accuracy.series.push_back(bars(line, &FlexibleRow::penalty, &FlexibleRow::test_accuracy, 100, arm));
    accuracy.series.back().name.clear();
  }
  return {"flexible-penalty", {size, accuracy}, 760, 720};
}

Figure frontier_figure(const FlexibleSpec& s, const Rows& rows, const std::string& where) {
  Panel panel{.title = fmt::format("Test accuracy against size, {}", where),
              .x = {.label = "neurons: width of a plain network, final x0 of a flexible layer (at most all)",
                    .log2 = true},
              .y = {.label = "accuracy (%)"},
              .legend = true,
              .legend_columns = 2};
  double least = 1e9, most = 1;
  for (const Arm& arm : arms_of(s)) {
    Series fixed{Mark::error_bars, "plain, " + arm.name, arm.colour, {}, {}},
        gated{Mark::points, "flexible, " + arm.name, arm.l2 > 0 ? kSky : kOrange, {}, {}};
    Rows plain;
    for (const FlexibleRow& r : rows)
      if (r.kind == FlexibleRow::Kind::fixed && r.l2 == arm.l2 && r.models > 0) plain.push_back(r);
    std::sort(plain.begin(), plain.end(), [](const auto& a, const auto& b) { return a.width < b.width; });
    for (const FlexibleRow& r : plain) {
      add_point(fixed, r.width, r.test_accuracy, 100);
      least = std::min(least, static_cast<double>(r.width)),
      most = std::max(most, static_cast<double>(r.width));
    }
    for (const FlexibleRow& r : by_penalty(rows, s.neurons / 2.0, arm.l2))
      if (open_neurons(r) > 1) add_point(gated, open_neurons(r), r.test_accuracy, 100);
    panel.series.push_back(std::move(fixed));
    panel.series.push_back(std::move(gated));
  }
  for (double w = 4; w <= 2 * most; w *= 2) panel.x.tics.emplace_back(w, fmt::format("{:.0f}", w));
  panel.x.from = least / 1.2, panel.x.to = most * 1.2;
  return {"flexible-frontier", {panel}, 760, 500};
}

/// x0 of every layer of networks of several, and of one from the nearest start.
Figure layers_figure(const FlexibleSpec& s, const Rows& rows, const std::string& where) {
  Panel panel{.title = fmt::format("Final x0 by layer, {}: from x0 = {:g} of {} in each, lambda {}", where,
                                   kDeepStart, s.neurons, s.start_penalty),
              .x = {.label = "hidden layer", .from = 0.5, .step = 1},
              .y = {.label = "final x0", .from = 0.0},
              .legend = true,
              .legend_columns = 2};
  for (const Arm& arm : arms_of(s)) {
    const Rows deep = by_depth(rows, arm.l2);
    for (std::size_t i = 0; i < deep.size(); ++i) {
      const std::string light = arm.l2 > 0 ? kSky : kOrange;
      Series series{Mark::error_bars,
                    fmt::format("{} layers, {}", deep[i].depth, arm.name),
                    i + 1 == deep.size() ? arm.colour : light,
                    {},
                    {}};
      for (std::size_t l = 0; l < deep[i].layer_sizes.size(); ++l)
        add_point(series, static_cast<double>(l + 1), deep[i].layer_sizes[l], 1);
      panel.x.to = std::max(panel.x.to.value_or(0), deep[i].depth + 0.5);
      panel.series.push_back(std::move(series));
    }
  }
  return {"flexible-layers", {panel}, 760, 440};
}

double epochs_step(const Rows& lines) {
  std::size_t epochs = 1;
  for (const FlexibleRow& r : lines) epochs = std::max(epochs, r.epoch_size.size());
  return std::max(1.0, round_step(static_cast<double>(epochs), 8));
}

Panel epochs_panel(const Rows& lines, std::string title, std::string label, bool legend) {
  Panel panel{.title = std::move(title),
              .x = {.label = std::move(label), .from = 0.0, .step = epochs_step(lines)},
              .y = {.label = "x0"},
              .legend = legend,
              .legend_columns = 4};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const double t =
        lines.size() < 2 ? 0.4 : 0.92 * static_cast<double>(i) / static_cast<double>(lines.size() - 1);
    Series series{
        Mark::line, legend ? fmt::format("{:.1e}", lines[i].penalty) : "", viridis(t), {0}, {lines[i].start}};
    for (std::size_t e = 0; e < lines[i].epoch_size.size(); ++e) {
      series.x.push_back(static_cast<double>(e + 1));
      series.y.push_back(lines[i].epoch_size[e].mean);
    }
    panel.series.push_back(std::move(series));
  }
  return panel;
}

Figure epochs_figure(const FlexibleSpec& s, const Rows& rows, const std::string& where) {
  return {"flexible-epochs",
          {epochs_panel(by_penalty(rows, s.neurons / 2.0, 0.0),
                        fmt::format("x0 during training, {}, without L2: by lambda", where), "", true),
           epochs_panel(asked_starts(s, rows, 0.0), fmt::format("By start, lambda {}", s.start_penalty),
                        "epoch", false)},
          760,
          760};
}

}  // namespace

std::vector<Figure> flexible_figures(const FlexibleSpec& s, const Rows& rows, const std::string& where) {
  std::vector<Figure> figures{start_figure(s, rows, where), penalty_figure(s, rows, where),
                              frontier_figure(s, rows, where), epochs_figure(s, rows, where),
                              layers_figure(s, rows, where)};
  std::erase_if(figures, [](const Figure& f) {
    return std::any_of(f.panels.begin(), f.panels.end(), [](const Panel& p) {
      return std::all_of(p.series.begin(), p.series.end(), [](const Series& x) { return x.y.empty(); });
    });
  });
  return figures;
}

}  // namespace shoal
