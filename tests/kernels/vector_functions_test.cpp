// The vector functions of every level against long double.
#include <doctest/doctest.h>

#include <cfloat>
#include <cmath>
#include <vector>

#include "kernels/machine.h"
#include "tests/reference/random.h"

namespace shoal {
#define SHOAL_DECLARE_FUNCTIONS(level)           \
  namespace level {                              \
  void test_exp(const double*, double*, long);   \
  void test_exp(const float*, float*, long);     \
  void test_log1p(const double*, double*, long); \
  void test_log1p(const float*, float*, long);   \
  }
#if defined(__x86_64__)
SHOAL_DECLARE_FUNCTIONS(v2)
SHOAL_DECLARE_FUNCTIONS(v3)
SHOAL_DECLARE_FUNCTIONS(v4)
#else
SHOAL_DECLARE_FUNCTIONS(plain)
#endif
}  // namespace shoal

namespace shoal::test {
namespace {

using Wide = long double;

/// The largest error seen, in the units that it is allowed.
struct Largest {
  double error = 0, at = 0;
  void see(Wide actual, Wide expected, Wide unit, double x) {
    const auto e = static_cast<double>(std::abs(actual - expected) / unit);
    if (!(e <= error)) error = e, at = x;
  }
};

struct Level {
  CpuLevel level;
  void (*exp)(const double*, double*, long);
  void (*exp_of_floats)(const float*, float*, long);
  void (*log1p)(const double*, double*, long);
  void (*log1p_of_floats)(const float*, float*, long);
};
const Level kLevels[] = {
#if defined(__x86_64__)
    {CpuLevel::v2, v2::test_exp, v2::test_exp, v2::test_log1p, v2::test_log1p},
    {CpuLevel::v3, v3::test_exp, v3::test_exp, v3::test_log1p, v3::test_log1p},
    {CpuLevel::v4, v4::test_exp, v4::test_exp, v4::test_log1p, v4::test_log1p}
#else
    {CpuLevel::plain, plain::test_exp, plain::test_exp, plain::test_log1p, plain::test_log1p}
#endif
};

TEST_CASE("the vector exp is within 1.5 ulp at every level") {
  reference::Draws draws(12);
  std::vector<double> x{0.0,    -0.0,  -708.0, -1e-300, -0x1.62e42fefa39efp-2, -0x1.62e42fefa39efp-1,
                        -1e-17, -707.9};
  for (int i = 0; i < 100000; ++i) {
    x.push_back(-draws.uniform(0.0, 708.0));
    x.push_back(-draws.uniform(0.0, 2.0));
    x.push_back(-std::pow(10.0, draws.uniform(-20.0, 0.0)));
    x.push_back(-(draws.below(1000) + 0.5) * 0x1.62e42fefa39efp-1 * (1 + 1e-15 * draws.below(3)));
  }
  for (const Level& level : kLevels) {
    if (!cpu_level_available(level.level)) continue;
    CAPTURE(name_of(level.level));
    std::vector<double> y(x.size());
    REQUIRE(x.size() % 8 == 0);
    level.exp(x.data(), y.data(), std::ssize(x));
    Largest exps;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Wide wanted = std::exp(static_cast<Wide>(std::max(x[i], -708.0)));
      int exponent = 0;
      (void)std::frexp(static_cast<double>(wanted), &exponent);
      exps.see(y[i], wanted, std::ldexp(1.0L, exponent - 53), x[i]);
    }
    CHECK_MESSAGE(exps.error <= 1.5, exps.error, " ulp at ", exps.at);
    const double far[8] = {-708.1, -1e3, -1e10, -1e300, -HUGE_VAL, -720, -745, -750};
    double small[8];
    level.exp(far, small, 8);
    for (const double value : small) CHECK((value > 0.0 && value < 1e-300));
  }
}

TEST_CASE("the vector exp of floats is within 1.5 units of the last place at every level, and keeps NaN") {
  reference::Draws draws(14);
  std::vector<float> x{0.0f, -0.0f, -87.0f, -1e-30f, -0x1.62e43p-2f, -0x1.62e43p-1f, -1e-9f, -86.99f};
  x.resize(16, -1.0f);
  for (int i = 0; i < 40000; ++i) {
    x.push_back(static_cast<float>(-draws.uniform(0.0, 87.0)));
    x.push_back(static_cast<float>(-draws.uniform(0.0, 2.0)));
    x.push_back(static_cast<float>(-std::pow(10.0, draws.uniform(-12.0, 0.0))));
    x.push_back(static_cast<float>(-(draws.below(125) + 0.5) * 0x1.62e42fefa39efp-1));
  }
  for (const Level& level : kLevels) {
    if (!cpu_level_available(level.level)) continue;
    CAPTURE(name_of(level.level));
    std::vector<float> y(x.size());
    REQUIRE(x.size() % 16 == 0);
    level.exp_of_floats(x.data(), y.data(), std::ssize(x));
    Largest exps;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Wide wanted = std::exp(static_cast<Wide>(x[i]));
      int exponent = 0;
      (void)std::frexp(static_cast<double>(wanted), &exponent);
      exps.see(static_cast<Wide>(y[i]), wanted, std::ldexp(1.0L, exponent - 24), static_cast<double>(x[i]));
    }
    CHECK_MESSAGE(exps.error <= 1.5, exps.error, " units at ", exps.at);
    float far[16], small[16];
    for (int i = 0; i < 16; ++i)
      far[i] = i == 15 ? std::nanf("") : i == 14 ? -HUGE_VALF : -88.0f * static_cast<float>(i + 1);
    level.exp_of_floats(far, small, 16);
    for (int i = 0; i < 15; ++i) CHECK((small[i] > 0.0f && small[i] < 2e-38f));
    CHECK(std::isnan(small[15]));
  }
}

