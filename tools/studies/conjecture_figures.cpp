#include "tools/studies/conjecture_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/density.h"
#include "analysis/summary.h"
#include "tools/figures/colours.h"

namespace shoal {
namespace {

constexpr const char* kColours[] = {kBlack, kVermillion, kBlue};

std::string legend_of(const ConjectureData& d) {
  return d.name == "real" ? "real data" : d.name == "uniform" ? "uniform noise" : "independent pixels";
}

/// Mean over the models of a metric on data set d, divided by its mean on the real data; bars: one sd.
struct Relative {
  double mean, low, high;
};
Relative relative(const ConjectureMetric& m, std::size_t d) {
  const double real = summarize(m.values[0]).mean;
  const Summary s = summarize(m.values[d]);
  const double sd = std::isfinite(s.sd) ? s.sd : 0.0;
  return {s.mean / real, (s.mean - sd) / real, (s.mean + sd) / real};
}

/// 1/16, 1/8, ... 16 of the numbers between two.
std::vector<std::pair<double, std::string>> powers_of_two(double from, double to) {
  std::vector<std::pair<double, std::string>> tics;
  for (double t = 1.0 / 1024; t <= 1024; t *= 2)
    if (t >= from && t <= to)
      tics.emplace_back(t, t < 1 ? fmt::format("1/{:.0f}", 1 / t) : fmt::format("{:.0f}", t));
  return tics;
}

Figure ratio_figure(const Conjecture& c, const std::string& data) {
  constexpr double kSmallest = 1.0 / 16, kLargest = 64;  // what is beyond stands at the edge
  std::vector<const ConjectureMetric*> shown;
  for (const ConjectureMetric& m : c.metrics)
    if (std::isfinite(relative(m, 1).mean)) shown.push_back(&m);
  const auto lines = static_cast<double>(shown.size());
  Panel panel{
      .title = fmt::format("Metrics of {} layers of {} neurons: {}, and noise that they have labelled",
                           c.data[0].accuracy.size(), c.width, data),
      .x = {.label = "value / mean on the real data (mean ± sd over models)", .log2 = true},
      .y = {.label = "", .from = -0.6, .to = lines - 0.4},
      .legend = true,
      .legend_columns = 3};
  for (std::size_t i = 0; i < shown.size(); ++i)
    panel.y.tics.emplace_back(lines - 1 - static_cast<double>(i), shown[i]->words);
  double low = 0.5, high = 2;
  for (std::size_t d = 0; d < c.data.size(); ++d) {
    Series series{Mark::across, legend_of(c.data[d]), kColours[d], {}, {}};
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const Relative r = relative(*shown[i], d);
      if (!std::isfinite(r.mean)) continue;
      series.x.push_back(std::clamp(r.mean, kSmallest, kLargest));
      series.y.push_back(lines - 1 - static_cast<double>(i) + 0.22 * (1.0 - static_cast<double>(d)));
      series.low.push_back(std::clamp(r.low, kSmallest, kLargest));
      series.high.push_back(std::clamp(r.high, kSmallest, kLargest));
      low = std::min(low, series.low.back()), high = std::max(high, series.high.back());
    }
    panel.series.push_back(std::move(series));
  }
  panel.x.from = low / 1.2, panel.x.to = high * 1.2;
  panel.x.tics = powers_of_two(*panel.x.from, *panel.x.to);
  const Series one{Mark::line, "", "#bbbbbb", {1, 1}, {-0.6, lines - 0.4}};
  panel.series.insert(panel.series.begin(), one);
  Figure figure{"conjecture", {panel}, 860, 130 + 30 * static_cast<int>(shown.size())};
  figure.left = 0.36;
  return figure;
}

Figure density_figure(const Conjecture& c, const std::string& data) {
  double top = 0;
  for (const ConjectureData& d : c.data)
    for (const double sd : d.sds) top = std::max(top, sd);
  Panel panel{
      .title = fmt::format("Density of the living neurons' sds, {} layers of {} neurons trained on {}",
                           c.data[0].accuracy.size(), c.width, data),
      .x = {.label = "sd of a neuron's output after ReLU", .from = 0.0, .to = 1.05 * top},
      .y = {.label = "density", .from = 0.0},
      .legend = true,
      .legend_columns = 3};
  for (std::size_t d = 0; d < c.data.size(); ++d) {
    const Density density =
        gaussian_density(c.data[d].sds, {.from = 0, .to = 1.05 * top, .points = 300, .lower_bound = 0.0});
    if (!density.y.empty())
      panel.series.push_back({Mark::line, legend_of(c.data[d]), kColours[d], density.x, density.y});
  }
  return {"conjecture-sd", {panel}, 760, 400};
}

}  // namespace

std::vector<Figure> conjecture_figures(const Conjecture& c, const std::string& data) {
  std::vector<Figure> figures{ratio_figure(c, data)};
  Figure densities = density_figure(c, data);
  if (!densities.panels[0].series.empty()) figures.push_back(std::move(densities));
  return figures;
}

}  // namespace shoal
