#include "tests/reference/gate_integral.h"

#include <boost/multiprecision/cpp_bin_float.hpp>

namespace reference {
namespace {

using Real =
    boost::multiprecision::number<boost::multiprecision::cpp_bin_float<120>, boost::multiprecision::et_off>;

Real softplus(const Real& u) { return (u > 0 ? u : Real(0)) + log1p(exp(-abs(u))); }
Real logistic(const Real& u) { return 1 / (1 + exp(-u)); }
Real slope(const Real& u) {
  const Real e = exp(-abs(u));
  return e / ((1 + e) * (1 + e));
}
/// sigma(a) - sigma(b); of two numbers near 1 by their complements.
Real logistic_difference(const Real& a, const Real& b) {
  return a > 0 && b > 0 ? logistic(-b) - logistic(-a) : logistic(a) - logistic(b);
}
/// softplus(u) - u sigma(u), the entropy of a coin with heads sigma(u).
Real entropy(const Real& u) { return softplus(-abs(u)) + abs(u) * logistic(-abs(u)); }
double to_double(const Real& x) { return static_cast<double>(x); }

/// Where |k| is so small that three terms of the series in k are exact to fifty digits:
/// sigma(u) = 1/2 + u/4 - u^3/48 + ..., integrated over v from x0 - N to x0.
GateIntegral by_series(const Real& x0, const Real& k, const Real& n) {
  const Real b = x0 - n;
  const Real s2 = (x0 * x0 - b * b) / 2, s4 = (x0 * x0 * x0 * x0 - b * b * b * b) / 4;
  const Real value = n / 2 + k * s2 / 4 - k * k * k * s4 / 48;
  const Real by_x0 = k * n / 4 - k * k * k * (x0 * x0 * x0 - b * b * b) / 48;
  const Real by_k = s2 / 4 - k * k * s4 / 16;
  return {to_double(value),      to_double(by_x0),
          to_double(by_k),       to_double(abs(x0 * by_x0) + abs(k * by_k)),
          to_double(abs(by_x0)), to_double(abs(x0 * n / 4))};
}

}  // namespace

GateIntegral gate_integral(double x0_, double k_, double n_) {
  const Real x0 = x0_, k = k_, n = n_, end = x0 - n;
  if (abs(k) < Real("1e-32")) return by_series(x0, k, n);
  const Real a = k * x0, b = k * end;
  const Real value = (softplus(a) - softplus(b)) / k, by_x0 = logistic_difference(a, b);
  const Real by_k = (entropy(b) - entropy(a)) / (k * k);
  const Real x0_x0 = k * (slope(a) - slope(b)), x0_k = x0 * slope(a) - end * slope(b);
  const Real k_k = (x0 * x0 * slope(a) - end * end * slope(b) - 2 * by_k) / k;
  return {to_double(value),
          to_double(by_x0),
          to_double(by_k),
          to_double(abs(x0 * by_x0) + abs(k * by_k)),
          to_double(abs(x0 * x0_x0) + abs(k * x0_k)),
          to_double(abs(x0 * x0_k) + abs(k * k_k))};
}

}  // namespace reference
