// The width study on several data sets, side by side.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/width_rows.h"

namespace shoal {

struct NamedFigureRows {
  std::string where;
  const std::vector<WidthRow>& rows;
};

/// side-by-side: accuracy, W, mixtures and sum of sds, a column a data set, on common axes.
std::vector<Figure> beside_figures(std::span<const NamedFigureRows>);

}  // namespace shoal
