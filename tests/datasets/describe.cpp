#include "datasets/describe.h"

#include <doctest/doctest.h>

#include <cmath>

#include "helpers.h"

using namespace shoal;
using namespace shoal::test;

namespace {

Dataset small_set() {
  Dataset data{.name = "small", .source = "by hand", .features = 2, .classes = 3};
  data.train = {.count = 3, .features = 2, .bytes = {0, 51, 0, 102, 0, 255}, .labels = {2, 0, 2}};
  data.test = {.count = 2, .features = 2, .values = {-1, 4, 3, 4}, .labels = {1, 1}};
  data.warnings = {"something is odd"};
  return data;
}

}  // namespace

TEST_CASE("mean and standard deviation of a split") {
  const Dataset data = small_set();
  // 0, 0.2, 0, 0.4, 0, 1: mean 1.6 / 6, mean square 1.2 / 6
  const PixelScale bytes = pixel_scale(data.train);
  CHECK(bytes.mean == doctest::Approx(1.6 / 6).epsilon(1e-14));
  CHECK(bytes.sd == doctest::Approx(std::sqrt(1.2 / 6 - 1.6 * 1.6 / 36)).epsilon(1e-14));
  // -1, 4, 3, 4: mean 2.5, squared deviations 12.25, 2.25, 0.25, 2.25
  const PixelScale values = pixel_scale(data.test);
  CHECK(values.mean == 2.5);
  CHECK(values.sd == doctest::Approx(std::sqrt(17.0 / 4)).epsilon(1e-14));
  CHECK(pixel_scale({}).sd == 0);
}

// The mean of squares minus the square of the mean would lose all digits here: the deviations are 1e-4 of the
// mean's ulp squared.
TEST_CASE("a small spread about a large mean is not lost") {
  const Split split{
      .count = 4, .features = 1, .values = {1e6f, 1e6f + 0.25f, 1e6f, 1e6f + 0.25f}, .labels = {0, 0, 0, 0}};
  CHECK(pixel_scale(split).sd == doctest::Approx(0.125).epsilon(1e-12));
}

TEST_CASE("a data set is described") {
  const Dataset data = small_set();
  const Description d = describe(data);
  CHECK(d.features == 2);
  CHECK(d.train.class_counts == std::vector<std::int64_t>{1, 0, 2});
  CHECK(d.test.class_counts == std::vector<std::int64_t>{0, 2, 0});
  CHECK(d.train.least == 0);
  CHECK(d.train.largest == 1);
  CHECK(d.train.zero_share == 0.5);
  CHECK(d.train.constant_features == 1);
  CHECK(d.test.least == -1);
  CHECK(d.test.largest == 4);
  CHECK(d.test.zero_share == 0);
  CHECK(d.test.constant_features == 1);
  const std::string text = description_text(data, d);
  CHECK(has(text, "small (by hand)"));
  CHECK(has(text, "1 0 2"));
  CHECK(has(text, "warning: something is odd"));
}
