// The fits of the journal on metrics of layers, as its code did them (docs/statistics.md, "Mixtures").
#pragma once

#include <span>

#include "analysis/mixture.h"

namespace shoal {

/// exp_normal or gamma_gamma of one sample of values that are positive, or not below 0 for exp_normal, in any
/// order. Fills weight, parameters (components in the order of the start), log_likelihood, iterations,
/// converged and status.
MixtureFit journal_mixture(MixtureKind, std::span<const double> sample);

}  // namespace shoal
