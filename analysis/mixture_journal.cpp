#include "analysis/mixture_journal.h"

#include <cmath>
#include <limits>

namespace shoal {
namespace {

constexpr int kIterations = 100;
constexpr double kHalfLogTwoPi = 0.91893853320467274178;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Sums of an E-step, weighted by the responsibilities of each component.
struct Sums {
  double count[2]{}, x[2]{}, v[2]{}, log_likelihood = 0;
};

template <class First, class Second, class Value>
Sums e_step(std::span<const double> sample, First first, Second second, Value value) {
  Sums s;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double a = first(i), b = second(i), e = std::exp(-std::abs(a - b));
    const double r[2] = {(a < b ? e : 1.0) / (1.0 + e), (a < b ? 1.0 : e) / (1.0 + e)};
    s.log_likelihood += std::max(a, b) + std::log1p(e);
    for (int j = 0; j < 2; ++j) s.count[j] += r[j], s.x[j] += r[j] * sample[i], s.v[j] += r[j] * value(i);
  }
  return s;
}

/// Start: weight 1/2, scale 1, mean and sd of the sample.
MixtureFit exp_normal(std::span<const double> sample) {
  constexpr double kTiny = 1e-6;
  const auto n = static_cast<double>(sample.size());
  double mean = 0, variance = 0;
  for (const double x : sample) mean += x / n;
  for (const double x : sample) variance += (x - mean) * (x - mean) / n;
  const double all_mean = mean, all_sd = std::sqrt(variance);
  double weight = 0.5, scale = 1, mu = mean, sd = all_sd;
  const auto pass = [&] {
    const double a = std::log(weight) - std::log(scale),
                 b = std::log1p(-weight) - std::log(sd) - kHalfLogTwoPi;
    return e_step(
        sample, [=](std::size_t i) { return a - sample[i] / scale; },
        [=](std::size_t i) { return b - 0.5 * ((sample[i] - mu) / sd) * ((sample[i] - mu) / sd); },
        [&](std::size_t i) { return (sample[i] - all_mean) * (sample[i] - all_mean); });
  };
  MixtureFit fit;
  fit.status = MixtureStatus::not_converged;
  while (fit.iterations < kIterations && !fit.converged) {
    const Sums s = pass();
    ++fit.iterations;
    const double before = weight;
    weight = s.count[0] / n;
    scale = s.x[0] / s.count[0];
    mu = s.x[1] / s.count[1];
    const double d = mu - all_mean;
    sd = std::sqrt(std::max(s.v[1] / s.count[1] - d * d, 0.0));
    const bool no_first = !(weight >= kTiny) || !(scale >= kTiny);
    if (no_first || !(1 - weight >= kTiny) || !(sd >= kTiny)) {
      fit.status = MixtureStatus::one_component;
      fit.converged = true;
      fit.weight = no_first ? 0 : 1;
      if (no_first) fit.parameters = {kNone, all_mean, all_sd, kNone};
      else fit.parameters = {all_mean, kNone, kNone, kNone};
      fit.log_likelihood =
          no_first ? -n * (std::log(all_sd) + kHalfLogTwoPi + 0.5) : -n * (std::log(all_mean) + 1);
      return fit;
    }
    fit.converged = std::abs(weight - before) < 1e-6;
  }
  if (fit.converged) fit.status = MixtureStatus::ok;
  fit.weight = weight;
  fit.parameters = {scale, mu, sd, kNone};
  fit.log_likelihood = pass().log_likelihood;
  return fit;
}

/// ln k - psi(k) = s by bisection, in a bracket that is moved from [1/2, 1] by factors of 2 until the sign
/// changes; 1 where it never does.
double bisected_shape(double s) {
  const auto residual = [s](double k) { return gamma_terms(k).log_minus_digamma - s; };
  double low = 0.5, high = 1;
  while (residual(low) < 0 && low > 1e-300) low /= 2;
  while (residual(high) > 0 && high < 1e300) high *= 2;
  if (!(residual(low) >= 0) || !(residual(high) <= 0)) return 1;
  for (int i = 0; i < 200 && high - low > 1e-15 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (residual(middle) > 0 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

/// 1e-5 is added to every value. Start: weight 1/2, (shape, scale) = (1/2, 1) and (10, mean / 10).
MixtureFit gamma_gamma(std::span<const double> original) {
  std::vector<double> sample(original.begin(), original.end()), logs(sample.size());
  const auto n = static_cast<double>(sample.size());
  double mean = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    sample[i] += 1e-5;
    logs[i] = std::log(sample[i]);
    mean += sample[i] / n;
  }
  double weight = 0.5, shape[2] = {0.5, 10}, scale[2] = {1, mean / 10};
  const auto pass = [&] {
    double constant[2];
    for (int j = 0; j < 2; ++j)
      constant[j] =
          std::log(j == 0 ? weight : 1 - weight) - log_gamma(shape[j]) - shape[j] * std::log(scale[j]);
    const auto density = [&, constant](int j) {
      return [&, j, c = constant[j]](std::size_t i) {
        return c + (shape[j] - 1) * logs[i] - sample[i] / scale[j];
      };
    };
    return e_step(std::span<const double>(sample), density(0), density(1),
                  [&](std::size_t i) { return logs[i]; });
  };
  MixtureFit fit;
  fit.status = MixtureStatus::not_converged;
  while (fit.iterations < kIterations && !fit.converged) {
    const Sums s = pass();
    ++fit.iterations;
    const double before = weight;
    weight = s.count[0] / n;
    for (int j = 0; j < 2; ++j) {
      if (!(s.count[j] > 0)) continue;
      const double mean_j = s.x[j] / s.count[j];
      shape[j] = bisected_shape(std::log(mean_j) - s.v[j] / s.count[j]);
      scale[j] = mean_j / shape[j];
    }
    fit.converged = std::abs(weight - before) < 1e-5;
  }
  if (fit.converged) fit.status = MixtureStatus::ok;
  fit.weight = weight;
  fit.parameters = {shape[0], scale[0], shape[1], scale[1]};
  fit.log_likelihood = pass().log_likelihood;
  return fit;
}

}  // namespace

MixtureFit journal_mixture(MixtureKind kind, std::span<const double> sample) {
  return kind == MixtureKind::exp_normal ? exp_normal(sample) : gamma_gamma(sample);
}

}  // namespace shoal
