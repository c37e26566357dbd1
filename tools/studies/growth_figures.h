// The figures of the growth study; the panels of several data sets stand side by side.
#pragma once

#include <span>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/growth_rows.h"

namespace shoal {

/// growth-arms: every arm against the final width from the beginning; growth-curves: test loss against cost;
/// growth-when: the gain of adding neurons against the signals. None when the sets have different arms.
std::vector<Figure> growth_figures(std::span<const GrowthResults>);

}  // namespace shoal
