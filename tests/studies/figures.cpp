// Figures: colours, the data file, the script, and gnuplot as a child.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tools/figures/colours.h"
#include "tools/figures/figure.h"
#include "tools/figures/gnuplot.h"

namespace {

using namespace shoal;
namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "shoal-figures-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  void write(const std::string& file, const std::string& text) const { std::ofstream(path / file) << text; }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Figure small_figure() {
  Series measured{Mark::error_bars,     "it's measured", kBlue,    {1, 2, 4},
                  {3, std::nan(""), 5}, {2, 3, 4},       {4, 5, 6}};
  Series fit{Mark::dashed_line, "fit", kGrey, {1, 4}, {3, 5}};
  Series hill{Mark::area, "hill", viridis(0.5), {0, 1, 2}, {1, 2, 1}, {1, 1, 1}};
  Panel upper{.title = "upper $HOME `ls`",
              .x = {.label = "", .log2 = true, .tics = {{1, "one"}, {4, "four"}}},
              .y = {.label = "y (%)", .from = 0.0},
              .series = {measured, fit},
              .legend = true};
  Panel lower{.title = "lower", .x = {.label = "x"}, .y = {.label = "y"}, .series = {hill}};
  return {"small", {upper, lower}};
}

TEST_CASE("viridis runs from dark violet to yellow and stays in its range") {
  CHECK(viridis(0) == "#440154");
  CHECK(viridis(1) == "#fde725");
  CHECK(viridis(-1) == viridis(0));
  CHECK(viridis(2) == viridis(1));
  CHECK(viridis(1.0 / 30) == "#460e60");  // half way between the first two anchors
}

TEST_CASE("a round step divides a range into few parts") {
  CHECK(round_step(1, 4) == doctest::Approx(0.5));
  CHECK(round_step(10, 5) == doctest::Approx(2));
  CHECK(round_step(1.9, 4) == doctest::Approx(0.5));
  CHECK(round_step(700, 4) == doctest::Approx(200));
  CHECK(round_step(0, 4) == 1);
  for (double range = 0.01; range < 1e4; range *= 1.37) {
    CHECK(range / round_step(range, 4) <= 4 * (1 + 1e-9));
    CHECK(range / round_step(range, 4) > 1.5);
  }
}

TEST_CASE("the data file has a block a series, with its columns named") {
  CHECK(figure_data(small_figure()) ==
        "# it's measured\n# x y low high\n1 3 2 4\n2 NaN 3 5\n4 5 4 6\n\n\n"
        "# fit\n# x y\n1 3\n4 5\n\n\n"
        "# hill\n# x y low\n0 1 1\n1 2 1\n2 1 1\n");
}

TEST_CASE("the script quotes text, so that nothing in it is a command") {
  const std::string script = figure_script(small_figure());
  CHECK(contains(script, "title 'it''s measured'"));
  CHECK(contains(script, "set label 1 'upper $HOME `ls`'"));
  CHECK(contains(script, "set xtics ('one' 1, 'four' 4)"));
  CHECK(contains(script, "set yrange [0:*]"));
  CHECK(contains(script, "set logscale x 2"));
  CHECK(contains(script, "data index 2 using 1:3:2 with filledcurves"));
}

TEST_CASE("a percent sign in the label of a tic is no format") {
  Figure figure = small_figure();
  figure.panels[0].x.tics = {{1, "5 % of it"}};
  CHECK(contains(figure_script(figure), "set xtics ('5 %% of it' 1)"));
}

TEST_CASE("an absent gnuplot is told apart from a failing one") {
  const Folder folder;
  folder.write("broken.gp", "set no such thing\n");
  CHECK(run_gnuplot(folder.path, "broken.gp", "no-such-program-as-this").outcome ==
        GnuplotResult::Outcome::no_gnuplot);
  const GnuplotResult result = run_gnuplot(folder.path, "broken.gp");
  if (result.outcome == GnuplotResult::Outcome::no_gnuplot) {
    MESSAGE("gnuplot is not installed: drawing is not tested");
    return;
  }
  CHECK(result.outcome == GnuplotResult::Outcome::failed);
  CHECK(contains(result.message, "line 1"));
}

TEST_CASE("gnuplot draws both formats from one script, and says nothing") {
  const Folder folder;
  const Figure figure = small_figure();
  folder.write("small.dat", figure_data(figure));
  folder.write("small.gp", figure_script(figure));
  const GnuplotResult result = run_gnuplot(folder.path, "small.gp");
  if (result.outcome == GnuplotResult::Outcome::no_gnuplot) return;
  CHECK(result.message == "");
  REQUIRE(result.outcome == GnuplotResult::Outcome::drawn);
  std::ifstream file(folder.path / "small.svg");
  const std::string svg((std::istreambuf_iterator<char>(file)), {});
  CHECK(contains(svg, "upper $HOME `ls`"));  // text stays text
  CHECK(contains(svg, "</svg>"));
  CHECK(fs::file_size(folder.path / "small.png") > 1000);
}

}  // namespace
