// The size gate's integral and its derivatives, without cancellation, in float and double, for every machine.
//
// Neuron i of a layer of N has the gate g_i = sigma(k (x0 - i)), sigma(u) = 1 / (1 + e^-u). The penalty on
// the layer's size is
//
//   S(x0, k; N) = integral_0^N sigma(k (x0 - t)) dt = [softplus(a) - softplus(b)] / k,   a = k x0, b = k (x0
//   - N)
//
// a softened count of open gates between 0 and N. Written like this it overflows, cancels and divides by
// zero; the forms below do none of it. Letters: hi >= lo are a and b in order, w = hi - lo = |k| N.
// docs/gradients.md derives each branch and shows how far the results are from the real numbers.
#pragma once

#include <math.h>

#include "kernels/portable.h"

namespace shoal {

template <class T>
struct GateIntegral {
  T value;  // S, in [0, N]
  T by_x0;  // dS/dx0, in [-1, 1], of the sign of k
  T by_k;   // dS/dk, of the sign of x0 - N/2
};

namespace gate {

template <class T>
SHOAL_INLINE T smaller(T a, T b) {
  return a < b ? a : b;
}
template <class T>
SHOAL_INLINE T larger(T a, T b) {
  return a < b ? b : a;
}
template <class T>
SHOAL_INLINE T magnitude(T a) {
  return a < T(0) ? -a : a;
}

/// sigma(u); the exponent is never positive.
template <class T>
SHOAL_INLINE T logistic(T u) {
  const T e = exp(-magnitude(u));
  return (u < T(0) ? e : T(1)) / (T(1) + e);
}

/// sigma'(u) = sigma(u) sigma(-u).
template <class T>
SHOAL_INLINE T logistic_slope(T u) {
  const T e = exp(-magnitude(u));
  return e / ((T(1) + e) * (T(1) + e));
}

template <class T>
SHOAL_INLINE T integral(T x0, T k, T n) {
  const T kappa = magnitude(k), a = k * x0, b = k * (x0 - n), w = kappa * n;
  const T hi = larger(a, b), lo = smaller(a, b);
  // From 1 to the next number. (std::numeric_limits is a function of the host.)
  constexpr T kEpsilon = T(sizeof(T) == sizeof(float) ? 0x1p-23 : 0x1p-52);
  T s;
  if (w * w < T(4) * kEpsilon) {
    // The gate is a straight line over the layer: N times its middle, up to a relative w^2/24. Serves k = 0.
    s = n * logistic(k * (x0 - n / T(2)));
  } else if (hi <= T(1)) {
    // softplus(hi) - softplus(lo) as one logarithm.
    s = log1p(-expm1(-w) * exp(hi) / (T(1) + exp(lo))) / kappa;
  } else if (lo >= T(0)) {
    // The complement of the same; it is at most N/2.
    s = n - log1p(-expm1(-w) * exp(-lo) / (T(1) + exp(-hi))) / kappa;
  } else {
    // lo < 0, 1 < hi: softplus(hi) = hi + log1p(e^-hi), and hi / |k| is known without a rounding of a
    // product.
    s = (k > T(0) ? x0 : n - x0) + (log1p(exp(-hi)) - log1p(exp(lo))) / kappa;
  }
  return larger(T(0), smaller(n, s));
}

/// sigma(a) - sigma(b) = sign(k) (1 - e^-w) sigma(hi) sigma(-lo).
template <class T>
SHOAL_INLINE T integral_by_x0(T x0, T k, T n) {
  const T a = k * x0, b = k * (x0 - n);
  const T rise = -expm1(-magnitude(k) * n) * logistic(larger(a, b)) * logistic(-smaller(a, b));
  return k < T(0) ? -rise : rise;
}

/// integral_P^Q v sigma'(kappa v) dv by Gauss and Legendre's rule with ten points. For kappa (Q - P) <= 2 the
/// nearest pole of the integrand, at distance pi, leaves an error below 1e-16 of it; every term is positive.
template <class T>
SHOAL_INLINE T slope_moment_by_rule(T p, T spread, T kappa) {
  constexpr double kNode[5] = {0.14887433898163121088, 0.43339539412924719080, 0.67940956829902440623,
                               0.86506336668898451073, 0.97390652851717172008};
  constexpr double kWeight[5] = {0.29552422471475287017, 0.26926671930999635509, 0.21908636251598204400,
                                 0.14945134915058059315, 0.06667134430868813759};
  const T half = spread / T(2);
  T sum = T(0);
  for (int i = 4; i >= 0; --i) {
    const T below = p + half * T(1.0 - kNode[i]), above = p + half * T(1.0 + kNode[i]);
    sum += T(kWeight[i]) * (below * logistic_slope(kappa * below) + above * logistic_slope(kappa * above));
  }
  return half * sum;
}

/// The same for kappa (Q - P) > 2, from the antiderivative u sigma(u) - softplus(u), which is minus the
/// entropy of a coin with heads sigma(u). With p = kappa P, q = kappa Q, d = q - p.
template <class T>
SHOAL_INLINE T slope_moment_by_entropy(T p, T q, T d, T kappa) {
  if (exp(-p) == T(0)) return T(0);
  const T open = -expm1(-d);
  const T logs = log1p(open * exp(-p) / (T(1) + exp(-q)));
  return (logs + p * (open * logistic(-p) * logistic(q)) - d * logistic(-q)) / kappa / kappa;
}

/// dS/dk = integral_{x0-N}^{x0} v sigma'(k v) dv. The integrand is odd: what lies symmetric to 0 drops out,
/// and what is left, from P to Q, has one sign.
template <class T>
SHOAL_INLINE T integral_by_k(T x0, T k, T n) {
  const T kappa = magnitude(k), to_start = magnitude(x0), to_end = magnitude(x0 - n);
  const bool inside = x0 > T(0) && x0 < n;
  const T twice = (x0 - n) + x0;  // 2 x0 - N: exact where it is small
  const T p = smaller(to_start, to_end), q = larger(to_start, to_end), spread = inside ? magnitude(twice) : n;
  const T moment = kappa * spread <= T(2)
                       ? slope_moment_by_rule(p, spread, kappa)
                       : slope_moment_by_entropy(kappa * p, kappa * q, kappa * spread, kappa);
  return twice < T(0) ? -moment : moment;
}

}  // namespace gate

/// S and its derivatives by x0 and k; N >= 0. For |k|, |x0|, N <= 1e6 (k = 0 and k < 0 too) never NaN or
/// infinite, and each within a few units in the last place of what rounding the arguments alone would do.
template <class T>
SHOAL_INLINE GateIntegral<T> gate_integral(T x0, T k, T n) {
  return {gate::integral(x0, k, n), gate::integral_by_x0(x0, k, n), gate::integral_by_k(x0, k, n)};
}

/// The same as sums over the neurons, D = sum_{i=0}^{N-1} sigma(k (x0 - i)), each term computed safely and
/// the sums compensated (Neumaier 1974): a million floats keep their digits.
template <class T>
SHOAL_INLINE GateIntegral<T> gate_sum(T x0, T k, int n) {
  T sum[3] = {}, lost[3] = {};
  for (int i = 0; i < n; ++i) {
    const T v = x0 - T(i), slope = gate::logistic_slope(k * v);
    const T term[3] = {gate::logistic(k * v), k * slope, v * slope};
    for (int j = 0; j < 3; ++j) {
      const T total = sum[j] + term[j];
      lost[j] += gate::magnitude(sum[j]) < gate::magnitude(term[j]) ? (term[j] - total) + sum[j]
                                                                    : (sum[j] - total) + term[j];
      sum[j] = total;
    }
  }
  return {sum[0] + lost[0], sum[1] + lost[1], sum[2] + lost[2]};
}

/// The formulas as one writes them down first, kept to show where they fail: log(1 + e^a) overflows,
/// differences cancel, k = 0 divides by 0.
template <class T>
SHOAL_INLINE GateIntegral<T> naive_gate_integral(T x0, T k, T n) {
  const T a = k * x0, b = k * (x0 - n);
  const T sa = T(1) / (T(1) + exp(-a)), sb = T(1) / (T(1) + exp(-b));
  const T s = (log(T(1) + exp(a)) - log(T(1) + exp(b))) / k;
  return {s, sa - sb, (x0 * sa - (x0 - n) * sb - s) / k};
}

}  // namespace shoal
