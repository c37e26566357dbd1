#include "analysis/line.h"

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

}  // namespace shoal
