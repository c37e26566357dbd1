#include "tools/studies/adam_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/summary.h"
#include "tools/figures/colours.h"

namespace shoal {
namespace {

/// Losses below it are drawn there.
constexpr double kLeastShown = 1e-10;

using Rows = std::span<const AdamRow>;

std::string words_of(const AdamRow& row) { return std::string(adam_variants()[row.variant].words); }

/// 1e-8, 1e-6, ...
std::vector<std::pair<double, std::string>> decades(double from, double to) {
  std::vector<std::pair<double, std::string>> tics;
  const int low = static_cast<int>(std::lround(std::log10(from))),
            high = static_cast<int>(std::lround(std::log10(to)));
  const int step = high - low > 4 ? 2 : 1;
  for (int i = low; i <= high; i += step)
    tics.emplace_back(std::pow(10.0, i), i == 0 ? "1" : i == 1 ? "10" : fmt::format("1e{}", i));
  return tics;
}

/// At most this many points a curve: more cannot be told apart in a panel, and swell the file.
constexpr std::size_t kMostPoints = 130;

/// Runs of epochs as one point each: the envelope of their bands, and the median of their medians.
struct Thinned {
  std::size_t step = 1;  // epochs a point
  std::vector<double> epoch;
  std::vector<Band> bands;
};
Thinned thinned(std::span<const Band> epochs) {
  Thinned t;
  t.step = std::max<std::size_t>(1, (epochs.size() + kMostPoints - 1) / kMostPoints);
  for (std::size_t first = 0; first < epochs.size(); first += t.step) {
    const std::span<const Band> run = epochs.subspan(first, std::min(t.step, epochs.size() - first));
    Band all = run.front();
    std::vector<double> medians;
    for (const Band& b : run) {
      all.min = std::min(all.min, b.min), all.q1 = std::min(all.q1, b.q1);
      all.max = std::max(all.max, b.max), all.q3 = std::max(all.q3, b.q3);
      medians.push_back(b.median);
    }
    all.median = quantile(sorted(medians), 0.5);
    t.epoch.push_back(static_cast<double>(first) + 0.5 * static_cast<double>(run.size() + 1));
    t.bands.push_back(all);
  }
  return t;
}

/// A panel a variant, all on one scale: smallest to largest loss over the models, quartiles, median.
Figure loss_figure(Rows rows, const std::string& where, const std::string& name) {
  Figure figure{name, {}, 900, 820, 3, 0.07};
  double top = 1e-8;
  std::size_t step = 1;
  for (const AdamRow& row : rows)
    for (const Band& b : row.loss) top = std::max(top, std::pow(10.0, std::ceil(std::log10(b.max))));
  for (const AdamRow& row : rows) {
    Series all{Mark::area, "smallest to largest", "#c6dbef", {}, {}},
        middle{Mark::area, "quartiles", "#6baed6", {}, {}}, median{Mark::line, "median", "#08306b", {}, {}};
    const Thinned curve = thinned(row.loss);
    step = curve.step;
    for (std::size_t e = 0; e < curve.bands.size(); ++e) {
      const Band& b = curve.bands[e];
      const auto shown = [](double loss) { return std::max(loss, kLeastShown); };
      for (Series* s : {&all, &middle, &median}) s->x.push_back(curve.epoch[e]);
      all.low.push_back(shown(b.min)), all.y.push_back(shown(b.max));
      middle.low.push_back(shown(b.q1)), middle.y.push_back(shown(b.q3));
      median.y.push_back(shown(b.median));
    }
    Panel panel{
        .title = words_of(row),
        .x = {.label = "epoch", .from = 0.0},
        .y = {.label = "", .from = kLeastShown, .to = top, .log10 = true, .tics = decades(kLeastShown, top)},
        .series = {all, middle, median}};
    figure.panels.push_back(std::move(panel));
  }
  figure.panels.back().x.label = fmt::format("epoch ({}, {} models each{})", where, rows.front().models,
                                             step > 1 ? fmt::format("; {} epochs a point", step) : "");
  return figure;
}

/// The variants as words along an axis, the first on top.
std::vector<std::pair<double, std::string>> names(Rows rows) {
  std::vector<std::pair<double, std::string>> tics;
  for (std::size_t i = 0; i < rows.size(); ++i)
    tics.emplace_back(static_cast<double>(rows.size() - 1 - i), words_of(rows[i]));
  return tics;
}

/// Every epoch that began at a low loss and ended, or went, higher: by how much.
Figure jump_figure(Rows rows, const std::string& where, const std::string& name) {
  Panel sizes{.title = fmt::format("Rises of the loss in epochs that began below {:g}, {}", kLowLoss, where),
              .x = {.label = "loss on the way or at the end, over the loss before (1.1 and more)",
                    .from = 1.0,
                    .log10 = true},
              .y = {.from = -0.6, .to = static_cast<double>(rows.size()) - 0.4, .tics = names(rows)}};
  double widest = 10;
  Series line{Mark::dashed_line, "", kGrey, {kJump, kJump}, {-0.6, static_cast<double>(rows.size()) - 0.4}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Series points{Mark::across, words_of(rows[i]), kBlue, {}, {}};
    for (const LowEpoch& low : rows[i].low) {
      if (!(low.jump >= 1.1)) continue;
      // Spread by a fixed pattern, so that equal sizes stay visible.
      const double spread = 0.6 * (static_cast<double>(points.x.size() * 37 % 101) / 100 - 0.5);
      points.x.push_back(low.jump), points.low.push_back(low.jump), points.high.push_back(low.jump);
      points.y.push_back(static_cast<double>(rows.size() - 1 - i) + spread);
      widest = std::max(widest, low.jump);
    }
    if (points.x.empty()) continue;
    sizes.series.push_back(std::move(points));
  }
  sizes.x.to = std::pow(10.0, std::ceil(std::log10(widest)));
  sizes.x.tics = decades(1, *sizes.x.to);
  sizes.series.push_back(line);
  return {name, {sizes}, 820, 520, 1, 0.24};
}

/// Which epochs jump: the size of the rise against how far the divisor has fallen.
Figure room_figure(Rows rows, const std::string& where, const std::string& name) {
  struct Shown {
    const char *variant, *colour;
  };
  constexpr Shown kShown[] = {{"adam-beta2-0.9999", kGreen},
                              {"adam-eps-1e-5", kOrange},
                              {"adam-beta2-0.99-eps-1e-5", kPurple},
                              {"adam-beta2-0.99", kVermillion},
                              {"adam", kBlue},
                              {"amsgrad", kBlack}};
  Panel panel{
      .title = fmt::format("Jumps and what the rule has forgotten, {}", where),
      .x = {.label = "largest sqrt(v) so far over sqrt(v) + eps, when the epoch begins", .log10 = true},
      .y = {.label = "loss on the way or at the end, over the loss before", .log10 = true},
      .series = {},
      .legend = true,
      .legend_columns = 2};
  double left = 1, right = 10, bottom = 1, top = 10;
  for (const Shown& shown : kShown)
    for (const AdamRow& row : rows) {
      if (adam_variants()[row.variant].name != shown.variant) continue;
      Series points{Mark::across, words_of(row), shown.colour, {}, {}};
      for (std::size_t i = 0; i < row.low.size(); ++i) {
        const LowEpoch& low = row.low[i];
        // Epochs in which nothing happens lie on a line: some of them show it.
        const bool calm = low.jump > 0.8 && low.jump < 1.1;
        if (!std::isfinite(low.room) || (calm && i % 8 != 0)) continue;
        points.x.push_back(low.room), points.low.push_back(low.room), points.high.push_back(low.room);
        points.y.push_back(low.jump);
        left = std::min(left, low.room), right = std::max(right, low.room);
        bottom = std::min(bottom, low.jump), top = std::max(top, low.jump);
      }
      if (!points.x.empty()) panel.series.push_back(std::move(points));
    }
  const auto down = [](double v) { return std::pow(10.0, std::floor(std::log10(v))); };
  const auto up = [](double v) { return std::pow(10.0, std::ceil(std::log10(v))); };
  panel.x.from = down(left), panel.x.to = up(right), panel.x.tics = decades(down(left), up(right));
  panel.y.from = down(bottom), panel.y.to = up(top), panel.y.tics = decades(down(bottom), up(top));
  if (panel.series.empty()) panel.series.push_back({Mark::line, "", kGrey, {1, 10}, {1, 1}});
  return {name, {panel}, 760, 520};
}

}  // namespace

std::vector<Figure> adam_figures(Rows rows, const std::string& where) {
  std::vector<Figure> figures;
  for (auto first = rows.begin(); first != rows.end();) {
    const auto last =
        std::find_if(first, rows.end(), [&](const AdamRow& r) { return r.hidden != first->hidden; });
    const std::string place = fmt::format("{}, width {}", where, first->hidden);
    const std::string suffix = first == rows.begin() ? "" : "-" + first->hidden;
    std::vector<AdamRow> mine;
    std::copy_if(first, last, std::back_inserter(mine), [](const AdamRow& r) { return !r.loss.empty(); });
    if (!mine.empty()) {
      figures.push_back(loss_figure(mine, place, "adam-loss" + suffix));
      figures.push_back(jump_figure(mine, place, "adam-jumps" + suffix));
      figures.push_back(room_figure(mine, place, "adam-room" + suffix));
    }
    first = last;
  }
  return figures;
}

}  // namespace shoal
