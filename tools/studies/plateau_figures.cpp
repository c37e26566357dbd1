#include "tools/studies/plateau_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/figures/colours.h"

namespace shoal {
namespace {

using Rows = std::span<const PlateauRow>;

const char* colour_of(const PlateauRow& r, Rows rows) {
  if (r.decay == Decay::none) return kBlack;
  const bool strongest = std::ranges::none_of(
      rows, [&](const PlateauRow& other) { return other.decay == r.decay && other.strength > r.strength; });
  if (r.decay == Decay::coupled) return strongest ? kVermillion : kOrange;
  return strongest ? kBlue : kSky;
}

/// Outgoing weights of one setting with their spread over the seeds, and its gate. The journal looked at one
/// model; the mean of gates that stand at different x0 is less steep than each of them.
Panel weights_panel(const PlateauRow& r, const char* colour, bool first, bool last) {
  Panel panel{.title = fmt::format("decay {}: x0 {:.0f}", name_of(r), r.size.mean),
              .x = {.label = last ? "neuron" : "", .from = 0.0, .to = static_cast<double>(r.outgoing.size())},
              .y = {.label = "outgoing |w|", .from = 0.0, .step = 2},
              .legend = first};
  Series weights{Mark::line, "sum of a neuron's |w|", colour, {}, {}},
      gate{Mark::dashed_line, "gate", kGreen, {}, {}};
  for (std::size_t i = 0; i < r.outgoing.size(); ++i) {
    const auto at = static_cast<double>(i);
    weights.x.push_back(at), weights.y.push_back(r.outgoing[i].mean);
    gate.x.push_back(at), gate.y.push_back(r.gate[i].mean);
  }
  panel.series = {std::move(weights), std::move(gate)};
  return panel;
}

Figure weights_figure(Rows rows, double start, const std::string& name, const std::string& where) {
  Figure figure{name, {}, 760, 0};
  std::vector<const PlateauRow*> shown;
  for (const PlateauRow& r : rows)
    if (r.start == start && r.models > 0) shown.push_back(&r);
  for (const PlateauRow* r : shown)
    figure.panels.push_back(weights_panel(*r, colour_of(*r, rows), r == shown.front(), r == shown.back()));
  if (!figure.panels.empty()) {
    Panel& top = figure.panels.front();
    top.title = fmt::format("Outgoing weights (1: mean before training), {}, from x0 = {:g}; {}", where,
                            start, top.title);
    top.height = 1.4;  // the legend stands above it
  }
  figure.height = 110 + 185 * static_cast<int>(shown.size());
  return figure;
}

Panel growth_panel(Rows rows, double start, const std::string& where, bool first, bool last) {
  Panel panel{.title = fmt::format("x0 during training{}, from {:g}", first ? ", " + where : "", start),
              .x = {.label = last ? "epoch" : "", .from = 0.0},
              .y = {.label = "x0"},
              .legend = first,
              .legend_columns = 3};
  for (const PlateauRow& r : rows) {
    if (r.start != start || r.models == 0) continue;
    Series series{Mark::error_bars, first ? name_of(r) : "", colour_of(r, rows), {0}, {start}, {start},
                  {start}};
    for (std::size_t e = 0; e < r.epoch_size.size(); ++e) {
      const double sd = std::isfinite(r.epoch_size[e].sd) ? r.epoch_size[e].sd : 0.0;
      series.x.push_back(static_cast<double>(e + 1)), series.y.push_back(r.epoch_size[e].mean);
      series.low.push_back(r.epoch_size[e].mean - sd), series.high.push_back(r.epoch_size[e].mean + sd);
    }
    panel.x.step = std::max(1.0, round_step(static_cast<double>(r.epoch_size.size()), 10));
    panel.series.push_back(std::move(series));
  }
  return panel;
}

}  // namespace

std::vector<Figure> plateau_figures(const PlateauSpec& s, Rows rows, const std::string& where) {
  std::vector<Figure> figures;
  Figure growth{"plateau-growth", {}, 760, 0};
  for (std::size_t i = 0; i < s.starts.size(); ++i) {
    const std::string name = i == 0 ? "plateau-weights" : fmt::format("plateau-weights-{:g}", s.starts[i]);
    figures.push_back(weights_figure(rows, s.starts[i], name, where));
    growth.panels.push_back(growth_panel(rows, s.starts[i], where, i == 0, i + 1 == s.starts.size()));
  }
  growth.height = 60 + 340 * static_cast<int>(growth.panels.size());
  figures.push_back(std::move(growth));
  std::erase_if(figures, [](const Figure& f) {
    return f.panels.empty() || std::ranges::all_of(f.panels, [](const Panel& p) { return p.series.empty(); });
  });
  return figures;
}

}  // namespace shoal
