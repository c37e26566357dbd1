// Mixtures of two components fitted to many samples at once. The mathematics and the bounds are in
// docs/statistics.md ("Mixtures"), the op in kernels/mixture.h.
//
//   exp_normal     parameters scale, mean, sd         weight = the exponential's; the normal is not truncated
//   gamma_gamma    parameters shape1, scale1, shape2, scale2   weight of the first, which has the lower shape
//   normal_normal  parameters mean1, sd1, mean2, sd2           weight of the first, which has the lower mean
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/calculator.h"
#include "analysis/samples.h"
#include "kernels/mixture.h"

namespace shoal {

/// "exp-normal", "gamma-gamma", "normal-normal".
const char* name_of(MixtureKind);

enum class MixtureProcedure {
  best_of_starts,  // EM from some tens of fixed starts, the best ones to convergence
  /// exp_normal and gamma_gamma as in the journal on metrics of layers (docs/statistics.md): one start, at
  /// most 100 iterations, stops when the weight moves by less than 1e-6 or 1e-5; gammas get 1e-5 added to
  /// every value. Host code, one sample a thread.
  journal
};

/// Exact zeros, which an exponential has probability 0 for and a gamma no density. normal_normal keeps them
/// whatever is said here.
enum class MixtureZeros {
  drop,   // they are left out and counted
  keep,   // exp_normal only; gamma_gamma refuses
  refuse  // a sample that has one is not fitted
};

struct MixtureSpec {
  MixtureProcedure procedure = MixtureProcedure::best_of_starts;
  MixtureZeros zeros = MixtureZeros::drop;
  int max_iterations = 20000;     // E-steps of one start; best_of_starts only
  double tolerance = 1e-8;        // estimated log-likelihood still to gain; best_of_starts only
  bool responsibilities = false;  // whether MixtureFit::responsibilities is wanted
};

enum class MixtureStatus {
  ok,
  one_component,  // no mixture within the bounds is better than one component, which is reported
  not_converged,  // the iteration limit came first; the fit is what was reached
  too_few,        // fewer than 8 values are left
  no_range,       // all values are equal, or nearly so for gammas: sd <= 1e-5 mean
  not_finite,     // a NaN or an infinity
  negative,       // a value below 0, for exp_normal and gamma_gamma
  zeros           // an exact zero that was not to be left out
};
/// One sentence.
std::string to_text(MixtureStatus);
/// Whether there is a fit: ok, one_component or not_converged.
bool has_fit(MixtureStatus);

struct MixtureFit {
  MixtureKind kind{};
  MixtureStatus status{};
  double weight = 0;                   // of the first component; 1 or 0 when there is only one
  std::array<double, 4> parameters{};  // as above; NaN for the component that is not there, and for the
                                       // fourth of exp_normal
  double log_likelihood = 0;           // natural logarithm, of all values together
  double aic = 0, bic = 0;  // 2 p - 2 ll and p ln n - 2 ll with p free parameters of what is reported
  double single_log_likelihood = 0;  // of the best single component, for comparison
  int iterations = 0;                // E-steps of the fit that won
  bool converged = false;
  std::int64_t count = 0;  // values that were fitted
  std::int64_t zeros = 0;  // exact zeros that were left out
  /// Where the second weighted density overtakes the first between the means of the components; NaN where it
  /// does not.
  double crossing = 0;
  /// Of the first component for each value of the sample, in its order; NaN for zeros left out. Empty unless
  /// asked for.
  std::vector<double> responsibilities;
};

/// One fit a sample, in their order. All numbers of a fit are NaN when its status says that there is none. A
/// fit does not depend on the order of a sample's values, on the other samples, or on the number of threads.
/// std::invalid_argument for offsets that do not fit the values, for a spec that makes no sense, and for the
/// journal's procedure of normal_normal, which it does not have.
std::vector<MixtureFit> fit_mixtures(const Calculator&, MixtureKind, Samples<double>,
                                     const MixtureSpec& = {});

/// Density at x of one component (0 or 1) times its weight, and of the mixture; of a component that is not
/// there 0.
double component_density(const MixtureFit&, int component, double x);
double mixture_density(const MixtureFit&, double x);

/// Mean of a component, NaN where it is not there.
double component_mean(const MixtureFit&, int component);

}  // namespace shoal
