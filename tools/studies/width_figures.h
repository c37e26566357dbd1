// Figures of the width study.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/width_rows.h"

namespace shoal {

/// accuracy (with dead neurons below), neuron-sd (densities), sum-of-sd, dead, and where the shapes of the
/// sds are known: shapiro, accuracy-w, neuron-sd-peak, mixtures, metrics. `where` is what stands in the
/// titles about the data and the training: "MNIST, 5 epochs".
std::vector<Figure> width_figures(const std::vector<WidthRow>&, const std::string& where);

/// side-by-side: accuracy, W, mixtures and sum of sds of several data sets, a column each, on common axes.
struct NamedFigureRows {
  std::string where;
  const std::vector<WidthRow>& rows;
};
std::vector<Figure> beside_figures(std::span<const NamedFigureRows>);

}  // namespace shoal
