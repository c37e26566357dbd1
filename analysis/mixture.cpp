#include "analysis/mixture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "analysis/mixture_journal.h"
#include "analysis/mixture_run.h"
#include "kernels/mixture_starts.h"

namespace shoal {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kFewest = 8;
/// Values that a device gets in one call.
constexpr std::int64_t kBatchValues = std::int64_t{1} << 26;

/// Component j's two parameters in the kernels' words.
struct Component {
  MixtureComponent type;
  double p[2];
};
Component component_at(const MixtureFit& fit, int j) {
  const auto& q = fit.parameters;
  const MixtureComponent type = component_of(fit.kind, j);
  if (fit.kind == MixtureKind::exp_normal)
    return j == 0 ? Component{type, {q[0], 1.0}} : Component{type, {q[1], q[2]}};
  const auto i = static_cast<std::size_t>(2 * j);
  if (fit.kind == MixtureKind::gamma_gamma) return {type, {q[i], q[i] * q[i + 1]}};
  return {type, {q[i], q[i + 1]}};
}

/// ln(weight * density) at x.
double log_term(const MixtureFit& fit, int j, double x) {
  const Component c = component_at(fit, j);
  const double weight = j == 0 ? fit.weight : 1.0 - fit.weight;
  if (!(weight > 0.0) || std::isnan(c.p[0])) return -HUGE_VAL;
  if (x < 0.0 && c.type != MixtureComponent::normal) return -HUGE_VAL;
  MixtureTerms t{};
  component_terms(c.type, c.p, weight, j, &t);
  const double u = x - t.offset[j];
  double sum = t.a[j] + t.b[j] * u;
  if (c.type == MixtureComponent::normal) sum += t.c[j] * u * u;
  else if (t.c[j] != 0.0) sum += t.c[j] * std::log(x);
  return sum;
}

double crossing_of(const MixtureFit& fit) {
  double a = component_mean(fit, 0), b = component_mean(fit, 1);
  const auto lead = [&](double x) { return log_term(fit, 0, x) - log_term(fit, 1, x); };
  // Between the means the lead changes its sign at most once: it is a parabola, or a line and a logarithm.
  if (!(lead(a) > 0.0) || !(lead(b) < 0.0)) return kNone;
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * a + 0.5 * b;
    if (middle == a || middle == b) break;
    (lead(middle) > 0.0 ? a : b) = middle;
  }
  return 0.5 * a + 0.5 * b;
}

/// What is left of a sample, or why nothing can be fitted.
MixtureStatus filter(MixtureKind kind, std::span<const double> sample, MixtureZeros zeros,
                     std::vector<double>& values, std::int64_t& left_out) {
  const bool positive = kind != MixtureKind::normal_normal;
  values.clear();
  left_out = 0;
  for (const double x : sample) {
    if (!std::isfinite(x)) return MixtureStatus::not_finite;
    if (positive && x < 0.0) return MixtureStatus::negative;
    if (positive && x == 0.0) {
      const bool keep = zeros == MixtureZeros::keep && kind == MixtureKind::exp_normal;
      if (!keep && zeros != MixtureZeros::drop) return MixtureStatus::zeros;
      if (!keep) {
        ++left_out;
        continue;
      }
    }
    values.push_back(x);
  }
  if (static_cast<std::int64_t>(values.size()) < kFewest) return MixtureStatus::too_few;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*low == *high) return MixtureStatus::no_range;
  if (kind == MixtureKind::gamma_gamma) {
    const double n = static_cast<double>(values.size()), top = *high;
    double mean = 0, squares = 0;
    for (const double x : values) mean += x / top / n;
    for (const double x : values) squares += (x / top - mean) * (x / top - mean) / n;
    if (!(std::sqrt(squares) > 1e-5 * mean)) return MixtureStatus::no_range;
  }
  return MixtureStatus::ok;
}

/// A fit that is known but for what follows from its parameters.
void complete(MixtureFit& fit, std::span<const double> sample, bool responsibilities) {
  const auto n = static_cast<double>(fit.count);
  int free = fit.kind == MixtureKind::exp_normal ? 4 : 5;
  if (fit.status == MixtureStatus::one_component)
    free = fit.kind == MixtureKind::exp_normal && fit.weight == 1.0 ? 1 : 2;
  fit.aic = 2.0 * free - 2.0 * fit.log_likelihood;
  fit.bic = free * std::log(n) - 2.0 * fit.log_likelihood;
  fit.crossing = crossing_of(fit);
  if (!responsibilities) return;
  fit.responsibilities.resize(sample.size());
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double a = log_term(fit, 0, sample[i]), b = log_term(fit, 1, sample[i]);
    const bool left_out = sample[i] == 0.0 && fit.zeros > 0;
    fit.responsibilities[i] = left_out ? kNone
                              : a > b  ? 1.0 / (1.0 + std::exp(b - a))
                                       : 1.0 - 1.0 / (1.0 + std::exp(a - b));
  }
}

void set_nothing(MixtureFit& fit) {
  fit.weight = fit.log_likelihood = fit.aic = fit.bic = fit.single_log_likelihood = fit.crossing = kNone;
  fit.parameters = {kNone, kNone, kNone, kNone};
}

