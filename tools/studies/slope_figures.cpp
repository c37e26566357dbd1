#include "tools/studies/slope_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tools/figures/colours.h"
#include "tools/figures/tics.h"

namespace shoal {
namespace {

using C = GateCurve;
using Rows = std::vector<SlopeRow>;

const char* colour_of(SlopeKind kind) {
  switch (kind) {
    case SlopeKind::random: return kVermillion;
    case SlopeKind::mean_zone: return kBlue;
    case SlopeKind::mean_slope: return kSky;
    case SlopeKind::journal: return kGreen;
    case SlopeKind::zone: return kGrey;
  }
  return kGrey;
}

/// Arms that the study compares; the other zones are in figures of their own.
std::vector<const SlopeRow*> compared(const Rows& rows) {
  std::vector<const SlopeRow*> found;
  for (const SlopeRow& row : rows)
    if (row.arm.kind != SlopeKind::zone && !row.models.empty()) found.push_back(&row);
  return found;
}

/// Means over the models; bars of one sd at the last epoch.
void add_curve(Panel& panel, const SlopeRow& row, GateValue value, int epochs, double scale, bool named) {
  Series line{Mark::line, named ? words_of(row.arm) : "", colour_of(row.arm.kind), {}, {}};
  for (int e = 1; e <= epochs; ++e)
    line.x.push_back(e), line.y.push_back(scale * summary_at(row.models, value, e).mean);
  const Summary end = summary_at(row.models, value, epochs);
  const double sd = std::isfinite(end.sd) ? end.sd : 0;
  Series bar{Mark::points,
             "",
             colour_of(row.arm.kind),
             {static_cast<double>(epochs)},
             {scale * end.mean},
             {scale * (end.mean - sd)},
             {scale * (end.mean + sd)}};
  panel.series.push_back(std::move(line)), panel.series.push_back(std::move(bar));
}

Figure size_figure(const SlopeSpec& s, const Rows& rows, const std::string& where) {
  const double most = s.epochs;
  Panel size{.title = fmt::format("x0 by epochs, {} ({} neurons; bars: sd over seeds)", where, s.neurons),
             .x = {.label = "", .from = 0.95, .to = 1.06 * most, .log10 = true, .tics = counts_to(most)},
             .y = {.label = "x0", .from = 0.0},
             .legend = true,
             .legend_columns = 2};
  Panel loss{.title = "Training loss, mean of the epoch's batches",
             .x = size.x,
             .y = {.label = "loss", .log10 = true}};
  loss.x.label = "epochs (logarithmic)";
  for (const SlopeRow* row : compared(rows)) {
    add_curve(size, *row, &C::size, s.epochs, 1, true);
    add_curve(loss, *row, &C::train_loss, s.epochs, 1, false);
  }
  double least = 1, highest = 1e-12;
  for (const Series& line : loss.series)
    for (const double y : line.y) least = std::min(least, y), highest = std::max(highest, y);
  for (int e = 1; e >= -12; --e)
    for (const double of : {1.0, 2.0, 5.0}) {
      const double v = of * std::pow(10.0, e);
      if (highest / least < 30 || of == 1.0) loss.y.tics.emplace_back(v, fmt::format("{:g}", v));
    }
  loss.y.from = std::max(1e-12, least / 1.3), loss.y.to = highest * 1.3;
  return {"slope-size", {size, loss}, 760, 720};
}

/// What the zone alone does, and where the random slope stands beside it: a point a network, a line through
/// the means.
Figure zone_figure(const SlopeSpec& s, const Rows& rows, const std::string& where) {
  double widest = 1;
  for (const SlopeRow& row : rows) widest = std::max(widest, row.arm.zone);
  Panel size{.title = fmt::format("x0 by the width of the grey zone, {}, {} epochs: a point a network", where,
                                  s.epochs),
             .x = {.label = "", .from = 0.0, .to = 1.06 * widest},
             .y = {.label = "x0", .from = 0.0},
             .legend = true};
  Panel loss{.title = "Test accuracy", .x = size.x, .y = {.label = "accuracy (%)"}};
  loss.x.label = "neurons from a gate of 99 % to one of 1 %";
  std::vector<const SlopeRow*> fixed, random;
  for (const SlopeRow& row : rows)
    if (!row.models.empty()) (row.arm.kind == SlopeKind::random ? random : fixed).push_back(&row);
  std::ranges::sort(fixed, [](const SlopeRow* a, const SlopeRow* b) { return a->arm.zone < b->arm.zone; });
  const auto add = [&](Panel& panel, GateValue value, double scale, const std::vector<const SlopeRow*>& line,
                       const char* colour, std::string name, double shift) {
    Series points{Mark::points, std::move(name), colour, {}, {}}, means{Mark::line, "", colour, {}, {}};
    for (const SlopeRow* row : line) {
      const double x = row->arm.zone + shift;
      for (const double v : values_at(row->models, value, s.epochs)) {
        const double y = scale * v;
        points.x.push_back(x), points.y.push_back(y), points.low.push_back(y), points.high.push_back(y);
      }
      means.x.push_back(x), means.y.push_back(scale * summary_at(row->models, value, s.epochs).mean);
    }
    if (means.x.size() > 1) panel.series.push_back(std::move(means));
    if (!points.x.empty()) panel.series.push_back(std::move(points));
  };
  const double shift = 0.015 * widest;
  add(size, &C::size, 1, fixed, kBlue, "fixed", 0);
  add(size, &C::size, 1, random, kVermillion, "random", shift);
  add(loss, &C::test_accuracy, 100, fixed, kBlue, "", 0);
  add(loss, &C::test_accuracy, 100, random, kVermillion, "", shift);
  std::int64_t closed = 0;
  for (const SlopeRow& row : rows) closed += row.closed;
  if (closed > 0)
    loss.title = fmt::format("Test accuracy ({} network{} whose layer closed left out)", closed,
                             closed == 1 ? "" : "s");
  return {"slope-zone", {size, loss}, 760, 660};
}

Figure change_figure(const SlopeSpec& s, const Rows& rows, const std::string& where) {
  Panel change{
      .title = fmt::format("The change of x0 in an epoch from the second on, mean over seeds, {}", where),
      .x = {.label = "", .from = 1.0, .to = s.epochs + 0.5, .step = std::max(1.0, round_step(s.epochs, 12))},
      .y = {.label = "neurons an epoch"},
      .legend = true,
      .legend_columns = 2};
  Panel falls{.title = "Share of the models in which x0 falls",
              .x = change.x,
              .y = {.label = "share", .from = 0.0, .to = 1.0}};
  falls.x.label = "epoch";
  change.series.push_back({Mark::dashed_line, "", kGrey, {1, s.epochs + 0.5}, {0, 0}});
  for (const SlopeRow* row : compared(rows)) {
    const Changes c = changes_of(*row);
    Series mean{Mark::line, words_of(row->arm), colour_of(row->arm.kind), {}, {}};
    Series share{Mark::line, "", colour_of(row->arm.kind), {}, {}};
    for (std::size_t e = 1; e < c.mean.size(); ++e) {
      mean.x.push_back(static_cast<double>(e + 1)), share.x.push_back(static_cast<double>(e + 1));
      mean.y.push_back(c.mean[e]);
      share.y.push_back(static_cast<double>(c.falls[e]) / static_cast<double>(row->models.size()));
    }
    change.series.push_back(std::move(mean)), falls.series.push_back(std::move(share));
  }
  return {"slope-change", {change, falls}, 760, 660};
}

/// Three derivatives of one expected loss, network by network.
Panel onoff_panel(const std::vector<const OnOffRow*>& rows, std::string title, bool legend) {
  const double right = static_cast<double>(rows.size()) - 0.4;
  Panel panel{.title = std::move(title),
              .x = {.label = "", .from = -0.6, .to = right, .grid = false},
              .y = {.label = "loss a neuron"},
              .legend = legend,
              .legend_columns = 2};
  const auto named = [legend](const char* name) { return std::string(legend ? name : ""); };
  Series zero{
      Mark::dashed_line, named("for given draws, almost everywhere: 0"), kGrey, {-0.6, right}, {0, 0}},
      quotient{Mark::points, named("difference of mean losses, common random numbers"), kBlue, {}, {}},
      score{Mark::points, named("score function"), kVermillion, {}, {}},
      gates{Mark::points, named("the gates themselves, not drawn"), kGreen, {}, {}};
  const auto add = [](Series& s, double x, double y, double error) {
    s.x.push_back(x), s.y.push_back(y), s.low.push_back(y - 2 * error), s.high.push_back(y + 2 * error);
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const OnOffRow& r = *rows[i];
    const auto x = static_cast<double>(i);
    add(quotient, x - 0.15, r.quotients.back().mean, r.quotients.back().standard_error);
    add(score, x, r.score, r.score_error), add(gates, x + 0.15, r.gate_gradient, 0);
    panel.x.tics.emplace_back(x, fmt::format("seed {}: x0 {:.0f}", r.seed, r.x0));
  }
  panel.series = {zero, quotient, score, gates};
  return panel;
}

Figure onoff_figure(const std::vector<OnOffRow>& rows, const std::string& where) {
  std::vector<const OnOffRow*> ended, half;
  for (const OnOffRow& r : rows) (r.x0 == r.trained ? ended : half).push_back(&r);
  Figure figure{"slope-onoff", {}, 760, 640, 1, 0.11};
  figure.panels.push_back(onoff_panel(
      half,
      fmt::format("Gates on or off by chance, {}: d loss / d x0 at half of x0 (bars: 2 standard errors)",
                  where),
      true));
  figure.panels.push_back(onoff_panel(ended, "Where x0 has ended", false));
  figure.panels.back().x.label = "network";
  return figure;
}

}  // namespace

std::vector<Figure> slope_figures(const SlopeSpec& s, const Rows& rows, const std::vector<OnOffRow>& on_off,
                                  const std::string& where) {
  std::vector<Figure> figures;
  if (!compared(rows).empty())
    figures = {size_figure(s, rows, where), zone_figure(s, rows, where), change_figure(s, rows, where)};
  if (!on_off.empty()) figures.push_back(onoff_figure(on_off, where));
  return figures;
}

}  // namespace shoal
