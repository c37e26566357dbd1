// The size gate's integral: against 120 digits over the whole range, its limits and symmetries, and where the
// naive formulas fail.
#include "kernels/gate_integral.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/reference/gate_integral.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

struct Point {
  double x0, k, n;
};

/// Arguments over the whole range, and more of them where the branches meet: around both ends of the layer,
/// at its middle, where the gate is flat, at k = 0 and for tiny k.
Point draw(reference::Draws& draws) {
  const auto power = [&](double low, double high) { return std::pow(10.0, draws.uniform(low, high)); };
  Point p{0, power(-14, 6), std::floor(power(0, 6))};
  if (draws.below(20) == 0) p.k *= 1e-20;
  if (draws.below(2) == 0) p.k = -p.k;
  if (draws.below(20) == 0) p.k = 0.0;
  const double grey = 3.0 / (std::abs(p.k) + 1e-5);
  switch (draws.below(6)) {
    case 0: p.x0 = power(-4, 6); break;
    case 1: p.x0 = -power(-4, 6); break;
    case 2: p.x0 = draws.uniform(0.0, p.n); break;
    case 3: p.x0 = p.n / 2 * (1.0 + 1e-5 * draws.uniform(-1.0, 1.0)); break;
    case 4: p.x0 = p.n + draws.uniform(-grey, grey); break;
    default: p.x0 = draws.uniform(-grey, grey);
  }
  p.x0 = std::min(1e6, std::max(-1e6, p.x0));
  return p;
}

/// 8 units in the last place of what a relative rounding of x0 and k does to the result, and the smallest
/// normal number, below which the format has fewer digits.
template <class T>
double tolerance(double value, double shift) {
  return 8.0 * static_cast<double>(std::numeric_limits<T>::epsilon()) * (std::abs(value) + shift) +
         static_cast<double>(std::numeric_limits<T>::min());
}

template <class T>
void check_point(const Point& p, double (&worst)[3]) {
  const auto x0 = static_cast<T>(p.x0), k = static_cast<T>(p.k), n = static_cast<T>(p.n);
  CAPTURE(x0);
  CAPTURE(k);
  CAPTURE(n);
  const GateIntegral<T> g = gate_integral(x0, k, n);
  REQUIRE(std::isfinite(g.value));
  REQUIRE(std::isfinite(g.by_x0));
  REQUIRE(std::isfinite(g.by_k));
  CHECK((g.value >= T(0) && g.value <= n));
  const reference::GateIntegral r =
      reference::gate_integral(static_cast<double>(x0), static_cast<double>(k), static_cast<double>(n));
  const double error[3] = {
      std::abs(static_cast<double>(g.value) - r.value) / tolerance<T>(r.value, r.value_shift),
      std::abs(static_cast<double>(g.by_x0) - r.by_x0) / tolerance<T>(r.by_x0, r.by_x0_shift),
      std::abs(static_cast<double>(g.by_k) - r.by_k) / tolerance<T>(r.by_k, r.by_k_shift)};
  for (int j = 0; j < 3; ++j) {
    CHECK(error[j] <= 1.0);
    worst[j] = std::max(worst[j], error[j]);
  }
}

TEST_CASE_TEMPLATE("gate integral: within 8 units of the conditioning over the whole range", T, float,
                   double) {
  reference::Draws draws(51);
  double worst[3] = {};
  for (int i = 0; i < 3000; ++i) check_point<T>(draw(draws), worst);
  MESSAGE("largest errors of S, dS/dx0, dS/dk in tolerances: ", worst[0], ", ", worst[1], ", ", worst[2]);
}

TEST_CASE_TEMPLATE("gate integral: finite, between 0 and N, monotone in x0", T, float, double) {
  reference::Draws draws(52);
  // Each of two values may be wrong by a few units.
  const T slack = T(1) + T(8) * std::numeric_limits<T>::epsilon();
  for (int i = 0; i < 200000; ++i) {
    const Point p = draw(draws);
    const auto k = static_cast<T>(p.k), n = static_cast<T>(p.n), x0 = static_cast<T>(p.x0);
    const auto next = static_cast<T>(p.x0 + std::abs(p.x0) * std::pow(10.0, draws.uniform(-8.0, 0.0)));
    const GateIntegral<T> g = gate_integral(x0, k, n), h = gate_integral(next, k, n);
    CAPTURE(x0);
    CAPTURE(next);
    CAPTURE(k);
    CAPTURE(n);
    REQUIRE((std::isfinite(g.value) && std::isfinite(g.by_x0) && std::isfinite(g.by_k)));
    REQUIRE((g.value >= T(0) && g.value <= n));
    REQUIRE((k < T(0) ? g.by_x0 <= T(0) : g.by_x0 >= T(0)));
    if (k >= T(0)) REQUIRE(g.value <= h.value * slack);
    else REQUIRE(h.value <= g.value * slack);
  }
}

