#include "tests/reference/mixture_journal.h"

#include <cmath>

#include "tests/reference/mixture.h"

namespace reference {
namespace {

using Wide = long double;

/// Share of the first component at x.
Wide share(Mixture kind, const MixtureFit& fit, double x) {
  const Wide a = std::exp(log_term(kind, fit, 0, x)), b = std::exp(log_term(kind, fit, 1, x));
  return a + b > 0 ? a / (a + b) : 0;
}

Wide weighted_mean(const std::vector<Wide>& weights, const std::vector<Wide>& values) {
  Wide sum = 0, total = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] * values[i], total += weights[i];
  return sum / total;
}

}  // namespace

JournalFit journal_exp_normal(const std::vector<double>& sample) {
  const std::vector<Wide> x(sample.begin(), sample.end());
  std::vector<Wide> one(x.size(), 1), squares(x.size()), first(x.size()), second(x.size());
  const Wide mean = weighted_mean(one, x);
  for (std::size_t i = 0; i < x.size(); ++i) squares[i] = (x[i] - mean) * (x[i] - mean);
  const Wide sd = std::sqrt(weighted_mean(one, squares));
  MixtureFit fit{0.5, 1, 1, static_cast<double>(mean), static_cast<double>(sd)};
  for (int step = 1; step <= 100; ++step) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      first[i] = share(Mixture::exp_normal, fit, sample[i]);
      second[i] = 1 - first[i];
    }
    const double before = fit[0];
    const Wide mu = weighted_mean(second, x);
    for (std::size_t i = 0; i < x.size(); ++i) squares[i] = (x[i] - mu) * (x[i] - mu);
    fit = {static_cast<double>(weighted_mean(one, first)), static_cast<double>(weighted_mean(first, x)), 1,
           static_cast<double>(mu), static_cast<double>(std::sqrt(weighted_mean(second, squares)))};
    if (fit[0] < 1e-6 || fit[1] < 1e-6)
      return {{0, 0, 0, static_cast<double>(mean), static_cast<double>(sd)}, step, true, true};
    if (1 - fit[0] < 1e-6 || fit[4] < 1e-6)
      return {{1, static_cast<double>(mean), 0, 0, 0}, step, true, true};
    if (std::abs(fit[0] - before) < 1e-6) return {fit, step, true, false};
  }
  return {fit, 100, false, false};
}

JournalFit journal_gamma_gamma(const std::vector<double>& sample) {
  std::vector<double> shifted(sample);
  for (double& v : shifted) v += 1e-5;
  const std::vector<Wide> x(shifted.begin(), shifted.end());
  std::vector<Wide> one(x.size(), 1), logs(x.size()), weights[2]{one, one};
  for (std::size_t i = 0; i < x.size(); ++i) logs[i] = std::log(x[i]);
  MixtureFit fit{0.5, 0.5, 1, 10, static_cast<double>(weighted_mean(one, x) / 10)};
  for (int step = 1; step <= 100; ++step) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      weights[0][i] = share(Mixture::gamma_gamma, fit, shifted[i]);
      weights[1][i] = 1 - weights[0][i];
    }
    const double before = fit[0];
    fit[0] = static_cast<double>(weighted_mean(one, weights[0]));
    for (std::size_t j = 0; j < 2; ++j) {
      const Wide mean = weighted_mean(weights[j], x);
      const auto s = static_cast<double>(std::log(mean) - weighted_mean(weights[j], logs));
      // The journal's bisection has one answer, which any way of solving the equation finds.
      fit[1 + 2 * j] = gamma_shape(s, 1e-12, 1e12);
      fit[2 + 2 * j] = static_cast<double>(mean) / fit[1 + 2 * j];
    }
    if (std::abs(fit[0] - before) < 1e-5) return {fit, step, true, false};
  }
  return {fit, 100, false, false};
}

}  // namespace reference
