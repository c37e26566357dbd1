// Figures as plain values, and the gnuplot text that draws them. The data and the script of every figure stay
// beside it, so that it can be restyled without running anything again:
//
//   NAME.dat   one block a series, columns named in a comment
//   NAME.gp    `gnuplot NAME.gp` in that folder draws NAME.svg and NAME.png
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace shoal {

enum class Mark {
  line,
  dashed_line,
  points,      // with bars from low to high
  error_bars,  // the same, joined by a line
  area,        // filled between low and y, with a line along y
  rings,       // open circles, to point at something
  words,       // `words` to the right of points and a little lower
  words_left,  // to the left and a little higher
  words_up,    // to the right and a little higher
  across,      // points with bars along x, from low to high
};

/// One set of values. All columns that the mark uses have the same length; a value that is not finite leaves
/// a gap.
struct Series {
  Mark mark = Mark::line;
  std::string name;    // in the data file, and in the legend unless that is off for the panel
  std::string colour;  // "#rrggbb"
  std::vector<double> x, y, low = {}, high = {};
  std::vector<std::string> words = {};  // of the marks that are words; without spaces
};

struct Axis {
  std::string label = {};  // with its unit
  std::optional<double> from = std::nullopt, to = std::nullopt;
  bool log2 = false, log10 = false;
  std::vector<std::pair<double, std::string>> tics = {};  // empty: every `step`
  double step = 0;                                        // 0: gnuplot's choice
  bool grid = true;
};

struct Panel {
  std::string title = {};  // says what and of how many
  Axis x, y;
  std::vector<Series> series = {};  // drawn in this order
  bool legend = false;              // between title and panel: series that have a name
  int legend_columns = 1;           // of a legend with more than two names
  double height = 1;                // share of the figure, relative to the other panels
};

/// Panels stand one below the other, or in `columns`, row by row.
struct Figure {
  std::string name;  // of the files, without a suffix
  std::vector<Panel> panels;
  int width = 760, height = 480;  // of the SVG; the PNG has twice as many pixels
  int columns = 1;
  double left = 0.095;  // share of the width for the numbers, or words, of the vertical axis; of one column
};

/// The smallest of ..., 1, 2, 5, 10, 20, 50, ... that divides `range` into at most `most` parts.
double round_step(double range, int most);

std::string figure_data(const Figure&);
std::string figure_script(const Figure&);

}  // namespace shoal
