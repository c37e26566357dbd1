// Moments to the fourth order and the statistic of Shapiro and Wilk, in long double, from the definitions.
#pragma once

#include <cstdint>
#include <vector>

namespace reference {

struct Shape {
  std::int64_t count = 0, zeros = 0;
  long double mean = 0, m2 = 0, m3 = 0, m4 = 0;  // sums of powers of the deviations from the mean
  long double min = 0, max = 0;
  long double a1 = 0, a2 = 0, a3 = 0, a4 = 0;  // the same sums of the deviations' magnitudes
};

/// Two passes. `values` is not empty.
Shape shape_of(const std::vector<double>& values);

/// 1 - (sum c x)^2 / (sum c^2 sum (x - mean)^2) of ascending values and as many coefficients.
long double shapiro_lack(const std::vector<double>& ascending, const std::vector<double>& coefficients);

}  // namespace reference
