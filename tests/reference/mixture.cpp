#include "tests/reference/mixture.h"

#include <algorithm>
#include <cmath>

#include "tests/reference/random.h"

namespace reference {
namespace {

constexpr double kPi = 3.14159265358979323846;

enum class Part { exponential, gamma, normal };
Part part_of(Mixture kind, int j) {
  if (kind == Mixture::gamma_gamma) return Part::gamma;
  return kind == Mixture::exp_normal && j == 0 ? Part::exponential : Part::normal;
}

/// A component with what depends on its parameters alone worked out.
struct Density {
  Part part;
  double p, q, constant;
  Density(Mixture kind, const MixtureFit& fit, int j)
      : part(part_of(kind, j)),
        p(fit[static_cast<std::size_t>(1 + 2 * j)]),
        q(fit[static_cast<std::size_t>(2 + 2 * j)]),
        constant(std::log(j == 0 ? fit[0] : 1.0 - fit[0])) {
    if (part == Part::exponential) constant -= std::log(p);
    if (part == Part::gamma) constant -= std::lgamma(p) + p * std::log(q);
    if (part == Part::normal) constant -= std::log(q * std::sqrt(2 * kPi));
  }
  double log_at(double x, double log_x) const {
    if (part == Part::exponential) return constant - x / p;
    if (part == Part::gamma) return constant + (p - 1) * log_x - x / q;
    return constant - (x - p) * (x - p) / (2 * q * q);
  }
};

double normal_draw(Draws& draws) {
  const double u = draws.uniform(1e-300, 1), v = draws.uniform(0, 1);
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * kPi * v);
}
double exponential_draw(Draws& draws) { return -std::log(draws.uniform(1e-300, 1)); }
/// Marsaglia & Tsang 2000.
double gamma_draw(Draws& draws, double shape) {
  if (shape < 1) return gamma_draw(draws, shape + 1) * std::pow(draws.uniform(1e-300, 1), 1 / shape);
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double z = normal_draw(draws), v = std::pow(1 + c * z, 3);
    if (v > 0 && std::log(draws.uniform(1e-300, 1)) < 0.5 * z * z + d - d * v + d * std::log(v)) return d * v;
  }
}
double log_uniform(Draws& draws, double low, double high) {
  return std::exp(draws.uniform(std::log(low), std::log(high)));
}

struct MeanSd {
  double mean, sd;
};
MeanSd mean_sd(const std::vector<double>& sample) {
  long double sum = 0, squares = 0;
  for (const double x : sample) sum += x;
  const long double mean = sum / static_cast<long double>(sample.size());
  for (const double x : sample) squares += (x - mean) * (x - mean);
  return {static_cast<double>(mean),
          static_cast<double>(std::sqrt(squares / static_cast<long double>(sample.size())))};
}

}  // namespace

double digamma(double x) {
  long double shift = 0, z = x;
  while (z < 40) shift += 1 / z, z += 1;
  const long double q = 1 / (z * z);
  return static_cast<double>(std::log(z) - 0.5L / z - q * (1 / 12.0L - q * (1 / 120.0L - q / 252)) - shift);
}

double gamma_shape(double s, double low, double high) {
  const auto too_small = [s](double k) { return std::log(k) - digamma(k) > s; };
  if (!too_small(low)) return low;
  if (too_small(high)) return high;
  double a = std::log(low), b = std::log(high);
  // The root lies between 1/(2s) and 1/s.
  a = std::max(a, std::log(0.49 / s));
  b = std::min(b, std::log(1.01 / s));
  for (int i = 0; i < 60 && b - a > 1e-13; ++i) (too_small(std::exp(0.5 * (a + b))) ? a : b) = 0.5 * (a + b);
  return std::exp(0.5 * (a + b));
}

long double log_term(Mixture kind, const MixtureFit& fit, int j, double x) {
  const long double p = fit[static_cast<std::size_t>(1 + 2 * j)],
                    q = fit[static_cast<std::size_t>(2 + 2 * j)];
  const long double weight = std::log(j == 0 ? static_cast<long double>(fit[0]) : 1.0L - fit[0]);
  switch (part_of(kind, j)) {
    case Part::exponential: return weight - std::log(p) - x / p;
    case Part::gamma:
      return weight - std::lgamma(p) - p * std::log(q) + (p - 1) * std::log(static_cast<long double>(x)) -
             x / q;
    case Part::normal: break;
  }
  return weight - std::log(q) - 0.5L * std::log(2 * std::acos(-1.0L)) - (x - p) * (x - p) / (2 * q * q);
}

