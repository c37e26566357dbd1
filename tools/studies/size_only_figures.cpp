#include "tools/studies/size_only_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/figures/colours.h"

namespace shoal {
namespace {

using Rows = std::span<const SizeOnlyRow>;

void add(Series& series, double x, const Summary& y, double scale) {
  const double sd = std::isfinite(y.sd) ? y.sd : 0.0;
  series.x.push_back(x), series.y.push_back(scale * y.mean);
  series.low.push_back(scale * (y.mean - sd)), series.high.push_back(scale * (y.mean + sd));
}

Figure landscape_figure(const SizeOnlySpec& s, Rows rows, const Landscape& l, const std::string& where) {
  const auto most = static_cast<double>(s.neurons);
  const Axis x{.label = "", .from = -0.02 * most, .to = 1.02 * most};
  Panel loss{.title = fmt::format("Training loss of trained networks cut at x0, {}", where),
             .x = x,
             .y = {.label = "cross-entropy", .from = 0.0},
             .legend = true,
             .legend_columns = 2};
  Panel accuracy{.title = "Test accuracy", .x = x, .y = {.label = "accuracy (%)"}};
  accuracy.x.label = "x0: neurons left";
  const char* const colours[] = {kBlue, kVermillion, kGreen};
  for (std::size_t order = 0; order < l.loss.size(); ++order) {
    Series of_loss{
        Mark::error_bars, std::string(words_of(static_cast<NeuronOrder>(order))), colours[order], {}, {}},
        of_accuracy = of_loss;
    of_accuracy.name.clear();
    for (std::size_t i = 0; i < l.x0.size(); ++i) {
      add(of_loss, l.x0[i], l.loss[order][i], 1);
      add(of_accuracy, l.x0[i], l.accuracy[order][i], 100);
    }
    loss.series.push_back(std::move(of_loss)), accuracy.series.push_back(std::move(of_accuracy));
  }
  Series ends{Mark::across, "where x0 ended, by lambda", kBlack, {}, {}};
  for (const SizeOnlyRow* r : by_penalty(s, rows, SizeTraining::frozen)) {
    const double sd = std::isfinite(r->size.sd) ? r->size.sd : 0.0;
    ends.x.push_back(r->size.mean), ends.y.push_back(r->train_loss.mean);
    ends.low.push_back(r->size.mean - sd), ends.high.push_back(r->size.mean + sd);
  }
  loss.series.push_back(std::move(ends));
  return {"size-only-landscape", {loss, accuracy}, 760, 760};
}

Series line_of(const SizeOnlyRow& r, std::string name, std::string colour) {
  Series series{Mark::line, std::move(name), std::move(colour), {0}, {r.start}};
  for (std::size_t e = 0; e < r.epoch_size.size(); ++e) {
    series.x.push_back(static_cast<double>(e + 1));
    series.y.push_back(r.epoch_size[e].mean);
  }
  return series;
}

Panel epochs_panel(const std::vector<const SizeOnlyRow*>& rows, std::string title, std::string label,
                   double SizeOnlyRow::*key) {
  Panel panel{.title = std::move(title),
              .x = {.label = std::move(label), .from = 0.0},
              .y = {.label = "x0"},
              .legend = true,
              .legend_columns = 4};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double t =
        rows.size() < 2 ? 0.4 : 0.92 * static_cast<double>(i) / static_cast<double>(rows.size() - 1);
    panel.series.push_back(line_of(*rows[i], fmt::format("{:g}", rows[i]->*key), viridis(t)));
    panel.x.step = std::max(1.0, round_step(static_cast<double>(rows[i]->epoch_size.size()), 10));
  }
  return panel;
}

Figure epochs_figure(const SizeOnlySpec& s, Rows rows, const std::string& where) {
  return {"size-only-epochs",
          {epochs_panel(
               by_start(s, rows),
               fmt::format("x0 with the weights at rest, {}: by start, lambda {}", where, s.start_penalty),
               "", &SizeOnlyRow::start),
           epochs_panel(by_penalty(s, rows, SizeTraining::frozen), "By lambda, from the middle", "",
                        &SizeOnlyRow::penalty),
           epochs_panel(by_penalty(s, rows, SizeTraining::together), "By lambda, weights and size together",
                        "epochs since the gate began", &SizeOnlyRow::penalty)},
          760,
          1020};
}

Figure frontier_figure(const SizeOnlySpec& s, Rows rows, const Landscape& l, const std::string& where) {
  Panel panel{.title = fmt::format("Test accuracy against size, {}", where),
              .x = {.label = "neurons", .log2 = true},
              .y = {.label = "accuracy (%)"},
              .legend = true,
              .legend_columns = 3};
  Series plain{Mark::error_bars, "plain networks", kBlack, {}, {}},
      frozen{Mark::points, "size alone", kBlue, {}, {}},
      together{Mark::points, "size and weights", kVermillion, {}, {}},
      ranked{Mark::points, "size alone, neurons sorted", kGreen, {}, {}},
      sorted{Mark::dashed_line, "sorted and cut anywhere", kGreen, {}, {}};
  double least = s.neurons, lowest = 1;
  for (const SizeOnlyRow* r : plain_rows(rows)) {
    add(plain, r->width, r->test_accuracy, 100);
    least = std::min(least, static_cast<double>(r->width)), lowest = std::min(lowest, r->test_accuracy.mean);
  }
  for (const SizeTraining training : {SizeTraining::frozen, SizeTraining::together, SizeTraining::sorted})
    for (const SizeOnlyRow* r : by_penalty(s, rows, training)) {
      const double open = std::min(r->size.mean, static_cast<double>(r->width));
      if (open >= least)
        add(training == SizeTraining::frozen   ? frozen
            : training == SizeTraining::sorted ? ranked
                                               : together,
            open, r->test_accuracy, 100);
    }
  if (!l.accuracy.empty())
    for (std::size_t i = 0; i < l.x0.size(); ++i)
      if (l.x0[i] >= least && l.accuracy[2][i].mean >= lowest)
        sorted.x.push_back(l.x0[i]), sorted.y.push_back(100 * l.accuracy[2][i].mean);
  for (double w = 4; w <= 2.0 * s.neurons; w *= 2) panel.x.tics.emplace_back(w, fmt::format("{:.0f}", w));
  panel.x.from = least / 1.2, panel.x.to = s.neurons * 1.2;
  panel.series = {std::move(plain), std::move(frozen), std::move(together), std::move(ranked),
                  std::move(sorted)};
  return {"size-only-frontier", {panel}, 760, 500};
}

}  // namespace

std::vector<Figure> size_only_figures(const SizeOnlySpec& s, Rows rows, const Landscape& l,
                                      const std::string& where) {
  std::vector<Figure> figures{epochs_figure(s, rows, where), frontier_figure(s, rows, l, where)};
  if (!l.of.empty()) figures.insert(figures.begin(), landscape_figure(s, rows, l, where));
  std::erase_if(figures, [](const Figure& f) {
    return std::ranges::all_of(f.panels, [](const Panel& p) {
      return std::ranges::all_of(p.series, [](const Series& x) { return x.y.empty(); });
    });
  });
  return figures;
}

}  // namespace shoal
