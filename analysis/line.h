// The least-squares line through points.
#pragma once

#include <span>

namespace shoal {

/// y = intercept + slope x. r2: share of the variance of y that the line explains, 1 - residual / total.
struct Line {
  double intercept = 0, slope = 0, r2 = 0;
};

/// NaN for fewer than two distinct x, and r2 for constant y. x and y have the same length.
Line fit_line(std::span<const double> x, std::span<const double> y);

}  // namespace shoal
