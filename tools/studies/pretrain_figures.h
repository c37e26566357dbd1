// Figures of the study of gates that begin late.
#pragma once

#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/pretrain_rows.h"

namespace shoal {

/// pretrain-size, pretrain-dose, pretrain-accuracy, pretrain-cut; those that have something to show. `where`:
/// "MNIST".
std::vector<Figure> pretrain_figures(const PretrainSpec&, const std::vector<PretrainRow>&,
                                     const std::vector<Cut>&, const std::string& where);

}  // namespace shoal