long double log_likelihood(Mixture kind, const MixtureFit& fit, const std::vector<double>& sample) {
  long double sum = 0;
  for (const double x : sample) {
    const long double a = log_term(kind, fit, 0, x), b = log_term(kind, fit, 1, x);
    sum += std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
  }
  return sum;
}

double single_log_likelihood(Mixture kind, const std::vector<double>& sample) {
  const auto [mean, sd] = mean_sd(sample);
  const auto n = static_cast<double>(sample.size());
  const double normal = -n * (std::log(sd * std::sqrt(2 * kPi)) + 0.5);
  if (kind == Mixture::normal_normal) return normal;
  if (kind == Mixture::exp_normal) return std::max(normal, -n * (std::log(mean) + 1));
  double logs = 0;
  for (const double x : sample) logs += std::log(x);
  const double k = gamma_shape(std::log(mean) - logs / n, 1e-6, 1e12);
  return -n * (std::lgamma(k) + k * std::log(mean / k)) + (k - 1) * logs - n * k;
}

MixtureLimits mixture_limits(Mixture, const std::vector<double>& sample) {
  const auto [mean, sd] = mean_sd(sample);
  const double weight = std::min(0.25, 5.0 / static_cast<double>(sample.size()));
  return {weight, 1e-2 * sd, 1e-6 * mean, 1e-3, 1e4 * std::max(1.0, mean * mean / (sd * sd))};
}

bool at_limit(Mixture kind, const MixtureFit& fit, const MixtureLimits& limits) {
  constexpr double kNear = 1 + 1e-6;
  if (std::min(fit[0], 1 - fit[0]) <= limits.weight * kNear) return true;
  for (int j = 0; j < 2; ++j) {
    const double p = fit[static_cast<std::size_t>(1 + 2 * j)], q = fit[static_cast<std::size_t>(2 + 2 * j)];
    const Part part = part_of(kind, j);
    if (part == Part::exponential && p <= limits.scale * kNear) return true;
    if (part == Part::normal && q <= limits.sd * kNear) return true;
    if (part == Part::gamma && (p <= limits.shape_low * kNear || p >= limits.shape_high / kNear)) return true;
  }
  return false;
}

MixtureEm em(Mixture kind, const std::vector<double>& sample, MixtureFit fit, const MixtureLimits& limits,
             int iterations, double tolerance) {
  std::vector<double> logs(sample.size(), 0.0), share(sample.size());
  if (kind == Mixture::gamma_gamma)
    std::transform(sample.begin(), sample.end(), logs.begin(), [](double x) { return std::log(x); });
  double before = -HUGE_VAL, value = before;
  for (int step = 0;; ++step) {
    const Density first(kind, fit, 0), second(kind, fit, 1);
    value = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const double a = first.log_at(sample[i], logs[i]), b = second.log_at(sample[i], logs[i]);
      const double e = std::exp(-std::abs(a - b));
      value += std::max(a, b) + std::log1p(e);
      share[i] = (a >= b ? 1.0 : e) / (1 + e);
    }
    if (step == iterations || value - before < tolerance) return {fit, value};
    before = value;
    double sum = 0;
    for (const double r : share) sum += r;
    const auto n = static_cast<double>(sample.size());
    fit[0] = std::clamp(sum / n, limits.weight, 1 - limits.weight);
    for (std::size_t j = 0; j < 2; ++j) {
      double weight = 0, mean = 0, mean_log = 0, variance = 0;
      for (std::size_t i = 0; i < sample.size(); ++i) {
        const double r = j == 0 ? share[i] : 1 - share[i];
        weight += r, mean += r * sample[i], mean_log += r * logs[i];
      }
      if (!(weight > 1e-100)) continue;
      mean /= weight, mean_log /= weight;
      for (std::size_t i = 0; i < sample.size(); ++i)
        variance += (j == 0 ? share[i] : 1 - share[i]) * (sample[i] - mean) * (sample[i] - mean);
      double &p = fit[1 + 2 * j], &q = fit[2 + 2 * j];
      switch (part_of(kind, static_cast<int>(j))) {
        case Part::exponential: p = std::max(mean, limits.scale); break;
        case Part::normal: p = mean, q = std::max(std::sqrt(variance / weight), limits.sd); break;
        case Part::gamma:
          p = gamma_shape(std::max(std::log(mean) - mean_log, 1e-16), limits.shape_low, limits.shape_high);
          q = mean / p;
          break;
      }
    }
  }
}

