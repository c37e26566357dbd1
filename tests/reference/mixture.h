// Mixtures of two components: plain EM from random starts, and random samples to fit. Written for reading,
// with an algorithm of its own for every step: densities by lgamma, the gamma's shape by bisection on a
// digamma of its own.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace reference {

enum class Mixture { exp_normal, gamma_gamma, normal_normal };

/// {weight of the first component, its two parameters, the second's}: exponential {scale, unused}, gamma
/// {shape, scale}, normal {mean, sd}.
using MixtureFit = std::array<double, 5>;

double digamma(double x);
/// k with ln k - digamma(k) = s, between `low` and `high`.
double gamma_shape(double s, double low, double high);

/// ln of weight times density of component j.
long double log_term(Mixture, const MixtureFit&, int j, double x);
long double log_likelihood(Mixture, const MixtureFit&, const std::vector<double>& sample);
/// Of one component alone: the better of the two kinds.
double single_log_likelihood(Mixture, const std::vector<double>& sample);

/// docs/statistics.md, "Mixtures", says the bounds in words.
struct MixtureLimits {
  double weight, sd, scale, shape_low, shape_high;
};
MixtureLimits mixture_limits(Mixture, const std::vector<double>& sample);
bool at_limit(Mixture, const MixtureFit&, const MixtureLimits&);

struct MixtureEm {
  MixtureFit fit;
  double log_likelihood;
};
/// Plain EM until the gain is below `tolerance` a step, or `iterations` are done.
MixtureEm em(Mixture, const std::vector<double>& sample, MixtureFit start, const MixtureLimits&,
             int iterations, double tolerance);

MixtureFit random_start(Mixture, const std::vector<double>& sample, std::uint64_t seed);
/// The largest log-likelihood that EM reaches from this many random starts without ending at a limit; that of
/// the single component where it does from none.
double best_of_random_starts(Mixture, const std::vector<double>& sample, int starts, std::uint64_t seed);

/// Sample `index` of a fixed collection: 64 to 4096 values; well separated, overlapping, really of one
/// component, in units of 1e-6, 1 and 1e6, some rounded so that there are ties.
std::vector<double> mixture_sample(Mixture, int index);

}  // namespace reference
