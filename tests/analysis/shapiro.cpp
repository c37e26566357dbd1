// Shapiro and Wilk's test against R, and what must not change it.
#include "analysis/shapiro.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <set>
#include <stdexcept>
#include <vector>

#include "analysis/normal.h"
#include "tests/analysis/calculators.h"
#include "tests/analysis/shapiro_of_r.h"

namespace shoal::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

/// The rule of tests/analysis/shapiro_of_r.R: a congruential generator and exact arithmetic.
std::vector<double> sample_of(int kind, int n) {
  double state = 1000.0 * n + kind;
  const auto draw = [&] {
    state = std::fmod(1664525 * state + 1013904223, 4294967296.0);
    return (state + 0.5) / 4294967296.0;
  };
  const auto irwin_hall = [&] {
    double s = -6;
    for (int i = 0; i < 12; ++i) s = s + draw();
    return s;
  };
  std::vector<double> x(static_cast<std::size_t>(n));
  for (double& v : x) {
    switch (kind) {
      case 0: v = irwin_hall(); break;
      case 1: v = -std::log(draw()); break;
      case 2: v = draw(); break;
      case 3: v = std::floor(8 * draw()); break;
      case 4: {
        const double u = draw();
        v = (u - 0.5) / (u * (1 - u));
        break;
      }
      default: v = 10000 + irwin_hall();
    }
  }
  return x;
}

/// Samples one after the other.
struct Crowd {
  std::vector<double> values;
  std::vector<std::int64_t> offsets{0};
  void add(const std::vector<double>& sample) {
    values.insert(values.end(), sample.begin(), sample.end());
    offsets.push_back(static_cast<std::int64_t>(values.size()));
  }
  Samples<double> samples() const { return {values, offsets}; }
};

ShapiroWilk alone(const Calculator& calculator, const std::vector<double>& sample) {
  Crowd crowd;
  crowd.add(sample);
  return shapiro_wilk(calculator, crowd.samples()).at(0);
}

bool same_bits(const ShapiroWilk& a, const ShapiroWilk& b) {
  return std::memcmp(&a.w, &b.w, sizeof a.w) == 0 && std::memcmp(&a.p, &b.p, sizeof a.p) == 0 && a.n == b.n &&
         a.status == b.status;
}

/// R rounds W to a double before it takes the logarithm of 1 - W, subtracts the mean of values that an offset
/// makes large, and so is off by `noise` in 1 - W. p = Q(z) with dz = noise / ((1 - W) s), and |dQ / Q| is
/// about (|z| + 1) dz.
double p_tolerance(const ShapiroOfR& r) {
  const double noise = (r.kind == 5 ? 1e-12 : 1e-14), s = 0.3;
  const double z = r.p > 0 ? std::sqrt(-2 * std::log(r.p)) : 40;
  return r.p * std::min(1e-8, 1e-13 + (z + 1) * noise / ((1 - r.w) * s)) + 1e-13;
}

TEST_CASE("W and p are R's, for n = 3 to 5000 and six kinds of samples, all in one call") {
  Crowd crowd;
  for (const ShapiroOfR& r : kShapiroOfR) crowd.add(sample_of(r.kind, r.n));
  for (const auto& calculator : calculators()) {
    CAPTURE(calculator->name());
    const std::vector<ShapiroWilk> results = shapiro_wilk(*calculator, crowd.samples());
    REQUIRE(results.size() == std::size(kShapiroOfR));
    double worst_w = 0, worst_p = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const ShapiroOfR& r = kShapiroOfR[i];
      CAPTURE(r.kind);
      CAPTURE(r.n);
      REQUIRE(results[i].status == ShapiroStatus::ok);
      CHECK(std::abs(results[i].w - r.w) <= 1e-12);
      CHECK(std::abs(results[i].p - r.p) <= p_tolerance(r));
      worst_w = std::max(worst_w, std::abs(results[i].w - r.w));
      worst_p = std::max(worst_p, std::abs(results[i].p - r.p) / r.p);
    }
    MESSAGE(calculator->name(), ": largest |dW| ", worst_w, ", largest relative |dp| ", worst_p);
  }
}