void fit_journal(MixtureKind kind, std::vector<double>& values, MixtureFit& fit) {
  const MixtureFit done = journal_mixture(kind, values);
  fit.status = done.status;
  fit.weight = done.weight;
  fit.parameters = done.parameters;
  fit.log_likelihood = done.log_likelihood;
  fit.iterations = done.iterations;
  fit.converged = done.converged;
  std::sort(values.begin(), values.end());
  std::vector<double> logs;
  if (kind == MixtureKind::gamma_gamma)
    for (double& x : values) logs.push_back(std::log(x));
  fit.single_log_likelihood = fit_single(kind, {values, logs}).log_likelihood;
}

}  // namespace

const char* name_of(MixtureKind kind) {
  switch (kind) {
    case MixtureKind::exp_normal: return "exp-normal";
    case MixtureKind::gamma_gamma: return "gamma-gamma";
    case MixtureKind::normal_normal: return "normal-normal";
  }
  return "?";
}

std::string to_text(MixtureStatus status) {
  switch (status) {
    case MixtureStatus::ok: return "converged inside the bounds";
    case MixtureStatus::one_component:
      return "no mixture inside the bounds is better than the single component, whose fit is given";
    case MixtureStatus::not_converged: return "the iteration limit came before convergence";
    case MixtureStatus::too_few: return "a mixture needs at least 8 values";
    case MixtureStatus::no_range: return "all values are equal, or too nearly so for this kind of mixture";
    case MixtureStatus::not_finite: return "the sample holds a value that is not a finite number";
    case MixtureStatus::negative:
      return "the sample holds a negative value; only normal-normal can be fitted to it";
    case MixtureStatus::zeros: return "the sample holds exact zeros, which were not to be left out";
  }
  return "?";
}

bool has_fit(MixtureStatus status) {
  return status == MixtureStatus::ok || status == MixtureStatus::one_component ||
         status == MixtureStatus::not_converged;
}

double component_mean(const MixtureFit& fit, int j) {
  const Component c = component_at(fit, j);
  return c.type == MixtureComponent::gamma ? c.p[1] : c.p[0];
}

double component_density(const MixtureFit& fit, int j, double x) { return std::exp(log_term(fit, j, x)); }

double mixture_density(const MixtureFit& fit, double x) {
  return component_density(fit, 0, x) + component_density(fit, 1, x);
}

std::vector<MixtureFit> fit_mixtures(const Calculator& calculator, MixtureKind kind, Samples<double> samples,
                                     const MixtureSpec& spec) {
  check_samples(samples.offsets, samples.values.size());
  if (spec.max_iterations < 1) throw std::invalid_argument("mixtures: max_iterations must be at least 1");
  if (!(spec.tolerance >= 0.0)) throw std::invalid_argument("mixtures: the tolerance must not be negative");
  const bool journal = spec.procedure == MixtureProcedure::journal;
  if (journal && kind == MixtureKind::normal_normal)
    throw std::invalid_argument(
        "mixtures: the journal has no normal-normal; it has exp-normal and gamma-gamma");
  const std::int64_t count = samples.count();
  std::vector<MixtureFit> fits(static_cast<std::size_t>(count));
  const auto prepare = [&](std::int64_t s, std::vector<double>& values) {
    MixtureFit& fit = fits[static_cast<std::size_t>(s)];
    fit.kind = kind;
    fit.status = filter(kind, samples[s], spec.zeros, values, fit.zeros);
    fit.count = static_cast<std::int64_t>(values.size());
    if (fit.status == MixtureStatus::ok) return true;
    fit.count = 0;
    set_nothing(fit);
    return false;
  };
  if (!calculator.device() || journal) {
    const auto fit_range = [&](std::int64_t first, std::int64_t last, void*) {
      std::vector<double> values;
      for (std::int64_t s = first; s < last; ++s) {
        if (!prepare(s, values)) continue;
        MixtureFit& fit = fits[static_cast<std::size_t>(s)];
        if (journal) fit_journal(kind, values, fit);
        else run_on_cpu(calculator, spec, values, fit);
        complete(fit, samples[s], spec.responsibilities);
      }
    };
    calculator.over_samples(samples.offsets, fit_range);
    return fits;
  }
  for (std::int64_t s = 0; s < count;) {
    std::vector<std::vector<double>> values;
    std::vector<MixtureFit*> batch;
    const std::int64_t first = s;
    for (std::int64_t taken = 0; s < count && taken < kBatchValues; ++s) {
      std::vector<double> own;
      if (!prepare(s, own)) continue;
      taken += static_cast<std::int64_t>(own.size());
      batch.push_back(&fits[static_cast<std::size_t>(s)]);
      values.push_back(std::move(own));
    }
    run_on_device(calculator, spec, values, batch);
    for (std::int64_t done = first; done < s; ++done)
      if (MixtureFit& fit = fits[static_cast<std::size_t>(done)]; has_fit(fit.status))
        complete(fit, samples[done], spec.responsibilities);
  }
  return fits;
}

}  // namespace shoal
