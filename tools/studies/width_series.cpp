#include "tools/studies/width_series.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "tools/figures/colours.h"

namespace shoal {
namespace {

using Rows = std::vector<WidthRow>;

template <class Value>
Series bars_of(const Rows& rows, Value&& value, double scale, std::string name, std::string colour) {
  Series series{Mark::error_bars, std::move(name), std::move(colour), {}, {}};
  for (const WidthRow& row : rows) {
    const Summary s = value(row);
    const double sd = std::isfinite(s.sd) ? s.sd : 0.0;
    series.x.push_back(row.width);
    series.y.push_back(scale * s.mean);
    series.low.push_back(scale * (s.mean - sd));
    series.high.push_back(scale * (s.mean + sd));
  }
  return series;
}

}  // namespace

std::string models_in_words(const Rows& rows) {
  const auto [least, most] = std::minmax_element(
      rows.begin(), rows.end(), [](const WidthRow& a, const WidthRow& b) { return a.models < b.models; });
  if (least->models == most->models) return fmt::format("n = {} models a width", least->models);
  return fmt::format("n = {} to {} models a width", least->models, most->models);
}

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

Series bars(const Rows& rows, const Summary WidthRow::*column, double scale, std::string name,
            std::string colour) {
  return bars_of(
      rows, [&](const WidthRow& row) { return row.*column; }, scale, std::move(name), std::move(colour));
}

Series bars(const Rows& rows, double LayerMetrics::*metric, double scale, std::string name,
            std::string colour) {
  return bars_of(
      rows, [&](const WidthRow& row) { return summary_of(row, metric); }, scale, std::move(name),
      std::move(colour));
}

Series pooled(const Rows& rows, double value(const SpreadShape&), std::string name, const char* colour) {
  Series series{Mark::dashed_line, std::move(name), colour, {}, {}};
  for (const WidthRow& row : rows) {
    series.x.push_back(row.width);
    series.y.push_back(value(row.pooled));
  }
  return series;
}

double pooled_w(const SpreadShape& s) { return s.w; }

bool has_values(const Series& series) {
  return std::any_of(series.y.begin(), series.y.end(), [](double y) { return std::isfinite(y); });
}

Series ring_at_highest(const Series& of) {
  Series ring{Mark::rings, "", kBlack, {}, {}};
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

std::vector<WidthRow> with_models(const Rows& rows) {
  Rows kept;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(kept),
               [](const WidthRow& r) { return r.models > 0; });
  return kept;
}

}  // namespace shoal