TEST_CASE("a sample has the same bits alone, in a crowd, in any order of its values, on any threads") {
  Crowd crowd;
  for (int n = 3; n < 400; n += 7) crowd.add(sample_of(n % 6, n));
  const std::vector<ShapiroWilk> one = shapiro_wilk(Calculator({.threads = 1}), crowd.samples());
  for (const int threads : {2, 7}) {
    const std::vector<ShapiroWilk> many = shapiro_wilk(Calculator({.threads = threads}), crowd.samples());
    for (std::size_t s = 0; s < one.size(); ++s) CHECK(same_bits(one[s], many[s]));
  }
  for (const auto& calculator : calculators()) {
    const std::vector<ShapiroWilk> all = shapiro_wilk(*calculator, crowd.samples());
    for (std::int64_t s = 0; s < crowd.samples().count(); s += 9) {
      const std::span<const double> sample = crowd.samples()[s];
      std::vector<double> x(sample.begin(), sample.end());
      CHECK(same_bits(alone(*calculator, x), all[static_cast<std::size_t>(s)]));
      std::reverse(x.begin(), x.end());
      std::rotate(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(x.size() / 3), x.end());
      CHECK(same_bits(alone(*calculator, x), all[static_cast<std::size_t>(s)]));
      std::sort(x.begin(), x.end());
      Crowd sorted;
      sorted.add(x);
      CHECK(same_bits(shapiro_wilk_of_sorted(*calculator, sorted.samples())[0],
                      all[static_cast<std::size_t>(s)]));
    }
  }
}

TEST_CASE("W does not know the unit, the origin or the sign of a sample") {
  for (const auto& calculator : calculators())
    for (const int n : {3, 4, 11, 12, 100, 1000}) {
      CAPTURE(n);
      const std::vector<double> x = sample_of(0, n);
      const ShapiroWilk base = alone(*calculator, x);
      const auto of = [&](double scale, double shift) {
        std::vector<double> y = x;
        for (double& v : y) v = scale * v + shift;
        return alone(*calculator, y);
      };
      // Powers of two round nothing, not even where squares would overflow or vanish.
      for (const double scale : {0x1p10, 0x1p-40, 0x1p900, 0x1p-900}) CHECK(same_bits(of(scale, 0), base));
      CHECK(std::abs(of(-1, 0).w - base.w) <= 1e-14 * n);
      CHECK(std::abs(of(3, 7).w - base.w) <= 1e-14 * n);
      CHECK(std::abs(of(1e-3, 1e4).w - base.w) <= 1e-8);  // values of 1e4 hold 1e-12 / 1e-3 of the spread
    }
}

TEST_CASE("three values: closed forms") {
  const Calculator calculator;
  // -1, 0, 1: W = 1, p = 1. 0, 0, 1: W = 3/4, p = 0.
  const ShapiroWilk even = alone(calculator, {1, -1, 0}), uneven = alone(calculator, {0, 1, 0});
  CHECK(std::abs(even.w - 1) <= 1e-15);
  CHECK(std::abs(even.p - 1) <= 1e-7);  // asin has an infinite slope at 1
  CHECK(std::abs(uneven.w - 0.75) <= 1e-15);
  CHECK(std::abs(uneven.p) <= 1e-14);
}

