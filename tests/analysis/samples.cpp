// Summaries, quantiles, histograms, lines and layers against closed forms.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "analysis/histogram.h"
#include "analysis/layer.h"
#include "analysis/line.h"
#include "analysis/summary.h"

namespace {

using namespace shoal;
using Sample = std::vector<double>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// A handful of roundings.
constexpr double kRounding = 1e-14;

bool near(double value, double expected, double relative = kRounding) {
  return std::abs(value - expected) <= relative * std::max(1.0, std::abs(expected));
}

Moments moments_of_all(const std::vector<float>& values) {
  Moments m = empty_moments();
  for (const float x : values) m = merge(m, moments_of(x));
  return m;
}

TEST_CASE("the numbers 1 .. n have mean (n+1)/2 and variance n(n+1)/12") {
  for (const int n : {2, 3, 11, 100}) {
    Sample x(static_cast<std::size_t>(n));
    std::iota(x.begin(), x.end(), 1.0);
    const Summary s = summarize(x);
    CHECK(s.count == n);
    CHECK(near(s.mean, (n + 1) / 2.0));
    CHECK(near(s.sd, std::sqrt(n * (n + 1) / 12.0)));
    CHECK(near(s.standard_error, std::sqrt((n + 1) / 12.0)));
    CHECK(s.min == 1);
    CHECK(s.max == n);
  }
}

TEST_CASE("an offset of 1e9 does not cancel the spread") {
  const Summary s = summarize(Sample{1e9 + 1, 1e9 + 2, 1e9 + 3});
  CHECK(s.mean == 1e9 + 2);
  CHECK(s.sd == 1.0);
}

TEST_CASE("what a sample does not have is NaN") {
  const Summary none = summarize(Sample{});
  CHECK(none.count == 0);
  CHECK(std::isnan(none.mean));
  CHECK(std::isnan(none.sd));
  CHECK(std::isnan(none.min));
  const Summary one = summarize(Sample{5});
  CHECK(one.mean == 5);
  CHECK(std::isnan(one.sd));
  CHECK(std::isnan(one.standard_error));
  CHECK(std::isnan(summarize(Sample{1, kNan, 2}).mean));
}

TEST_CASE("quantiles lie linearly between order statistics") {
  const Sample x{1, 2, 4, 8};
  CHECK(quantile(x, 0) == 1);
  CHECK(quantile(x, 1) == 8);
  CHECK(quantile(x, 0.5) == 3);
  CHECK(quantile(x, 0.25) == 1.75);
  CHECK(quantile(x, 0.75) == 5);
  CHECK(quantile(Sample{7}, 0.3) == 7);
  CHECK(std::isnan(quantile(Sample{}, 0.5)));
  CHECK(sorted(Sample{3, 1, 2}) == Sample{1, 2, 3});
}

TEST_CASE("a histogram counts every value once") {
  const Sample x{-0.1, 0.0, 0.24, 0.25, 0.5, 0.999, 1.0, 1.5, kNan, -std::numeric_limits<double>::infinity()};
  const Histogram h = histogram(x, 0, 1, 4);
  CHECK(h.counts == std::vector<std::int64_t>{2, 1, 1, 2});
  CHECK(h.below == 2);
  CHECK(h.above == 1);
  CHECK(h.nan == 1);
  CHECK(h.bin_width() == 0.25);
  CHECK_THROWS_AS(histogram(x, 1, 1, 4), std::invalid_argument);
  CHECK_THROWS_AS(histogram(x, 0, 1, 0), std::invalid_argument);
  CHECK_THROWS_AS(histogram(x, kNan, 1, 4), std::invalid_argument);
}

TEST_CASE("the last value below `to` does not fall out of a histogram by rounding") {
  const double to = 0.7;
  for (int bins = 1; bins < 200; ++bins) {
    const Histogram h = histogram(Sample{std::nextafter(to, 0.0)}, 0.1, to, bins);
    CHECK(h.counts.back() == 1);
  }
}

TEST_CASE("a line is found, and r2 is the squared correlation") {
  const Line exact = fit_line(Sample{0, 1, 2, 5}, Sample{3, 1, -1, -7});
  CHECK(near(exact.intercept, 3));
  CHECK(near(exact.slope, -2));
  CHECK(near(exact.r2, 1));
  const Line noisy = fit_line(Sample{0, 1, 2}, Sample{0, 3, 0});
  CHECK(near(noisy.slope, 0));
  CHECK(near(noisy.intercept, 1));
  CHECK(near(noisy.r2, 0));
  CHECK(std::isnan(fit_line(Sample{1, 1}, Sample{1, 2}).slope));
  CHECK(std::isnan(fit_line(Sample{1, 2}, Sample{4, 4}).r2));
}

TEST_CASE("a power law is found, and its r2 is counted in y") {
  const PowerLaw exact = fit_power_law(Sample{1, 4, 9, 100}, Sample{3, 6, 9, 30});
  CHECK(near(exact.factor, 3, 1e-13));
  CHECK(near(exact.exponent, 0.5, 1e-13));
  CHECK(near(exact.r2, 1, 1e-13));
  // in logarithms the points 0, a, 0 over 0, 1, 2: a constant e^(a/3); y are 1, e^a, 1
  const double a = 1.5, e = std::exp(1.0), level = std::exp(a / 3), mean = (2 + std::exp(a)) / 3;
  const PowerLaw flat = fit_power_law(Sample{1, e, e * e}, Sample{1, std::exp(a), 1});
  const auto squares = [&](double centre) {
    return 2 * (1 - centre) * (1 - centre) + (std::exp(a) - centre) * (std::exp(a) - centre);
  };
  CHECK(near(flat.exponent, 0, 1e-13));
  CHECK(near(flat.factor, level, 1e-13));
  CHECK(near(flat.r2, 1 - squares(level) / squares(mean), 1e-12));
  CHECK(std::isnan(fit_power_law(Sample{2, 2}, Sample{1, 2}).exponent));
}

TEST_CASE("a layer adds the sds of its neurons, and only a constant neuron is dead") {
  const std::vector<Moments> neurons{moments_of_all({0, 0, 0, 0}), moments_of_all({0, 2, 0, 2}),
                                     moments_of_all({3, 3, 3, 3}), moments_of_all({0, 0, 0, 1e-20f})};
  const Sample sds = neuron_sds(neurons);
  CHECK(sds[0] == 0);
  CHECK(near(sds[1], 1));
  CHECK(sds[2] == 0);
  // 1e-20 in float, and sqrt(3)/4 of it as the sd of one value among four
  CHECK(std::abs(sds[3] / (1e-20 * std::sqrt(3.0) / 4) - 1) <= 1e-7);
  const LayerSummary layer = summarize_layer(neurons);
  CHECK(layer.neurons == 4);
  CHECK(layer.dead == 2);
  CHECK(near(layer.sum_sd, 1));
  CHECK(near(layer.mean_sd, 0.25));
  CHECK(std::isnan(summarize_layer({}).mean_sd));
}

TEST_CASE("a neuron of a diverged model is not dead, and its layer has no sum") {
  Moments diverged = moments_of(1.0f);
  diverged.squares = kNan;
  const LayerSummary layer = summarize_layer(std::vector<Moments>{diverged});
  CHECK(layer.dead == 0);
  CHECK(std::isnan(layer.sum_sd));
}

}  // namespace
