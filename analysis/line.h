// The least-squares line through points, and the power law that is a line in logarithms.
#pragma once

#include <span>

namespace shoal {

/// y = intercept + slope x. r2: share of the variance of y that the line explains, 1 - residual / total.
struct Line {
  double intercept = 0, slope = 0, r2 = 0;
};

/// NaN for fewer than two distinct x, and r2 for constant y. x and y have the same length.
Line fit_line(std::span<const double> x, std::span<const double> y);

/// y = factor x^exponent, fitted in logarithms. r2 as above, in y itself, so that it compares with a line's.
struct PowerLaw {
  double factor = 0, exponent = 0, r2 = 0;
};

/// x and y positive; otherwise as fit_line.
PowerLaw fit_power_law(std::span<const double> x, std::span<const double> y);

}  // namespace shoal
