// Figures of the width study.
#pragma once

#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/width_rows.h"

namespace shoal {

/// accuracy (with dead neurons below), neuron-sd (densities), sum-of-sd, dead, and where the shapes of the
/// sds are known: shapiro, accuracy-w, neuron-sd-peak, mixtures, metrics. `where` is what stands in the
/// titles about the data and the training: "MNIST, 5 epochs".
std::vector<Figure> width_figures(const std::vector<WidthRow>&, const std::string& where);

}  // namespace shoal