/// The largest relative error of log1p, in units of 2^-digits.
template <class T>
Largest log1p_errors(void (*log1p)(const T*, T*, long), double largest, int digits) {
  reference::Draws draws(13);
  std::vector<T> x{T(0),
                   T(1),
                   T(0.5),
                   static_cast<T>(largest),
                   std::nextafter(T(1), T(0)),
                   std::nextafter(T(1), T(2)),
                   T(0.41421356),
                   T(1.8284271)};
  while (x.size() < 200000) {
    x.push_back(static_cast<T>(std::pow(10.0, draws.uniform(-30.0, std::log10(largest)))));
    x.push_back(static_cast<T>(std::pow(10.0, draws.uniform(-4.0, 1.0))));
    x.push_back(static_cast<T>(draws.uniform(0.0, 3.0)));
    // near powers of sqrt 2, where the mantissa's range ends
    x.push_back(
        static_cast<T>(std::pow(2.0, 0.5 * draws.below(40)) * (1 + 1e-6 * draws.uniform(-1, 1)) - 1 + 1e-9));
  }
  x.resize(x.size() / 16 * 16);
  std::vector<T> y(x.size());
  log1p(x.data(), y.data(), std::ssize(x));
  Largest errors;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Wide wanted = std::log1p(static_cast<Wide>(x[i]));
    if (x[i] == 0) CHECK(y[i] == 0);
    else errors.see(static_cast<Wide>(y[i]), wanted, std::ldexp(wanted, -digits), static_cast<double>(x[i]));
  }
  return errors;
}

TEST_CASE("the vector log1p keeps its relative accuracy, from tiny to huge arguments, at every level") {
  for (const Level& level : kLevels) {
    if (!cpu_level_available(level.level)) continue;
    CAPTURE(name_of(level.level));
    const Largest doubles = log1p_errors<double>(level.log1p, 1e300, 53);
    CHECK_MESSAGE(doubles.error <= 8, doubles.error, " units at ", doubles.at);
    const Largest floats = log1p_errors<float>(level.log1p_of_floats, 1e37, 24);
    CHECK_MESSAGE(floats.error <= 8, floats.error, " units at ", floats.at);
  }
}

}  // namespace
}  // namespace shoal::test
