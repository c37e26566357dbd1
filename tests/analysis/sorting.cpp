// Sorting, quantiles and histograms of many samples, against one at a time.
#include "analysis/sorting.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "analysis/histogram.h"
#include "analysis/summary.h"
#include "tests/analysis/calculators.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

struct Crowd {
  std::vector<double> values;
  std::vector<std::int64_t> offsets{0};
  Samples<double> samples() const { return {values, offsets}; }
};

/// Ragged samples, empty ones among them.
Crowd crowd_of(int count) {
  reference::Draws draws(61);
  Crowd c;
  for (int s = 0; s < count; ++s) {
    for (int n = s % 5 == 0 ? 0 : draws.below(200); n > 0; --n)
      c.values.push_back(std::exp(draws.uniform(-5, 5)) - 3);
    c.offsets.push_back(static_cast<std::int64_t>(c.values.size()));
  }
  return c;
}

TEST_CASE("every sample is sorted by itself, by every calculator, as float and as double") {
  const Crowd crowd = crowd_of(100);
  const std::vector<float> floats(crowd.values.begin(), crowd.values.end());
  for (const auto& calculator : calculators()) {
    CAPTURE(calculator->name());
    const std::vector<double> sorted_doubles = sort_samples(*calculator, crowd.samples());
    const std::vector<float> sorted_floats = sort_samples(*calculator, Samples<float>{floats, crowd.offsets});
    for (std::int64_t s = 0; s < crowd.samples().count(); ++s) {
      const std::span<const double> x = crowd.samples()[s];
      const std::vector<double> expected = sorted(x);
      const std::vector<float> expected_floats(expected.begin(), expected.end());
      const auto begin = static_cast<std::ptrdiff_t>(crowd.offsets[static_cast<std::size_t>(s)]);
      CHECK(std::equal(expected.begin(), expected.end(), sorted_doubles.begin() + begin));
      CHECK(std::equal(expected_floats.begin(), expected_floats.end(), sorted_floats.begin() + begin));
    }
  }
}

TEST_CASE("quantiles of many samples are those of one at a time") {
  Crowd crowd = crowd_of(50);
  for (const double odd : {std::nan(""), -std::nan("")}) {
    crowd.values.insert(crowd.values.end(), {1.0, odd, 2.0});
    crowd.offsets.push_back(static_cast<std::int64_t>(crowd.values.size()));
  }
  const std::vector<double> shares{0, 0.1, 0.25, 0.5, 0.999, 1};
  for (const auto& calculator : calculators()) {
    const std::vector<double> found = sample_quantiles(*calculator, crowd.samples(), shares);
    REQUIRE(found.size() == 52 * shares.size());
    for (std::int64_t s = 0; s < 52; ++s)
      for (std::size_t q = 0; q < shares.size(); ++q) {
        const double expected = s < 50 ? quantile(sorted(crowd.samples()[s]), shares[q]) : std::nan("");
        const double value = found[static_cast<std::size_t>(s) * shares.size() + q];
        CHECK((value == expected || (std::isnan(value) && std::isnan(expected))));
      }
  }
  CHECK_THROWS_AS(sample_quantiles(Calculator(), crowd.samples(), std::vector<double>{1.5}),
                  std::invalid_argument);
}

TEST_CASE("histograms of many samples are those of one at a time") {
  const Crowd crowd = crowd_of(50);
  for (const auto& calculator : calculators()) {
    const std::vector<Histogram> found = histograms(*calculator, crowd.samples(), -3, 20, 17);
    REQUIRE(found.size() == 50);
    for (std::int64_t s = 0; s < 50; ++s) {
      const Histogram expected = histogram(crowd.samples()[s], -3, 20, 17);
      const Histogram& h = found[static_cast<std::size_t>(s)];
      CHECK(h.counts == expected.counts);
      CHECK(h.above == expected.above);
    }
  }
  CHECK_THROWS_AS(histograms(Calculator(), crowd.samples(), 1, 1, 17), std::invalid_argument);
}

}  // namespace
}  // namespace shoal::test
