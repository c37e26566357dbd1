#include "analysis/line.h"

#include <cmath>
#include <vector>

#include "analysis/summary.h"

namespace shoal {

Line fit_line(std::span<const double> x, std::span<const double> y) {
  const double mean_x = summarize(x).mean, mean_y = summarize(y).mean;
  double xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mean_x, dy = y[i] - mean_y;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  Line line;
  line.slope = xy / xx;
  line.intercept = mean_y - line.slope * mean_x;
  line.r2 = xy * xy / (xx * yy);
  return line;
}

PowerLaw fit_power_law(std::span<const double> x, std::span<const double> y) {
  std::vector<double> log_x, log_y;
  for (const double v : x) log_x.push_back(std::log(v));
  for (const double v : y) log_y.push_back(std::log(v));
  const Line line = fit_line(log_x, log_y);
  PowerLaw law{std::exp(line.intercept), line.slope, 0};
  const double mean = summarize(y).mean;
  double residual = 0, total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = y[i] - law.factor * std::pow(x[i], law.exponent);
    residual += error * error;
    total += (y[i] - mean) * (y[i] - mean);
  }
  law.r2 = 1 - residual / total;
  return law;
}

}  // namespace shoal
