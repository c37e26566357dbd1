#include "tools/studies/pretrain_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tools/figures/colours.h"
#include "tools/figures/tics.h"

namespace shoal {
namespace {

using C = GateCurve;
using Rows = std::vector<PretrainRow>;

std::string colour_of(std::size_t arm, std::size_t arms) {
  return viridis(arms < 2 ? 0.4 : 0.88 * static_cast<double>(arm) / static_cast<double>(arms - 1));
}

std::string name_of(const PretrainRow& row) {
  return fmt::format("{} epoch{} before the gate", row.dose, row.dose == 1 ? "" : "s");
}

/// Means over the models, with bars of one sd at the last epoch: curves of seeds overlap.
Series mean_line(const PretrainRow& row, GateValue value, int first, int last, int origin, double scale,
                 std::string name, std::string colour) {
  Series series{Mark::line, std::move(name), std::move(colour), {}, {}};
  for (int e = first; e <= last; ++e)
    series.x.push_back(e - origin), series.y.push_back(scale * summary_at(row.models, value, e).mean);
  return series;
}

Series bar_at(const PretrainRow& row, GateValue value, int epoch, int origin, double scale,
              std::string colour) {
  const Summary s = summary_at(row.models, value, epoch);
  const double sd = std::isfinite(s.sd) ? s.sd : 0;
  return {Mark::points,           "",
          std::move(colour),      {static_cast<double>(epoch - origin)},
          {scale * s.mean},       {scale * (s.mean - sd)},
          {scale * (s.mean + sd)}};
}

Figure size_figure(const PretrainSpec& s, const Rows& rows, const std::string& where) {
  const int total = total_epochs(s);
  Panel since{.title = fmt::format("x0 by epochs with the gate, {} ({} neurons; bars: sd over seeds)", where,
                                   s.neurons),
              .x = {.label = "epochs with the gate (logarithmic)",
                    .from = 0.95,
                    .to = 1.08 * total,
                    .log10 = true,
                    .tics = counts_to(total)},
              .y = {.label = "x0", .from = 0.0},
              .legend = true,
              .legend_columns = 2};
  Panel all{.title = "The same by epochs in all",
            .x = {.label = "epochs in all",
                  .from = 0.0,
                  .to = total + 1.0,
                  .step = std::max(1.0, round_step(total, 10))},
            .y = {.label = "x0", .from = 0.0}};
  const auto arms = arms_of(rows);
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const PretrainRow& row = *arms[a];
    const std::string colour = colour_of(a, arms.size());
    since.series.push_back(mean_line(row, &C::size, row.dose + 1, total, row.dose, 1, name_of(row), colour));
    since.series.push_back(bar_at(row, &C::size, row.dose + s.gated_epochs, row.dose, 1, colour));
    all.series.push_back(mean_line(row, &C::size, row.dose + 1, total, 0, 1, "", colour));
    all.series.push_back(bar_at(row, &C::size, total, 0, 1, colour));
  }
  return {"pretrain-size", {since, all}, 760, 720};
}

Figure dose_figure(const PretrainSpec& s, const Rows& rows, const std::string& where) {
  const int total = total_epochs(s);
  const double most = total - s.gated_epochs;
  const Axis axis{.label = "", .from = -0.04 * most - 0.1, .to = 1.04 * most + 0.1};
  Panel size{.title = fmt::format("x0 by pretraining, {} (bars: 95 % intervals of the mean)", where),
             .x = axis,
             .y = {.label = "x0"},
             .legend = true,
             .legend_columns = 2};
  Panel accuracy{.title = "Test accuracy", .x = axis, .y = {.label = "accuracy (%)"}};
  accuracy.x.label = "epochs at full width before the gate";
  struct Reading {
    GateKind kind;
    bool at_total;
    const char* colour;
    std::string name;
    double shift;
  };
  for (const Reading& r :
       {Reading{GateKind::size, false, kBlue, fmt::format("after {} epochs with the gate", s.gated_epochs),
                0},
        Reading{GateKind::size, true, kVermillion, fmt::format("after {} epochs in all", total), 0.012},
        Reading{GateKind::random_size, false, kGreen,
                fmt::format("random slope, {} epochs with it", s.gated_epochs), -0.012}}) {
    const auto line = [&](GateValue value, double scale, std::string name) {
      Series series{Mark::error_bars, std::move(name), r.colour, {}, {}};
      for (const PretrainRow* row : arms_of(rows, r.kind)) {
        const MeanInterval m =
            mean_interval(values_at(row->models, value, r.at_total ? total : row->dose + s.gated_epochs));
        series.x.push_back(row->dose + r.shift * most), series.y.push_back(scale * m.mean);
        series.low.push_back(scale * (std::isfinite(m.low) ? m.low : m.mean));
        series.high.push_back(scale * (std::isfinite(m.high) ? m.high : m.mean));
      }
      return series;
    };
    if (arms_of(rows, r.kind).empty()) continue;
    size.series.push_back(line(&C::size, 1, r.name));
    accuracy.series.push_back(line(&C::test_accuracy, 100, ""));
  }
  return {"pretrain-dose", {size, accuracy}, 760, 640};
}

Figure accuracy_figure(const PretrainSpec& s, const Rows& rows, const std::string& where) {
  const int total = total_epochs(s);
  Panel accuracy{
      .title = fmt::format("Test accuracy by epochs in all, {}", where),
      .x = {.label = "", .from = 0.0, .to = total + 1.0, .step = std::max(1.0, round_step(total, 10))},
      .y = {.label = "accuracy (%)"},
      .legend = true,
      .legend_columns = 2};
  Panel loss{.title = "Training loss, mean of the epoch's batches",
             .x = accuracy.x,
             .y = {.label = "loss", .log10 = true}};
  loss.x.label = "epochs in all";
  const auto arms = arms_of(rows);
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const std::string colour = colour_of(a, arms.size());
    accuracy.series.push_back(
        mean_line(*arms[a], &C::test_accuracy, 1, total, 0, 100, name_of(*arms[a]), colour));
    loss.series.push_back(mean_line(*arms[a], &C::train_loss, 1, total, 0, 1, "", colour));
  }
  for (const PretrainRow& row : rows) {
    if (gated(row) || row.models.empty() || row.width != s.neurons) continue;
    Series plain = mean_line(row, &C::test_accuracy, 1, total, 0, 100,
                             fmt::format("plain, {} neurons", row.width), kVermillion);
    plain.mark = Mark::dashed_line;
    accuracy.series.push_back(plain);
    plain = mean_line(row, &C::train_loss, 1, total, 0, 1, "", kVermillion);
    plain.mark = Mark::dashed_line;
    loss.series.push_back(plain);
  }
  double least = 1, most = 1e-12;
  for (const Series& line : loss.series)
    for (const double y : line.y) least = std::min(least, y), most = std::max(most, y);
  for (int e = 1; e >= -12; --e)
    loss.y.tics.emplace_back(std::pow(10.0, e), fmt::format("{:g}", std::pow(10.0, e)));
  loss.y.from = std::max(1e-12, least / 1.5), loss.y.to = most * 1.5;
  return {"pretrain-accuracy", {accuracy, loss}, 760, 720};
}

