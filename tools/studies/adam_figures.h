// Figures of the Adam study.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/adam_rows.h"

namespace shoal {

/// `where`: "MNIST, 120 epochs".
std::vector<Figure> adam_figures(std::span<const AdamRow>, const std::string& where);

}  // namespace shoal
