#include "tools/studies/width_beside.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tools/figures/colours.h"
#include "tools/studies/width_series.h"

namespace shoal {
namespace {

using Rows = std::vector<WidthRow>;

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

}  // namespace

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
    panels[1].series.push_back(ring_at_highest(panels[1].series[0]));
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
