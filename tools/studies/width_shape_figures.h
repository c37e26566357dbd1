// Figures of the width study that show the shape of the neurons' sds.
#pragma once

#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/width_rows.h"

namespace shoal {

/// shapiro, accuracy-w, neuron-sd-peak, mixtures, metrics; nothing when no width has a pooled W. `where`: as
/// in width_figures.
std::vector<Figure> width_shape_figures(const std::vector<WidthRow>&, const std::string& where);

}  // namespace shoal