TEST_CASE_TEMPLATE("gate integral: limits and symmetries", T, float, double) {
  const T eps = std::numeric_limits<T>::epsilon();
  for (const T n : {T(1), T(7), T(500), T(1000000)})
    for (const T x0 : {T(-1000000), T(-3), T(0), T(0.5), T(400), T(1000000)}) {
      const GateIntegral<T> flat = gate_integral(x0, T(0), n);
      CHECK(flat.value == n / 2);
      CHECK(flat.by_x0 == T(0));
      // N (2 x0 - N) / 8
      const double slope =
          static_cast<double>(n) * (2.0 * static_cast<double>(x0) - static_cast<double>(n)) / 8.0;
      CHECK(std::abs(static_cast<double>(flat.by_k) - slope) <=
            4.0 * static_cast<double>(eps) * std::abs(slope));
      for (const T k : {T(1e-6), T(0.01), T(1), T(1000000)}) {
        // Looked at from the other end of the layer the gate is the same.
        const GateIntegral<T> a = gate_integral(x0, -k, n), b = gate_integral(n - x0, k, n);
        CHECK(std::abs(a.value - b.value) <=
              T(4) * eps * (b.value + T(std::abs(x0) + n) * std::abs(b.by_x0)));
      }
    }
  CHECK(gate_integral(T(123), T(1000000), T(500)).value == T(123));  // a step: what is left of x0
  CHECK(gate_integral(T(-5), T(1000000), T(500)).value == T(0));
  CHECK(gate_integral(T(600), T(1000000), T(500)).value == T(500));
}

TEST_CASE("gate sum: within the midpoint rule's error of the integral, and of its own derivatives") {
  for (const double k : {-0.3, 0.01, 0.2, 1.0})
    for (const double x0 : {-4.0, 0.0, 33.0, 120.0}) {
      constexpr int kN = 100;
      const GateIntegral<double> d = gate_sum(x0, k, kN), s = gate_integral(x0 + 0.5, k, 1.0 * kN);
      // sum f(i) against the integral of f over [i - 1/2, i + 1/2]: at most N max|f''| / 24, |sigma''| < 0.1.
      CHECK(std::abs(d.value - s.value) <= kN * 0.1 * k * k / 24);
      constexpr double kStep = 1e-5;
      CHECK(std::abs((gate_sum(x0 + kStep, k, kN).value - gate_sum(x0 - kStep, k, kN).value) / (2 * kStep) -
                     d.by_x0) <= 1e-7);
      CHECK(std::abs((gate_sum(x0, k + kStep, kN).value - gate_sum(x0, k - kStep, kN).value) / (2 * kStep) -
                     d.by_k) <= 1e-5 * (1.0 + std::abs(d.by_k)));
    }
  // A million floats: one rounding each, not a million.
  CHECK(gate_sum(2e6f, 1.0f, 1000000).value == 1e6f);
  CHECK(gate_sum(0.0f, 0.0f, 1000000).value == 5e5f);
}

TEST_CASE("gate integral: where the naive formulas fail") {
  CHECK(std::isnan(naive_gate_integral(250.0f, 1.0f, 100.0f).value));  // infinity - infinity
  CHECK(std::isinf(naive_gate_integral(250.0f, 1.0f, 500.0f).value));  // infinity - 0
  CHECK(std::isnan(naive_gate_integral(250.0f, 0.0f, 500.0f).value));  // 0 / 0
  CHECK(naive_gate_integral(-20.0f, 1.0f, 500.0f).value == 0.0f);      // 1 + 2e-9 is 1
  CHECK(gate_integral(-20.0f, 1.0f, 500.0f).value > 2e-9f);
}

}  // namespace
}  // namespace shoal::test