MixtureFit random_start(Mixture kind, const std::vector<double>& sample, std::uint64_t seed) {
  Draws draws(seed);
  const auto [mean, sd] = mean_sd(sample);
  const auto any = [&] {
    return sample[static_cast<std::size_t>(draws.below(static_cast<int>(sample.size())))];
  };
  MixtureFit fit{draws.uniform(0.1, 0.9), 0, 1, 0, 1};
  for (std::size_t j = 0; j < 2; ++j) {
    double &p = fit[1 + 2 * j], &q = fit[2 + 2 * j];
    switch (part_of(kind, static_cast<int>(j))) {
      case Part::exponential: p = mean * log_uniform(draws, 0.1, 3); break;
      case Part::normal: p = any(), q = sd * log_uniform(draws, 0.05, 1); break;
      case Part::gamma: p = log_uniform(draws, 0.5, 100), q = any() / p; break;
    }
  }
  return fit;
}

double best_of_random_starts(Mixture kind, const std::vector<double>& sample, int starts,
                             std::uint64_t seed) {
  const MixtureLimits limits = mixture_limits(kind, sample);
  std::vector<MixtureEm> fits;
  for (int i = 0; i < starts; ++i)
    fits.push_back(em(kind, sample, random_start(kind, sample, seed * 1000 + static_cast<std::uint64_t>(i)),
                      limits, 200, 1e-7));
  std::sort(fits.begin(), fits.end(),
            [](const MixtureEm& a, const MixtureEm& b) { return a.log_likelihood > b.log_likelihood; });
  double best = single_log_likelihood(kind, sample);
  int done = 0;
  double last = HUGE_VAL;
  for (const MixtureEm& fit : fits) {
    // Many starts end in one place: go on from a few of different heights.
    if (done == 8 || last - fit.log_likelihood < 1e-7) continue;
    last = fit.log_likelihood;
    const MixtureEm end = em(kind, sample, fit.fit, limits, 20000, 1e-9);
    if (at_limit(kind, end.fit, limits)) continue;
    ++done;
    best = std::max(best, end.log_likelihood);
  }
  return best;
}

std::vector<double> mixture_sample(Mixture kind, int index) {
  Draws draws(static_cast<std::uint64_t>(index) * 3 + static_cast<std::uint64_t>(kind) + 77000);
  const auto n = static_cast<std::size_t>(log_uniform(draws, 64, 4096.99));
  const double unit = index % 5 == 3 ? 1e-6 : index % 5 == 4 ? 1e6 : 1.0;
  const double weight = index % 7 == 5 ? (draws.below(2) == 0 ? 0.0 : 1.0) : draws.uniform(0.08, 0.92);
  const bool ties = index % 8 == 6;
  // Two components; the second is up to some sds of the first away.
  const double spread = log_uniform(draws, 0.2, 5), distance = draws.uniform(0, 6);
  const double shape[2] = {log_uniform(draws, 0.4, 8), log_uniform(draws, 2, 80)},
               ratio = log_uniform(draws, 0.3, 8);
  std::vector<double> sample(n);
  for (double& x : sample) {
    const bool first = draws.uniform(0, 1) < weight;
    switch (kind) {
      case Mixture::exp_normal:
        x = first ? exponential_draw(draws) : std::abs(distance + 0.3 * spread * normal_draw(draws));
        break;
      case Mixture::gamma_gamma: {
        const int j = first ? 0 : 1;
        x = gamma_draw(draws, shape[j]) / shape[j] * (first ? 1 : ratio);
        break;
      }
      case Mixture::normal_normal:
        x = first ? normal_draw(draws) : distance + spread * normal_draw(draws);
        break;
    }
    if (ties) x = std::round(x * 20) / 20;
    if (kind != Mixture::normal_normal) x = std::max(x, 1e-4);
    x *= unit;
  }
  return sample;
}

}  // namespace reference
