// Figures of the study of layers that learn their size.
#pragma once

#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/flexible_rows.h"

namespace shoal {

/// flexible-start, flexible-penalty, flexible-frontier, flexible-epochs. `where`: "MNIST, 15 epochs".
std::vector<Figure> flexible_figures(const FlexibleSpec&, const std::vector<FlexibleRow>&,
                                     const std::string& where);

}  // namespace shoal
