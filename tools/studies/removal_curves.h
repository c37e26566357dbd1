// The curves of one network's figures: densities and distribution functions.
#pragma once

#include <span>

#include "tools/studies/removal_network.h"

namespace shoal {

/// Tables of one network.
struct RemovalTables {
  std::span<const double> loss, log_loss, lengths;  // [2^nodes]
  std::span<const double> covariances;              // of the log loss, by flips
};

RemovalCurves removal_curves(const Calculator&, const RemovalNetwork&, const RemovalTables&,
                             const GradientStatistics&);

/// Of all nodes that are alive, each counting as much.
WeightedHistogram alive_histogram(const RemovalNetwork&, const GradientStatistics&, GradientOf, int keep,
                                  NodeState = NodeState::either);

/// Smoothed, on steps of a sixth of the bandwidth that meet 0, over four sds (at least four bandwidths)
/// around 0 and the mean.
Density gradient_density(const WeightedHistogram&, const ShapeMoments&);

}  // namespace shoal