TEST_CASE("what cannot be tested says why, in one sentence each") {
  Crowd crowd;
  crowd.add({});
  crowd.add({1});
  crowd.add({1, 2});
  crowd.add({4, 4, 4, 4});
  crowd.add({1, 2, kNan, 4});
  crowd.add({1, 2, -kNan, 4});
  crowd.add({1, 2, kInf});
  crowd.add({1, -kInf, 3});
  crowd.add({-1.7e308, 1, 1.7e308});
  crowd.add({0.0, -0.0, 0.0});
  crowd.add({1, 2, 4});
  crowd.add(sample_of(0, 5001));
  using enum ShapiroStatus;
  const std::vector<ShapiroStatus> expected{too_few,    too_few,    too_few,    no_range,
                                            not_finite, not_finite, not_finite, not_finite,
                                            not_finite, no_range,   ok,         beyond_5000};
  for (const auto& calculator : calculators()) {
    CAPTURE(calculator->name());
    const std::vector<ShapiroWilk> results = shapiro_wilk(*calculator, crowd.samples());
    for (std::size_t s = 0; s < expected.size(); ++s) {
      CAPTURE(s);
      CHECK(results[s].status == expected[s]);
      CHECK(results[s].n == static_cast<std::int64_t>(crowd.samples()[static_cast<std::int64_t>(s)].size()));
      const bool answers = expected[s] == ok || expected[s] == beyond_5000;
      CHECK(std::isnan(results[s].w) == !answers);
      CHECK(std::isnan(results[s].p) == !answers);
    }
  }
  std::set<std::string_view> texts;
  for (const ShapiroStatus s : {ok, beyond_5000, too_few, no_range, not_finite}) texts.insert(to_text(s));
  CHECK(texts.size() == 5);
  CHECK(shapiro_wilk(Calculator(), Samples<double>{{}, std::vector<std::int64_t>{0}}).empty());
  CHECK_THROWS_AS(shapiro_wilk(Calculator(), {crowd.values, std::vector<std::int64_t>{0, 5, 4}}),
                  std::invalid_argument);
}

// Without a sample of three or more there were no coefficients at all, and the op read beyond them.
TEST_CASE("a crowd of samples of one and two values alone has no answers, and does no harm") {
  const std::vector<double> values{1, 2, 5, 7};
  for (const std::vector<std::int64_t>& offsets : {std::vector<std::int64_t>{0, 1}, {0, 2}, {0, 2, 3, 3, 4}})
    for (const auto& calculator : calculators())
      for (const ShapiroWilk& t : shapiro_wilk(*calculator, Samples<double>{values, offsets}))
        CHECK(t.status == ShapiroStatus::too_few);
}

TEST_CASE("coefficients are antisymmetric, ascend, and have squares that add up to 1") {
  for (const std::int64_t n : {3, 4, 5, 6, 7, 12, 100, 5000}) {
    const std::vector<double> c = shapiro_coefficients(n);
    REQUIRE(static_cast<std::int64_t>(c.size()) == n);
    double squares = 0;
    for (std::size_t i = 0; i < c.size(); ++i) {
      CHECK(c[i] == -c[c.size() - 1 - i]);
      if (i > 0) CHECK(c[i] >= c[i - 1]);
      squares += c[i] * c[i];
    }
    CHECK(std::abs(squares - 1) <= 1e-13);
  }
}

TEST_CASE("normal quantiles are the inverse of the tail") {
  for (const double p : {1e-300, 1e-100, 1e-20, 1e-10, 1e-5, 0.01, 0.0749, 0.0751, 0.2, 0.4, 0.4999}) {
    CAPTURE(p);
    const double x = normal_quantile(p);
    // A relative error u of x is one of |x| phi(x) / p u of p, which is at most about x^2 + 1 units.
    CHECK(std::abs(normal_upper_tail(-x) / p - 1) <= 4e-16 * (x * x + 4));
    if (p > 1e-5) CHECK(std::abs(normal_quantile(1 - p) + x) <= 4e-16 * (2 + 1 / p));
  }
  CHECK(normal_quantile(0.5) == 0);
  CHECK(normal_quantile(0) == -kInf);
  CHECK(normal_quantile(1) == kInf);
  CHECK(std::isnan(normal_quantile(-0.1)));
  CHECK(std::isnan(normal_quantile(kNan)));
  CHECK(std::abs(normal_quantile(0.975) - 1.959963984540054) <= 1e-15);
}

}  // namespace
}  // namespace shoal::test
