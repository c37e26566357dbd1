// The size gate's integral and its derivatives in 120 decimal digits: so many that the plain formulas may
// cancel and still leave fifty.
#pragma once

namespace reference {

/// Values rounded to double, and the sums |x0 df/dx0| + |k df/dk| for f = S, dS/dx0, dS/dk: what a relative
/// change of the arguments by one does to them.
struct GateIntegral {
  double value, by_x0, by_k;
  double value_shift, by_x0_shift, by_k_shift;
};

/// N > 0; |k|, |x0|, N <= 1e6.
GateIntegral gate_integral(double x0, double k, double n);

}  // namespace reference
