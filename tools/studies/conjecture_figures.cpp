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

/// Every model's value on noise, divided by its value on the real data.
std::vector<double> ratios(const ConjectureMetric& m, std::size_t d) {
  std::vector<double> out;
  for (std::size_t i = 0; i < m.values[0].size(); ++i) {
    const double ratio = m.values[d][i] / m.values[0][i];
    if (std::isfinite(ratio)) out.push_back(ratio);
  }
  return out;
}

Figure ratio_figure(const Conjecture& c, const std::string& data) {
  constexpr double kSmallest = 1.0 / 64, kLargest = 64;  // what is beyond stands at the edge
  std::vector<const ConjectureMetric*> shown;
  for (const ConjectureMetric& m : c.metrics) {
    const bool known = std::any_of(m.values.begin() + 1, m.values.end(), [&](const auto& v) {
      return !ratios(m, static_cast<std::size_t>(&v - m.values.data())).empty();
    });
    if (known) shown.push_back(&m);
  }
  Panel panel{
      .title = fmt::format("Metrics of {} layers of {} neurons: noise that they label themselves, beside {}",
                           c.data[0].accuracy.size(), c.width, data),
      .x = {.label = "value on noise / value on the real data (mean ± sd over models)",
            .from = 1.0,
            .to = 1.0,
            .log2 = true},
      .y = {.label = "", .from = -0.6, .to = static_cast<double>(shown.size()) - 0.4},
      .legend = true};
  for (std::size_t i = 0; i < shown.size(); ++i)
    panel.y.tics.emplace_back(static_cast<double>(shown.size() - 1 - i), shown[i]->words);
  double low = 0.5, high = 2;
  for (std::size_t d = 1; d < c.data.size(); ++d) {
    Series series{Mark::across, legend_of(c.data[d]), kColours[d], {}, {}};
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const Summary s = summarize(ratios(*shown[i], d));
      if (!std::isfinite(s.mean)) continue;
      const double sd = std::isfinite(s.sd) ? s.sd : 0.0, at = std::clamp(s.mean, kSmallest, kLargest);
      series.x.push_back(at);
      series.y.push_back(static_cast<double>(shown.size() - 1 - i) + (d == 1 ? 0.13 : -0.13));
      series.low.push_back(std::clamp(s.mean - sd, kSmallest, kLargest));
      series.high.push_back(std::clamp(s.mean + sd, kSmallest, kLargest));
      low = std::min(low, series.low.back()), high = std::max(high, series.high.back());
    }
    panel.series.push_back(std::move(series));
  }
  panel.x.from = low / 1.2, panel.x.to = high * 1.2;
  for (double t = kSmallest; t <= kLargest; t *= 2)
    if (t >= *panel.x.from && t <= *panel.x.to)
      panel.x.tics.emplace_back(t, t < 1 ? fmt::format("1/{:.0f}", 1 / t) : fmt::format("{:.0f}", t));
  const Series one{Mark::line, "", "#888888", {1, 1}, {-0.6, static_cast<double>(shown.size()) - 0.4}};
  panel.series.insert(panel.series.begin(), one);
  Figure figure{"conjecture", {panel}, 860, 130 + 26 * static_cast<int>(shown.size())};
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
