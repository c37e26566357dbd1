#include "analysis/density.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "analysis/summary.h"

namespace shoal {
namespace {

/// Where a kernel is below 3e-14 of its peak it is not summed.
constexpr double kReach = 8.0;

/// Sum over the (ascending) sample of exp(-((at - x) / bandwidth)^2 / 2).
double kernel_sum(std::span<const double> ascending, double at, double bandwidth) {
  const double reach = kReach * bandwidth;
  const auto first = std::lower_bound(ascending.begin(), ascending.end(), at - reach);
  const auto last = std::upper_bound(first, ascending.end(), at + reach);
  double sum = 0;
  for (auto x = first; x != last; ++x) {
    const double u = (at - *x) / bandwidth;
    sum += std::exp(-0.5 * u * u);
  }
  return sum;
}

}  // namespace

double silverman_bandwidth(std::span<const double> sample) {
  const std::vector<double> ascending = sorted(sample);
  const double sd = summarize(sample).sd;
  const double range = quantile(ascending, 0.75) - quantile(ascending, 0.25);
  const double spread = range > 0 ? std::min(sd, range / 1.34) : sd;
  if (!(spread > 0)) return 0.0;
  return 0.9 * spread * std::pow(static_cast<double>(sample.size()), -0.2);
}

Density gaussian_density(std::span<const double> sample, const DensitySpec& spec) {
  std::vector<double> finite;
  std::copy_if(sample.begin(), sample.end(), std::back_inserter(finite),
               [](double x) { return std::isfinite(x); });
  std::sort(finite.begin(), finite.end());
  Density density;
  density.bandwidth = spec.bandwidth > 0 ? spec.bandwidth : silverman_bandwidth(finite);
  if (!(density.bandwidth > 0) || finite.empty()) return density;
  const double scale =
      1.0 / (static_cast<double>(finite.size()) * density.bandwidth * std::sqrt(2 * std::numbers::pi));
  for (int i = 0; i < spec.points; ++i) {
    const double x = std::lerp(spec.from, spec.to, static_cast<double>(i) / (spec.points - 1));
    double sum = kernel_sum(finite, x, density.bandwidth);
    if (spec.lower_bound) {
      sum = x < *spec.lower_bound ? 0.0
                                  : sum + kernel_sum(finite, 2 * *spec.lower_bound - x, density.bandwidth);
    }
    density.x.push_back(x);
    density.y.push_back(sum * scale);
  }
  return density;
}

}  // namespace shoal
