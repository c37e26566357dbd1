// What a mixture's fits need before the first E-step, host code: a sample in convenient units, its bounds,
// the fit by one component, and the places to start from. No random numbers: the same sample has the same
// starts on every machine and in every order of its values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/mixture.h"

namespace shoal {

/// original = shift + scale * value; scale is a power of two, shift is 0 but for normal_normal. In these
/// units a sample has a mean or an sd near 1, so no square of it overflows.
struct MixtureUnits {
  double shift, scale;
};

/// Units for an ascending sample of finite values.
MixtureUnits mixture_units(MixtureKind, std::span<const double> ascending);

/// An ascending sample in its units.
struct MixtureSample {
  std::span<const double> values;
  std::span<const double> log_values;  // gammas only
};

/// The fit of one component to the whole sample: of a normal for normal_normal, of a gamma for gamma_gamma,
/// and of the better of an exponential (component 0) and a normal (component 1) for exp_normal.
struct MixtureSingle {
  int component;
  double parameters[2];
  double log_likelihood;
};
MixtureSingle fit_single(MixtureKind, MixtureSample);

/// The bounds of a fit (docs/statistics.md), from the sample:
///   weights  at least 3 / n: a component stands for three values or more
///   sd       of a normal at least 1e-3 of the sample's
///   scale    of an exponential at least 1e-6 of the sample's mean
///   shape    of a gamma within [1e-3, 1e6 max(1, (mean / sd)^2)]
MixtureBounds mixture_bounds(MixtureKind, MixtureSample);

/// Starts for the sample, best guesses in no particular order; some tens of them.
std::vector<MixtureParameters> mixture_starts(MixtureKind, MixtureSample, const MixtureBounds&);

}  // namespace shoal
