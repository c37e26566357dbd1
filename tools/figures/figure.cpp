#include "tools/figures/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <string_view>

namespace shoal {
namespace {

/// Everything that makes the figures look alike. A double-size PNG of the same drawing: sizes in points grow
/// with the font, so only the scale differs.
constexpr std::string_view kStyle = R"(  set border 3 linecolor rgb '#555555' linewidth 0.9
  set tics nomirror out scale 0.6 textcolor rgb '#333333'
  set xlabel textcolor rgb '#222222'
  set ylabel textcolor rgb '#222222'
  set key noautotitle Left reverse samplen 2 spacing 1.1 textcolor rgb '#222222'
  set style fill transparent solid 0.93 noborder
  set errorbars small
)";

/// Space in units of the height of a character: above a panel for its title, below it for its axis.
constexpr double kAbove = 2.3, kLegendRow = 1.3, kBelow = 3.4, kBelowWithoutLabel = 1.9;
constexpr double kLineHeight = 17.0;  // pixels of the SVG, at its font size

/// A gnuplot string; what stands in it is never interpreted.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c == '\n' ? ' ' : c;
  }
  return out + "'";
}

/// A label of an axis: gnuplot takes it for a format, in which %% stands for %.
std::string tic_label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '%') out += '%';
    out += c;
  }
  return quoted(out);
}

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : "NaN"; }

std::string range_of(const Axis& axis) {
  return fmt::format("[{}:{}]", axis.from ? number(*axis.from) : "*", axis.to ? number(*axis.to) : "*");
}

std::string axis_commands(const Axis& axis, char letter, std::string_view offset) {
  std::string out = fmt::format("  set {}label {} {}\n  set {}range {}\n", letter, quoted(axis.label), offset,
                                letter, range_of(axis));
  const bool log = axis.log2 || axis.log10;
  out += fmt::format("  {} {}\n", log ? "set logscale" : "unset logscale",
                     log ? fmt::format("{} {}", letter, axis.log2 ? 2 : 10) : std::string(1, letter));
  if (axis.tics.empty()) {
    out += fmt::format("  set {}tics {}\n", letter, axis.step > 0 ? number(axis.step) : "autofreq");
  } else {
    std::string tics;
    for (const auto& [value, label] : axis.tics) {
      tics += fmt::format("{}{} {}", tics.empty() ? "" : ", ", tic_label(label), number(value));
    }
    out += fmt::format("  set {}tics ({})\n", letter, tics);
  }
  out += axis.grid ? fmt::format("  set grid {}tics back linetype 1 linecolor rgb '#e3e3e3' linewidth 0.7\n",
                                 letter)
                   : fmt::format("  set grid no{}tics\n", letter);
  return out;
}

std::string plot_clause(const Series& series, std::size_t block, bool titled) {
  const std::string from = fmt::format("data index {}", block);
  const std::string title =
      titled && !series.name.empty() ? fmt::format("title {}", quoted(series.name)) : "notitle";
  const std::string colour = fmt::format("rgb '{}'", series.colour);
  switch (series.mark) {
    case Mark::line:
      return fmt::format("{} using 1:2 with lines linewidth 2 linecolor {} {}", from, colour, title);
    case Mark::dashed_line:
      return fmt::format("{} using 1:2 with lines dashtype (8,6) linewidth 1.4 linecolor {} {}", from, colour,
                         title);
    case Mark::error_bars:
      return fmt::format(
          "{} using 1:2:3:4 with yerrorlines pointtype 7 pointsize 0.55 linewidth 1.6 linecolor {} {}", from,
          colour, title);
    case Mark::points:
      return fmt::format(
          "{} using 1:2:3:4 with yerrorbars pointtype 7 pointsize 0.6 linewidth 1.6 linecolor {} {}", from,
          colour, title);
    case Mark::area:
      return fmt::format(
          "{0} using 1:3:2 with filledcurves fillcolor {1} {2}, {0} using 1:2 with lines linewidth 1 "
          "linecolor rgb '#ffffff' notitle",
          from, colour, title);
    case Mark::rings:
      return fmt::format("{} using 1:2 with points pointtype 6 pointsize 1.5 linewidth 2 linecolor {} {}",
                         from, colour, title);
    case Mark::across:
      return fmt::format(
          "{} using 1:2:3:4 with xerrorbars pointtype 7 pointsize 0.6 linewidth 1.6 linecolor {} {}", from,
          colour, title);
    case Mark::words:
      return fmt::format("{} using 1:2:3 with labels left offset 0.7,-0.5 textcolor {} notitle", from,
                         colour);
    case Mark::words_up:
      return fmt::format("{} using 1:2:3 with labels left offset 0.7,0.5 textcolor {} notitle", from, colour);
    case Mark::words_left:
      return fmt::format("{} using 1:2:3 with labels right offset -0.7,0.5 textcolor {} notitle", from,
                         colour);
  }
  return {};
}

/// Two names stand side by side; gnuplot gives all columns of a legend one width, so more would not fit.
int legend_rows(const Panel& panel) {
  if (!panel.legend) return 0;
  const auto names = static_cast<int>(std::count_if(panel.series.begin(), panel.series.end(),
                                                    [](const Series& s) { return !s.name.empty(); }));
  if (names <= 2) return 1;
  return (names + panel.legend_columns - 1) / panel.legend_columns;
}