Figure cut_figure(const PretrainSpec& s, const std::vector<Cut>& cuts, const std::string& where) {
  Panel panel{
      .title = fmt::format("The moment the gate begins, {}: sigma(x0 - i) on a trained network", where),
      .x = {.label = "x0 (weights as they are)", .from = 0.0},
      .y = {.label = "test accuracy (%)", .from = 0.0, .to = 100.0},
      .legend = true,
      .legend_columns = 2};
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const Cut& cut = cuts[i];
    Series series{Mark::error_bars,
                  fmt::format("after {} epoch{} at full width", cut.dose, cut.dose == 1 ? "" : "s"),
                  colour_of(i, cuts.size()),
                  {},
                  {}};
    for (std::size_t k = 0; k < cut.x0.size(); ++k) {
      const Summary& a = cut.test_accuracy[k];
      const double sd = std::isfinite(a.sd) ? a.sd : 0;
      series.x.push_back(cut.x0[k]), series.y.push_back(100 * a.mean);
      series.low.push_back(100 * (a.mean - sd)), series.high.push_back(100 * (a.mean + sd));
    }
    panel.series.push_back(std::move(series));
  }
  panel.x.to = 1.03 * s.neurons;
  return {"pretrain-cut", {panel}, 760, 460};
}

}  // namespace

std::vector<Figure> pretrain_figures(const PretrainSpec& s, const Rows& rows, const std::vector<Cut>& cuts,
                                     const std::string& where) {
  std::vector<Figure> figures;
  if (!arms_of(rows).empty())
    figures = {size_figure(s, rows, where), dose_figure(s, rows, where), accuracy_figure(s, rows, where)};
  if (!cuts.empty()) figures.push_back(cut_figure(s, cuts, where));
  return figures;
}

}  // namespace shoal
