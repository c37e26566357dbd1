#include "tools/figures/draw.h"

#include <fmt/format.h>

#include "tools/figures/gnuplot.h"

namespace shoal {

void draw_figures(std::span<const Figure> figures, const RunDirectory& directory, Report& report) {
  for (const Figure& figure : figures) {
    directory.write(fmt::format("figures/{}.dat", figure.name), figure_data(figure));
    directory.write(fmt::format("figures/{}.gp", figure.name), figure_script(figure));
  }
  const std::filesystem::path folder = directory.file("figures");
  for (const Figure& figure : figures) {
    const GnuplotResult result = run_gnuplot(folder, figure.name + ".gp");
    if (result.outcome == GnuplotResult::Outcome::drawn) continue;
    if (result.outcome == GnuplotResult::Outcome::no_gnuplot) {
      report.warn(
          fmt::format("gnuplot is not installed, so no figures were drawn; their data and scripts are in {} "
                      "(Debian's package: gnuplot-nox)",
                      folder.string()));
    } else {
      report.warn(
          fmt::format("gnuplot could not draw {}: {}", (folder / figure.name).string(), result.message));
    }
    return;
  }
}

}  // namespace shoal
