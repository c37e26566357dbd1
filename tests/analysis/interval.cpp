#include "analysis/interval.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/reference/random.h"

using namespace shoal;

TEST_CASE("intervals of means: quantiles of Student's t from its tables") {
  // t of 97.5 %: 12.7062 with 1 degree of freedom, 2.7764 with 4; of 99.5 %: 4.6041 with 4.
  const std::vector<double> two{1.0, 3.0}, five{2.0, 4.0, 4.0, 5.0, 5.0};
  const MeanInterval a = mean_interval(two);
  CHECK(a.mean == 2.0);
  CHECK(a.high == doctest::Approx(2.0 + 12.7062).epsilon(1e-5));
  CHECK(a.low == doctest::Approx(2.0 - 12.7062).epsilon(1e-5));
  const double error = std::sqrt(6.0 / 4.0 / 5.0);
  CHECK(mean_interval(five).high == doctest::Approx(4.0 + 2.77645 * error).epsilon(1e-5));
  CHECK(mean_interval(five, 0.99).low == doctest::Approx(4.0 - 4.60409 * error).epsilon(1e-5));
}

TEST_CASE("intervals: too few values have none, and equal values have no width") {
  const std::vector<double> none, one{5.0}, equal{5.0, 5.0, 5.0}, two{1.0, 3.0};
  CHECK(std::isnan(mean_interval(none).mean));
  CHECK(mean_interval(one).mean == 5.0);
  CHECK(std::isnan(mean_interval(one).low));
  CHECK(mean_interval(equal).low == 5.0);
  CHECK(mean_interval(equal).high == 5.0);
  CHECK(std::isnan(difference_interval(one, two).low));
  CHECK(difference_interval(equal, equal).high == 0.0);
  CHECK(std::isnan(slope_interval(two, two).low));
}

TEST_CASE("a difference of means: a sample that does not vary leaves the other's interval") {
  const std::vector<double> five{2.0, 4.0, 4.0, 5.0, 5.0}, constant{1.0, 1.0, 1.0};
  const MeanInterval d = difference_interval(five, constant), m = mean_interval(five);
  CHECK(d.mean == 3.0);
  CHECK(d.low == doctest::Approx(m.low - 1.0));
  CHECK(d.high == doctest::Approx(m.high - 1.0));
  const MeanInterval back = difference_interval(constant, five);
  CHECK(back.low == doctest::Approx(-d.high));
}

TEST_CASE("the interval of a share: Wilson's") {
  // z = 1.959964: (p + z^2 / 2n ± z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n), by hand
  const MeanInterval some = share_interval(8, 10);
  CHECK(some.mean == doctest::Approx(0.8));
  CHECK(some.low == doctest::Approx(0.490162).epsilon(1e-5));
  CHECK(some.high == doctest::Approx(0.943318).epsilon(1e-5));
  const MeanInterval none = share_interval(0, 10), all = share_interval(10, 10);
  CHECK((none.low == 0 && all.high == 1));
  CHECK(none.high == doctest::Approx(0.277533).epsilon(1e-5));
  CHECK(all.low == doctest::Approx(1 - none.high));
  CHECK(std::isnan(share_interval(0, 0).mean));
  // It holds the truth about as often as it says, averaged over the truths.
  reference::Draws draws(12);
  int held = 0;
  constexpr int kTimes = 4000;
  for (int t = 0; t < kTimes; ++t) {
    const double truth = draws.uniform(0.0, 1.0);
    std::int64_t count = 0;
    for (int i = 0; i < 12; ++i) count += draws.uniform(0.0, 1.0) < truth;
    const MeanInterval m = share_interval(count, 12);
    held += m.low <= truth && truth <= m.high;
  }
  CHECK(std::abs(held - 0.95 * kTimes) <= 4.0 * std::sqrt(kTimes * 0.95 * 0.05) + 0.01 * kTimes);
}

TEST_CASE("intervals hold what they promise: 95 % of 95 % intervals hold the truth") {
  reference::Draws draws(11);
  const auto sample = [&](int n, double mean, double spread) {
    std::vector<double> values;
    for (int i = 0; i < n; ++i) {
      double sum = 0.0;  // of 12 uniforms: nearly normal, sd 1
      for (int j = 0; j < 12; ++j) sum += draws.uniform(-0.5, 0.5);
      values.push_back(mean + spread * sum);
    }
    return values;
  };
  constexpr int kTimes = 2000;
  int one = 0, two = 0, slope = 0;
  const std::vector<double> x{0, 1, 2, 3, 4, 5};
  for (int t = 0; t < kTimes; ++t) {
    const MeanInterval m = mean_interval(sample(5, 3.0, 2.0));
    one += m.low <= 3.0 && 3.0 <= m.high;
    const MeanInterval d = difference_interval(sample(6, 3.0, 2.0), sample(5, 1.0, 0.5));
    two += d.low <= 2.0 && 2.0 <= d.high;
    std::vector<double> y = sample(6, 0.0, 1.0);
    for (std::size_t i = 0; i < 6; ++i) y[i] += 0.5 * x[i];
    const MeanInterval s = slope_interval(x, y);
    slope += s.low <= 0.5 && 0.5 <= s.high;
  }
  // Four standard errors of a count with p = 0.95, and for Welch's approximation one percent more.
  const double reach = 4.0 * std::sqrt(kTimes * 0.95 * 0.05);
  CHECK(std::abs(one - 0.95 * kTimes) <= reach);
  CHECK(std::abs(two - 0.95 * kTimes) <= reach + 0.01 * kTimes);
  CHECK(std::abs(slope - 0.95 * kTimes) <= reach);
}
