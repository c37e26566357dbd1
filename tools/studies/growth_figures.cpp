#include "tools/studies/growth_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/figures/colours.h"

namespace shoal {
namespace {

using Sets = std::span<const GrowthResults>;

const char* colour_of(const Arm& arm) {
  switch (arm.kind) {
    case ArmKind::fixed: return kBlack;
    case ArmKind::restart: return kGrey;
    case ArmKind::shrink: return kVermillion;
    case ArmKind::gate: return kPurple;
    case ArmKind::grow:
      return arm.how == Growth::silent ? kBlue : arm.how == Growth::split ? kGreen : kOrange;
  }
  return kBlack;
}

std::string_view group_of(const Arm& arm) {
  switch (arm.kind) {
    case ArmKind::fixed: return "one width";
    case ArmKind::restart: return "restarts alone";
    case ArmKind::shrink: return "shrinking";
    case ArmKind::gate: return "size gate";
    case ArmKind::grow:
      return arm.how == Growth::silent  ? "growing, silent"
             : arm.how == Growth::split ? "growing, split"
             : arm.how == Growth::twin  ? "growing, twins"
                                        : "growing, fresh";
  }
  return "";
}

/// Differences from the first arm, one arm a line, the first at the top; a series a colour.
Panel arms_panel(const GrowthResults& r, Score score, double factor, std::string label) {
  const auto s = static_cast<std::size_t>(score);
  const auto count = static_cast<double>(r.rows.size()) - 1;
  Panel panel{.title = r.where,
              .x = {.label = std::move(label)},
              .y = {.from = -0.6, .to = count - 0.4},
              .legend = false};
  double low = 0, high = 0;
  for (std::size_t i = 1; i < r.rows.size(); ++i) {
    const GrowthRow& row = r.rows[i];
    const double place = count - static_cast<double>(i);
    panel.y.tics.emplace_back(place, words_of(row.arm));
    const MeanInterval& d = row.against[s];
    if (!std::isfinite(d.mean)) continue;
    const std::string_view group = group_of(row.arm);
    auto at = std::ranges::find_if(panel.series, [&](const Series& known) { return known.name == group; });
    if (at == panel.series.end())
      at = panel.series.insert(at, {Mark::across, std::string(group), colour_of(row.arm), {}, {}});
    const bool known = std::isfinite(d.low);
    at->x.push_back(factor * d.mean), at->y.push_back(place);
    at->low.push_back(factor * (known ? d.low : d.mean));
    at->high.push_back(factor * (known ? d.high : d.mean));
    low = std::min(low, at->low.back()), high = std::max(high, at->high.back());
  }
  panel.series.push_back({Mark::dashed_line, "", kGrey, {0, 0}, {*panel.y.from, *panel.y.to}});
  if (low < high) panel.x.step = round_step(high - low, 6);
  return panel;
}

Figure arms_figure(Sets sets) {
  Figure f{"growth-arms", {}, sets.size() > 1 ? 1180 : 760, 900, static_cast<int>(sets.size()), 0.25};
  for (const GrowthResults& r : sets)
    f.panels.push_back(
        arms_panel(r, Score::test_accuracy, 100, "test accuracy, difference from the final width (points)"));
  for (const GrowthResults& r : sets)
    f.panels.push_back(arms_panel(r, Score::train_loss, 1, "training loss, difference from the final width"));
  return f;
}

struct Curve {
  std::string name;
  const char* colour;
  Mark mark;
};

Panel curves_panel(const GrowthResults& r, int legend_columns) {
  const std::vector<Curve> curves{{fmt::format("fixed-{}", r.spec.final), kBlack, Mark::line},
                                  {fmt::format("fixed-{}", r.spec.start), kBlack, Mark::dashed_line},
                                  {fmt::format("fixed-{}", r.spec.widest), kGrey, Mark::dashed_line},
                                  {"restart-even", kGrey, Mark::line},
                                  {"grow-silent-even", kBlue, Mark::line},
                                  {"grow-split-even", kGreen, Mark::line},
                                  {"grow-fresh-even", kOrange, Mark::line},
                                  {"shrink-even", kVermillion, Mark::line},
                                  {"gate-1", kPurple, Mark::line},
                                  {"gate-0.1", kPurple, Mark::dashed_line}};
  Panel panel{.title = fmt::format("{}: means over seeds", r.where),
              .x = {.label = "cost (neuron-epochs)"},
              .y = {.label = "test loss", .log10 = true},
              .legend = true,
              .legend_columns = legend_columns};
  double low = 1e300, high = -1e300;
  for (const Curve& curve : curves) {
    const ArmOutcomes* arm = find_arm(r.arms, curve.name);
    if (!arm) continue;
    Series s{curve.mark, words_of(arm->arm), curve.colour, {}, {}};
    for (const CurveRow& row : curve_of(*arm)) {
      s.x.push_back(row.cost), s.y.push_back(row.test_loss.mean);
      low = std::min(low, row.test_loss.mean), high = std::max(high, row.test_loss.mean);
    }
    panel.series.push_back(std::move(s));
  }
  if (!(low > 0 && low < high)) return panel;
  panel.y.from = low / 1.05, panel.y.to = high * 1.05;
  for (double decade = std::pow(10.0, std::floor(std::log10(low))); decade < high; decade *= 10)
    for (const double step : {1.0, 1.5, 2.0, 3.0, 5.0, 7.0})
      if (const double at = step * decade; at >= *panel.y.from && at <= *panel.y.to)
        panel.y.tics.emplace_back(at, fmt::format("{:.3g}", at));
  return panel;
}

/// Gain against a signal, a colour a width.
Panel when_panel(const GrowthResults& r, Signal signal, std::string label, bool legend) {
  Panel panel{
      .title = legend ? fmt::format("{}: n neurons doubled; a ring a network and moment", r.where) : "",
      .x = {.label = std::move(label), .log10 = signal != Signal::gate},
      .y = {.label = fmt::format("gain in training loss after {} epochs", r.spec.horizon)},
      .legend = legend,
      .legend_columns = 3};
  const std::vector<int> widths = growing_widths(r.spec);
  double low = 1e300, high = -1e300, least = 0, most = 0;
  for (std::size_t w = 0; w < widths.size(); ++w) {
    const double t =
        widths.size() < 2 ? 0.4 : 0.85 * static_cast<double>(w) / static_cast<double>(widths.size() - 1);
    Series s{Mark::rings, fmt::format("n = {}", widths[w]), viridis(t), {}, {}};
    for (const Moment& m : r.moments) {
      const double x = value_of(m, signal);
      if (m.width != widths[w] || (signal != Signal::gate && !(x > 0))) continue;
      const double gain = m.train_gain.back();
      s.x.push_back(x), s.y.push_back(gain);
      low = std::min(low, x), high = std::max(high, x);
      least = std::min(least, gain), most = std::max(most, gain);
    }
    panel.series.push_back(std::move(s));
  }
  panel.y.from = least - 0.05 * (most - least), panel.y.to = most + 0.05 * (most - least);
  if (!(least < most)) panel.y.from = -1, panel.y.to = 1;
  if (low < high) panel.series.push_back({Mark::dashed_line, "", kGrey, {low, high}, {0, 0}});
  return panel;
}

Figure when_figure(Sets sets) {
  Figure f{"growth-when", {}, sets.size() > 1 ? 1180 : 760, 900, static_cast<int>(sets.size())};
  for (const GrowthResults& r : sets)
    f.panels.push_back(when_panel(r, Signal::silent, "gradient of silent candidates, |dL/dv|", true));
  for (const GrowthResults& r : sets)
    f.panels.push_back(when_panel(r, Signal::gate, "the size gate's -dL/dx0 at the edge", false));
  for (std::size_t i = 0; i < sets.size(); ++i) f.panels[i].height = 1.15;
  return f;
}

}  // namespace

std::vector<Figure> growth_figures(Sets sets) {
  if (sets.empty()) return {};
  for (const GrowthResults& r : sets)
    if (r.rows.size() != sets[0].rows.size() || r.rows.empty()) return {};
  std::vector<Figure> figures{arms_figure(sets)};
  Figure curves{"growth-curves", {}, sets.size() > 1 ? 1180 : 760, 560, static_cast<int>(sets.size())};
  for (const GrowthResults& r : sets) curves.panels.push_back(curves_panel(r, sets.size() > 1 ? 2 : 3));
  figures.push_back(std::move(curves));
  if (std::ranges::none_of(sets, [](const GrowthResults& r) { return r.moments.empty(); }))
    figures.push_back(when_figure(sets));
  return figures;
}

}  // namespace shoal