struct Margins {
  double top, bottom;  // shares of the figure's height, from its lower edge
};

Margins margins_of(const Figure& figure, std::size_t panel) {
  const auto columns = static_cast<std::size_t>(figure.columns);
  double total = 0, before = 0;
  for (std::size_t i = 0; i < figure.panels.size(); i += columns) {
    total += figure.panels[i].height;
    if (i / columns < panel / columns) before += figure.panels[i].height;
  }
  const double line = kLineHeight / figure.height;
  const double below = figure.panels[panel].x.label.empty() ? kBelowWithoutLabel : kBelow;
  const double above = kAbove + kLegendRow * legend_rows(figure.panels[panel]);
  const double row_height = figure.panels[panel - panel % columns].height;
  return {1 - before / total - above * line, 1 - (before + row_height) / total + below * line};
}

/// Left and right: a column's share of the width, without room for the numbers on its left.
std::string side_margins(const Figure& figure, std::size_t panel) {
  constexpr double kRight = 0.025;  // share of a figure of one column
  const double share = 1.0 / figure.columns,
               left = share * static_cast<double>(panel % static_cast<std::size_t>(figure.columns)),
               narrow = figure.columns > 1 ? 0.75 : 1.0;
  return fmt::format("  set lmargin at screen {:.4f}\n  set rmargin at screen {:.4f}\n",
                     left + figure.left * narrow, left + share - kRight * narrow);
}

std::string panel_commands(const Panel& panel, const Margins& margins, std::size_t first_block) {
  std::string out = fmt::format("  set tmargin at screen {:.4f}\n  set bmargin at screen {:.4f}\n",
                                margins.top, margins.bottom);
  out += fmt::format(
      "  set label 1 {} at graph 0, graph 1 left offset character 0, character {} textcolor rgb '#111111'\n",
      quoted(panel.title), 1.0 + kLegendRow * legend_rows(panel));
  out += axis_commands(panel.x, 'x', "offset 0,0.2") + axis_commands(panel.y, 'y', "offset 0,0");
  out += panel.legend
             ? fmt::format("  set key at graph 0, graph 1 left bottom {}\n",
                           legend_rows(panel) == 1 ? std::string("horizontal")
                                                   : fmt::format("vertical maxrows {}", legend_rows(panel)))
             : "  unset key\n";
  std::string clauses;
  for (std::size_t i = 0; i < panel.series.size(); ++i) {
    if (i > 0) clauses += ", \\\n    ";
    clauses += plot_clause(panel.series[i], first_block + i, panel.legend);
  }
  return out + "  plot " + clauses + "\n";
}

}  // namespace

double round_step(double range, int most) {
  if (!(range > 0)) return 1.0;
  const double least = range / most, decade = std::pow(10.0, std::floor(std::log10(least)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * decade >= least * (1 - 1e-9)) return step * decade;
  }
  return 10 * decade;
}

std::string figure_data(const Figure& figure) {
  std::string out;
  for (const Panel& panel : figure.panels) {
    for (const Series& series : panel.series) {
      // Two empty lines begin a new block, which the script addresses by its number.
      if (!out.empty()) out += "\n\n";
      out += fmt::format("# {}\n# x y{}{}{}\n", series.name, series.low.empty() ? "" : " low",
                         series.high.empty() ? "" : " high", series.words.empty() ? "" : " word");
      for (std::size_t i = 0; i < series.x.size(); ++i) {
        out += number(series.x[i]) + ' ' + number(series.y[i]);
        if (!series.low.empty()) out += ' ' + number(series.low[i]);
        if (!series.high.empty()) out += ' ' + number(series.high[i]);
        if (!series.words.empty()) out += ' ' + series.words[i];
        out += '\n';
      }
    }
  }
  return out;
}

std::string figure_script(const Figure& figure) {
  std::string out = fmt::format(
      "# Draws {0}.svg and {0}.png from {0}.dat: run `gnuplot {0}.gp` in this folder.\n"
      "set encoding utf8\n"
      "set datafile missing 'NaN'\n"
      "data = {1}\n"
      "do for [format in \"svg png\"] {{\n"
      "  if (format eq \"svg\") {{\n"
      "    set terminal svg size {2},{3} font 'Arial,13' background rgb 'white' noenhanced dynamic\n"
      "  }} else {{\n"
      "    set terminal pngcairo size {4},{5} font 'Arial,10' fontscale 2 linewidth 2 pointscale 2 "
      "background rgb 'white' noenhanced\n"
      "  }}\n"
      "  set output {6} . format\n",
      figure.name, quoted(figure.name + ".dat"), figure.width, figure.height, 2 * figure.width,
      2 * figure.height, quoted(figure.name + "."));
  out += kStyle;
  out += "  set multiplot\n";
  std::size_t block = 0;
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    out += side_margins(figure, i) + panel_commands(figure.panels[i], margins_of(figure, i), block);
    block += figure.panels[i].series.size();
  }
  return out + "  unset multiplot\n  unset output\n}\n";
}

}  // namespace shoal
