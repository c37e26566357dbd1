#include "tests/reference/shape.h"

#include <algorithm>
#include <cmath>

namespace reference {

Shape shape_of(const std::vector<double>& values) {
  Shape s;
  s.count = static_cast<std::int64_t>(values.size());
  for (const double x : values) {
    s.mean += x;
    if (x == 0) ++s.zeros;
  }
  s.mean /= static_cast<long double>(s.count);
  for (const double x : values) {
    const long double d = x - s.mean, d2 = d * d;
    s.m2 += d2;
    s.m3 += d2 * d;
    s.m4 += d2 * d2;
    s.a1 += std::abs(d);
    s.a3 += std::abs(d2 * d);
  }
  s.a2 = s.m2;
  s.a4 = s.m4;
  s.min = *std::min_element(values.begin(), values.end());
  s.max = *std::max_element(values.begin(), values.end());
  return s;
}

long double shapiro_lack(const std::vector<double>& ascending, const std::vector<double>& coefficients) {
  const Shape s = shape_of(ascending);
  long double cx = 0, cc = 0;
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    cx += coefficients[i] * (ascending[i] - s.mean);
    cc += static_cast<long double>(coefficients[i]) * coefficients[i];
  }
  return 1 - cx * cx / (cc * s.m2);
}

}  // namespace reference
