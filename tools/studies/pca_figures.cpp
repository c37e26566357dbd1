#include "tools/studies/pca_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/figures/colours.h"

namespace shoal {
namespace {

using Rows = std::vector<PcaRow>;

constexpr double kFloor = 1e-13;  // of the largest variance: below it is rounding, and nothing is drawn

std::string colour_of(const Rows& rows, std::size_t i) {
  return viridis(rows.size() < 2 ? 0.4
                                 : 0.92 * static_cast<double>(i) / static_cast<double>(rows.size() - 1));
}

std::string width_name(const PcaRow& row) { return fmt::format("{} neurons", row.width); }

/// One curve a width; only the first panel of a figure names them.
Series curve(const Rows& rows, std::size_t i, bool named, Mark mark = Mark::line) {
  return {mark, named ? width_name(rows[i]) : std::string(), colour_of(rows, i), {}, {}};
}

/// Columns of a legend that fit beside each other: all are as wide as the longest name.
int legend_columns(const Panel& panel) {
  constexpr double kWidth = 660, kCharacter = 7.0, kSample = 55;  // pixels
  std::size_t longest = 1;
  for (const Series& s : panel.series) longest = std::max(longest, s.name.size());
  return std::max(1, static_cast<int>(kWidth / (kCharacter * static_cast<double>(longest) + kSample)));
}

/// A power of ten as people write it: "10⁻⁶".
std::string power_of_ten(int exponent) {
  static constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "10⁻" : "10";
  for (const char c : std::to_string(std::abs(exponent))) text += kDigits[c - '0'];
  return text;
}

/// A logarithmic axis over whole decades, with about six of them named.
Axis decades(std::string label, double low, double high) {
  const int from = static_cast<int>(std::floor(std::log10(low))),
            to = static_cast<int>(std::ceil(std::log10(high)));
  Axis axis{.label = std::move(label), .from = std::pow(10.0, from), .to = std::pow(10.0, to), .log10 = true};
  const int step = std::max(1, (to - from + 5) / 6);
  for (int e = from; e <= to; ++e)
    if (e % step == 0) axis.tics.emplace_back(std::pow(10.0, e), power_of_ten(e));
  return axis;
}

Panel spectrum_panel(const PcaResults& r, bool before) {
  Panel panel{.title = before ? "Before the ReLU" : "After the ReLU",
              .x = {.label = before ? "" : "component", .from = 1.0, .log10 = true},
              .y = {},
              .legend = before};
  double top = 0.0, low = 1e300, last = 1.0;
  for (std::size_t i = 0; i < r.rows.size(); ++i) {
    const std::vector<double>& v = (before ? r.rows[i].before : r.rows[i].after).pca.explained_variance;
    Series s = curve(r.rows, i, before);
    for (std::size_t k = 0; k < v.size(); ++k) {
      if (!(v[k] > kFloor * v[0])) continue;
      s.x.push_back(static_cast<double>(k + 1));
      s.y.push_back(v[k]);
      top = std::max(top, v[k]), low = std::min(low, v[k]);
    }
    last = std::max(last, static_cast<double>(v.size()));
    panel.series.push_back(std::move(s));
  }
  panel.y = decades("explained variance", low, top);
  panel.x.to = 1.25 * std::max(last, static_cast<double>(r.inputs.pca.rank));
  const auto rank = static_cast<double>(std::max(1, r.inputs.pca.rank));
  panel.series.push_back({Mark::dashed_line,
                          before ? fmt::format("rank of the inputs: {}", r.inputs.pca.rank) : std::string(),
                          kVermillion,
                          {rank, rank},
                          {*panel.y.from, *panel.y.to}});
  panel.legend_columns = legend_columns(panel);
  return panel;
}

Figure spectrum_figure(const PcaResults& r, const std::string& where) {
  Figure f{"pca-spectrum", {spectrum_panel(r, true), spectrum_panel(r, false)}, 760, 720};
  f.panels[0].title = "Variances of the hidden layer's principal components, " + where + ": before the ReLU";
  return f;
}

Panel reconstruction_panel(const PcaResults& r, bool before, bool journal) {
  Panel panel{.title = fmt::format("{} the ReLU, {}", before ? "before" : "after",
                                   journal ? "on the columns of the components' matrix, as the journal did it"
                                           : "on the principal components"),
              .x = {.label = journal ? "share of the components kept, k / n" : "", .from = 0.0, .to = 1.0},
              .y = {.label = "share of the squared error left", .from = 0.0, .to = 1.02}};
  for (std::size_t i = 0; i < r.rows.size(); ++i) {
    const PcaSide& side = before ? r.rows[i].before : r.rows[i].after;
    const std::vector<double>& mse = journal ? side.journal.mse : side.pca.reconstruction_mse;
    Series s = curve(r.rows, i, false);
    for (std::size_t k = 0; k < mse.size(); ++k) {
      s.x.push_back(static_cast<double>(k) / static_cast<double>(mse.size() - 1));
      s.y.push_back(mse[k] / mse[0]);
    }
    panel.series.push_back(std::move(s));
  }
  panel.series.push_back({Mark::dashed_line, "", kGrey, {0, 1}, {1, 0}});
  return panel;
}

Figure reconstruction_figure(const PcaResults& r, const std::string& where) {
  Figure f{"pca-reconstruction", {}, 760, 720};
  f.panels = {reconstruction_panel(r, true, false), reconstruction_panel(r, true, true)};
  Panel& first = f.panels.front();
  for (std::size_t i = 0; i < r.rows.size(); ++i) first.series[i].name = width_name(r.rows[i]);
  first.series.back().name = "1 - k / n";
  first.legend = true, first.legend_columns = legend_columns(first);
  first.title = fmt::format("Mean squared reconstruction error, {}: {}", where, first.title);
  f.panels[1].title[0] = 'B';
  return f;
}

Panel accuracy_panel(const PcaResults& r, Kept kept, std::string title, bool last) {
  Panel panel{.title = std::move(title),
              .x = {.label = last ? "components kept" : "", .from = 1.0, .log2 = true},
              .y = {.label = "accuracy (%)", .from = 0.0, .to = 103.0, .step = 20}};
  for (std::size_t i = 0; i < r.rows.size(); ++i) {
    const KeptCurve* found = curve_of(r.rows[i], kept);
    Series test = curve(r.rows, i, false), train = curve(r.rows, i, false, Mark::dashed_line);
    if (found)
      for (const KeptScore& s : found->scores) {
        test.x.push_back(s.k), train.x.push_back(s.k);
        test.y.push_back(100 * s.test.accuracy), train.y.push_back(100 * s.train.accuracy);
      }
    panel.series.push_back(std::move(train));
    panel.series.push_back(std::move(test));
  }
  const double most = r.rows.back().width;
  for (double k = 1; k <= most; k *= 4) panel.x.tics.emplace_back(k, fmt::format("{:.0f}", k));
  panel.x.to = 1.15 * most;
  return panel;
}

Figure accuracy_figure(const PcaResults& r, const std::string& where) {
  Figure f{"pca-accuracy",
           {accuracy_panel(r, Kept::before_relu, "", false),
            accuracy_panel(r, Kept::before_relu_journal, "Before the ReLU, as the journal did it", false),
            accuracy_panel(r, Kept::after_relu, "After the ReLU, on the principal components", true)},
           760,
           960};
  Panel& first = f.panels.front();
  for (std::size_t i = 0; i < r.rows.size(); ++i) first.series[2 * i + 1].name = width_name(r.rows[i]);
  // Only its name is seen: it lies below the axis.
  first.series.push_back({Mark::dashed_line, "dashed: training set", kGrey, {1, 2}, {-2, -2}});
  first.legend = true, first.legend_columns = legend_columns(first);
  first.title =
      fmt::format("Accuracy with k components kept, {}: before the ReLU, on the principal components", where);
  return f;
}

Figure dimension_figure(const PcaResults& r, const std::string& where) {
  const auto series = [&](std::string name, std::string colour, Mark mark, auto value) {
    Series s{mark, std::move(name), std::move(colour), {}, {}};
    for (const PcaRow& row : r.rows) s.x.push_back(row.width), s.y.push_back(value(row));
    return s;
  };
  const auto participation = [](const PcaSide& s) { return s.pca.participation_ratio; };
  const auto effective = [](const PcaSide& s) { return s.pca.effective_rank; };
  Panel panel{.title = "Dimension of the hidden layer's activations, " + where,
              .x = {.label = "hidden neurons", .log2 = true},
              .y = {.label = "dimension", .from = 0.0},
              .legend = true,
              .legend_columns = 2};
  panel.series = {series("effective rank, before the ReLU", kBlue, Mark::line,
                         [&](const PcaRow& w) { return effective(w.before); }),
                  series("effective rank, after the ReLU", kVermillion, Mark::line,
                         [&](const PcaRow& w) { return effective(w.after); }),
                  series("participation ratio, before the ReLU", kBlue, Mark::dashed_line,
                         [&](const PcaRow& w) { return participation(w.before); }),
                  series("participation ratio, after the ReLU", kVermillion, Mark::dashed_line,
                         [&](const PcaRow& w) { return participation(w.after); })};
  for (const PcaRow& row : r.rows) panel.x.tics.emplace_back(row.width, std::to_string(row.width));
  panel.x.from = r.rows.front().width / 1.1, panel.x.to = 1.1 * r.rows.back().width;
  return {"pca-dimension", {panel}, 760, 480};
}

}  // namespace

std::vector<Figure> pca_figures(const PcaResults& r, const std::string& where) {
  if (r.rows.empty()) return {};
  std::vector<Figure> figures{spectrum_figure(r, where), reconstruction_figure(r, where)};
  if (curve_of(r.rows.front(), Kept::before_relu)) figures.push_back(accuracy_figure(r, where));
  figures.push_back(dimension_figure(r, where));
  return figures;
}

}  // namespace shoal
