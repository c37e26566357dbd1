// Figures of the removal study.
#pragma once

#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/removal_rows.h"

namespace shoal {

/// Of the network that is looked at closely (densities and distribution functions of loss, log loss and their
/// gradients, flips, balance, ring), then of all. `where`: "circle, 200 epochs". None of nothing.
std::vector<Figure> removal_figures(const RemovalResults&, const std::string& where);

}  // namespace shoal
