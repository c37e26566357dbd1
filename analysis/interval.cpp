#include "analysis/interval.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

#include "analysis/line.h"
#include "analysis/normal.h"
#include "analysis/summary.h"

namespace shoal {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// estimate ± t error.
MeanInterval around(double estimate, double error, double freedom, double level) {
  if (error == 0.0) return {estimate, estimate, estimate};
  if (!std::isfinite(estimate) || !(error > 0.0) || !(freedom > 0.0)) return {estimate, kNone, kNone};
  const double reach = error * quantile(boost::math::students_t(freedom), 0.5 + 0.5 * level);
  return {estimate, estimate - reach, estimate + reach};
}

}  // namespace

MeanInterval mean_interval(std::span<const double> sample, double level) {
  const Summary s = summarize(sample);
  return around(s.mean, s.standard_error, static_cast<double>(s.count) - 1.0, level);
}

MeanInterval difference_interval(std::span<const double> a, std::span<const double> b, double level) {
  const Summary s = summarize(a), t = summarize(b);
  const double u = s.standard_error * s.standard_error, v = t.standard_error * t.standard_error;
  const double freedom =
      (u + v) * (u + v) /
      (u * u / (static_cast<double>(s.count) - 1.0) + v * v / (static_cast<double>(t.count) - 1.0));
  return around(s.mean - t.mean, std::sqrt(u + v), freedom, level);
}

MeanInterval share_interval(std::int64_t count, std::int64_t of, double level) {
  if (of <= 0) return {kNone, kNone, kNone};
  const double n = static_cast<double>(of), share = static_cast<double>(count) / n;
  const double z = normal_quantile(0.5 + 0.5 * level), shrink = 1 / (1 + z * z / n);
  const double middle = shrink * (share + 0.5 * z * z / n),
               reach = shrink * z * std::sqrt(share * (1 - share) / n + 0.25 * z * z / (n * n));
  return {share, count == 0 ? 0.0 : std::max(middle - reach, 0.0),
          count == of ? 1.0 : std::min(middle + reach, 1.0)};
}

MeanInterval slope_interval(std::span<const double> x, std::span<const double> y, double level) {
  const Line line = fit_line(x, y);
  const double n = static_cast<double>(x.size()), middle = summarize(x).mean;
  double spread = 0.0, residual = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = y[i] - line.intercept - line.slope * x[i];
    residual += error * error;
    spread += (x[i] - middle) * (x[i] - middle);
  }
  return around(line.slope, n > 2.0 ? std::sqrt(residual / (n - 2.0) / spread) : kNone, n - 2.0, level);
}

}  // namespace shoal
