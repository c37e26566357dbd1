// Figures of the ordering study: a column a data set.
#pragma once

#include <span>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/ordering_rows.h"

namespace shoal {

/// ordering-proxies, ordering-stability (with two checkpoints or more), ordering-pruning.
std::vector<Figure> ordering_figures(std::span<const OrderingResults>);

}  // namespace shoal
