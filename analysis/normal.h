// The standard normal distribution.
#pragma once

namespace shoal {

/// The quantile: x with P(X <= x) = p, for 0 < p < 1; -infinity and infinity at the ends, NaN outside.
/// Relative accuracy about 1e-16. Source: Wichura 1988, Algorithm AS 241 (PPND16), Applied Statistics 37.
double normal_quantile(double p);

/// P(X > x), with full relative accuracy in the tail.
double normal_upper_tail(double x);

/// Its natural logarithm, also where the tail itself is below the smallest number: relative accuracy about
/// 1e-15 (absolute where the logarithm is near 0).
double log_normal_upper_tail(double x);

}  // namespace shoal
