// Figures of the PCA study.
#pragma once

#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/pca_rows.h"

namespace shoal {

/// pca-spectrum, pca-reconstruction, pca-accuracy (where accuracies were measured) and pca-dimension. `where`
/// is what stands in the titles about the data and the training: "MNIST, 10 epochs".
std::vector<Figure> pca_figures(const PcaResults&, const std::string& where);

}  // namespace shoal
