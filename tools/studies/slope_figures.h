// Figures of the study of the gate's slope.
#pragma once

#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/slope_onoff.h"
#include "tools/studies/slope_rows.h"

namespace shoal {

/// slope-size, slope-zone, slope-change, slope-onoff; those that have something to show. `where`: "MNIST".
std::vector<Figure> slope_figures(const SlopeSpec&, const std::vector<SlopeRow>&,
                                  const std::vector<OnOffRow>&, const std::string& where);

}  // namespace shoal
