#include "analysis/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace shoal {

Summary summarize(std::span<const double> sample) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  Summary s{static_cast<std::int64_t>(sample.size()), kNone, kNone, kNone, kNone, kNone};
  if (sample.empty()) return s;
  const auto n = static_cast<double>(sample.size());
  double sum = 0;
  for (const double x : sample) sum += x;
  s.mean = sum / n;
  const auto [low, high] = std::minmax_element(sample.begin(), sample.end());
  s.min = *low;
  s.max = *high;
  if (sample.size() < 2) return s;
  double squares = 0;
  for (const double x : sample) squares += (x - s.mean) * (x - s.mean);
  s.sd = std::sqrt(squares / (n - 1));
  s.standard_error = s.sd / std::sqrt(n);
  return s;
}

double quantile(std::span<const double> sorted, double p) {
  if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double position = std::clamp(p, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], position - static_cast<double>(below));
}

std::vector<double> sorted(std::span<const double> sample) {
  std::vector<double> copy(sample.begin(), sample.end());
  std::sort(copy.begin(), copy.end());
  return copy;
}

}  // namespace shoal
