// Figures of the conjecture study.
#pragma once

#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/conjecture_rows.h"

namespace shoal {

/// conjecture: every metric on noise as a multiple of its value on the real data; conjecture-sd: densities of
/// the neurons' sds. `data`: name of the real data, for the titles.
std::vector<Figure> conjecture_figures(const Conjecture&, const std::string& data);

}  // namespace shoal
