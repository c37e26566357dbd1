// The figures of the plateau study.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/plateau_rows.h"

namespace shoal {

/// Outgoing weights and gate by neuron, and x0 by epoch. `where`: "MNIST, 5 epochs".
std::vector<Figure> plateau_figures(const PlateauSpec&, std::span<const PlateauRow>,
                                    const std::string& where);

}  // namespace shoal
