#include "tools/studies/ordering_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/figures/colours.h"

namespace shoal {
namespace {

using Sets = std::span<const OrderingResults>;

std::string colour_of_width(const OrderingResults& r, std::size_t i) {
  return viridis(
      r.widths.size() < 2 ? 0.4 : 0.85 * static_cast<double>(i) / static_cast<double>(r.widths.size() - 1));
}

/// The proxies from bottom to top: as the widest networks of the first data set rank them.
std::vector<Measure> ranked_proxies(const OrderingResults& r) {
  std::vector<std::pair<double, Measure>> found;
  for (const Agreement& a : r.agreements)
    if (a.width == r.widths.back())
      found.emplace_back(std::isfinite(a.spearman.estimate) ? a.spearman.estimate : -2.0, a.proxy);
  std::ranges::stable_sort(found, {}, &std::pair<double, Measure>::first);
  std::vector<Measure> proxies;
  for (const auto& [rho, proxy] : found) proxies.push_back(proxy);
  return proxies;
}

Panel proxies_panel(const OrderingResults& r, const std::vector<Measure>& proxies, bool first) {
  const int networks = r.agreements.empty() ? 0 : r.agreements.front().models;
  Panel panel{
      .title = fmt::format("{}: {} network{} of each width", r.where, networks, networks == 1 ? "" : "s"),
      .x = {.label = "Spearman's correlation with the exact rise", .to = 1.05},
      .y = {.from = -0.6, .to = static_cast<double>(proxies.size()) - 0.4},
      .legend = true,
      .legend_columns = 4};
  double low = 0.0;
  for (std::size_t w = 0; w < r.widths.size(); ++w) {
    Series s{Mark::across, fmt::format("n = {}", r.widths[w]), colour_of_width(r, w), {}, {}};
    const double shift = 0.5 * (static_cast<double>(w) + 0.5) / static_cast<double>(r.widths.size()) - 0.25;
    for (std::size_t p = 0; p < proxies.size(); ++p)
      for (const Agreement& a : r.agreements) {
        if (a.width != r.widths[w] || a.proxy != proxies[p]) continue;
        const Interval i = std::isfinite(a.spearman.bca.low) ? a.spearman.bca : a.spearman.percentile;
        s.x.push_back(a.spearman.estimate), s.y.push_back(static_cast<double>(p) - shift);
        s.low.push_back(i.low), s.high.push_back(i.high);
        if (i.low < low) low = i.low;
      }
    panel.series.push_back(std::move(s));
  }
  panel.x.from = std::max(-1.05, low - 0.05);
  panel.series.push_back({Mark::dashed_line, "", kGrey, {0, 0}, {*panel.y.from, *panel.y.to}});
  for (std::size_t p = 0; p < proxies.size(); ++p)
    panel.y.tics.emplace_back(static_cast<double>(p), first ? std::string(words_of(proxies[p])) : "");
  return panel;
}

Figure proxies_figure(Sets sets) {
  Figure f{"ordering-proxies", {}, sets.size() > 1 ? 1180 : 760, 560, static_cast<int>(sets.size()), 0.3};
  const std::vector<Measure> proxies = ranked_proxies(sets[0]);
  for (const OrderingResults& r : sets) f.panels.push_back(proxies_panel(r, proxies, true));
  return f;
}

struct Line {
  Measure measure;
  const char* colour;
  Mark mark;
};
constexpr Line kLines[] = {
    {Measure::exact, kBlack, Mark::error_bars},         {Measure::taylor2, kVermillion, Mark::error_bars},
    {Measure::fisher, kOrange, Mark::error_bars},       {Measure::sd, kBlue, Mark::error_bars},
    {Measure::l2_in, kSky, Mark::error_bars},           {Measure::l2_out, kGreen, Mark::error_bars},
    {Measure::gate_gradient, kPurple, Mark::error_bars}};

/// Shares against the epoch at which a movement begins (to the last checkpoint) or ends (to the next one).
Panel stability_panel(const OrderingResults& r, bool to_last, bool legend) {
  const int width = r.widths.back(), last = r.epochs.back();
  Panel panel{.title = to_last ? fmt::format("{}, n = {}: of the first quarter, still in it in the end",
                                             r.where, width)
                               : "Mean change of rank since the checkpoint before",
              .x = {.label = to_last ? "" : "epochs trained"},
              .y = {.label = to_last ? "share (%)" : "share of the width (%)", .from = 0.0},
              .legend = legend,
              .legend_columns = 2};
  if (to_last) panel.y.to = 103.0;
  for (const Line& line : kLines) {
    Series s{line.mark, std::string(words_of(line.measure)), line.colour, {}, {}};
    for (std::size_t i = 0; i + 1 < r.epochs.size(); ++i)
      for (const Movement& m : r.movements) {
        const int from = r.epochs[i], to = to_last ? last : r.epochs[i + 1];
        if (m.width != width || m.measure != line.measure || m.from != from || m.to != to) continue;
        const Summary& v = to_last ? m.overlap : m.moved;
        const double error = std::isfinite(v.standard_error) ? v.standard_error : 0.0;
        s.x.push_back(to_last ? from : to), s.y.push_back(100 * v.mean);
        s.low.push_back(100 * (v.mean - error)), s.high.push_back(100 * (v.mean + error));
      }
    panel.series.push_back(std::move(s));
  }
  const double random = to_last ? 25.0 : 100.0 / 3.0;
  panel.series.push_back({Mark::dashed_line,
                          "by chance",
                          kGrey,
                          {static_cast<double>(r.epochs.front()), static_cast<double>(last)},
                          {random, random}});
  panel.x.from = r.epochs.front() - 0.02 * last, panel.x.to = 1.02 * last;
  for (const int e : r.epochs)
    if (e == last || e + 0.04 * last < last) panel.x.tics.emplace_back(e, fmt::format("{}", e));
  return panel;
}

Figure stability_figure(Sets sets) {
  Figure f{"ordering-stability", {}, sets.size() > 1 ? 1180 : 760, 800, static_cast<int>(sets.size())};
  for (const OrderingResults& r : sets) f.panels.push_back(stability_panel(r, true, true));
  for (const OrderingResults& r : sets) f.panels.push_back(stability_panel(r, false, false));
  for (std::size_t i = 0; i < sets.size(); ++i) f.panels[i].height = 1.3;
  return f;
}

struct Curve {
  Pruning by;
  const char* colour;
  Mark mark;
};
constexpr Curve kCurves[] = {{Pruning::greedy, kPurple, Mark::error_bars},
                             {Pruning::exact, kBlack, Mark::error_bars},
                             {Pruning::taylor2, kVermillion, Mark::error_bars},
                             {Pruning::fisher, kOrange, Mark::error_bars},
                             {Pruning::sd, kBlue, Mark::error_bars},
                             {Pruning::l2_in, kSky, Mark::error_bars},
                             {Pruning::l2_out, kGreen, Mark::error_bars},
                             {Pruning::random, kGrey, Mark::error_bars}};

Panel pruning_panel(const OrderingResults& r, int width, bool legend, bool bottom) {
  Panel panel{.title = fmt::format("{}: n = {}", r.where, width),
              .x = {.label = bottom ? "neurons kept" : "", .from = 0.9, .to = 1.1 * width, .log2 = true},
              .y = {.label = "test accuracy (%)", .from = 0.0, .to = 103.0, .step = 20},
              .legend = legend,
              .legend_columns = 2};
  for (const Curve& c : kCurves) {
    Series s{c.mark, std::string(words_of(c.by)), c.colour, {}, {}};
    for (const PrunedScore& p : r.pruned) {
      if (p.width != width || p.by != c.by) continue;
      const double error = std::isfinite(p.accuracy.sd) ? p.accuracy.sd : 0.0;
      s.x.push_back(p.kept), s.y.push_back(100 * p.accuracy.mean);
      s.low.push_back(100 * (p.accuracy.mean - error)), s.high.push_back(100 * (p.accuracy.mean + error));
    }
    panel.series.push_back(std::move(s));
  }
  for (int k = 1; k <= width; k *= 4) panel.x.tics.emplace_back(k, fmt::format("{}", k));
  return panel;
}

Figure pruning_figure(Sets sets) {
  Figure f{"ordering-pruning", {}, sets.size() > 1 ? 1180 : 760, 0, static_cast<int>(sets.size())};
  const std::vector<int>& widths = sets[0].widths;
  std::vector<int> shown{widths.back()};
  if (widths.size() > 1) shown.insert(shown.begin(), widths.front());
  for (std::size_t i = 0; i < shown.size(); ++i)
    for (const OrderingResults& r : sets) {
      f.panels.push_back(pruning_panel(r, shown[i], i == 0, i + 1 == shown.size()));
      f.panels.back().height = i == 0 ? 1.25 : 1.0;
    }
  f.height = shown.size() > 1 ? 860 : 520;
  return f;
}

}  // namespace

std::vector<Figure> ordering_figures(Sets sets) {
  for (const OrderingResults& r : sets)
    if (r.widths.empty() || r.widths != sets[0].widths || r.epochs != sets[0].epochs) return {};
  std::vector<Figure> figures{proxies_figure(sets)};
  if (sets[0].epochs.size() > 1) figures.push_back(stability_figure(sets));
  if (!sets[0].pruned.empty()) figures.push_back(pruning_figure(sets));
  return figures;
}

}  // namespace shoal
