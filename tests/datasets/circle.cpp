#include "datasets/circle.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "helpers.h"

using namespace shoal;
using namespace shoal::test;

namespace {

Dataset drawn(std::int64_t train, double radius = 0, std::uint64_t seed = 1) {
  return draw_circle({.name = "circle", .seed = seed, .radius = radius, .train_count = train});
}

double share_inside(const Split& split) {
  return static_cast<double>(std::ranges::count(split.labels, 1)) / static_cast<double>(split.count);
}

}  // namespace

TEST_CASE("the radii are what their names say") {
  CHECK(kBalancedRadius == doctest::Approx(std::sqrt(2 / std::numbers::pi)).epsilon(1e-15));
  CHECK(kPublishedRadius == doctest::Approx(std::pow(2 / std::numbers::pi, 0.25)).epsilon(1e-15));
}

TEST_CASE("points are uniform in the square and labelled by the circle") {
  constexpr std::int64_t kCount = 40'000;
  for (const double radius : {0.0, 0.5, kPublishedRadius}) {
    const Dataset data = drawn(kCount, radius);
    const double r = radius == 0 ? kBalancedRadius : radius, share = std::numbers::pi * r * r / 4;
    // Binomial: five standard deviations.
    CHECK(std::abs(share_inside(data.train) - share) < 5 * std::sqrt(share * (1 - share) / kCount));
    int wrong = 0;
    double sum_x = 0, sum_y = 0, sum_xy = 0;
    for (std::size_t i = 0; i < kCount; ++i) {
      const double x = data.train.values[2 * i], y = data.train.values[2 * i + 1];
      wrong +=
          !(std::abs(x) < 1) || !(std::abs(y) < 1) || (x * x + y * y < r * r) != (data.train.labels[i] == 1);
      sum_x += x, sum_y += y, sum_xy += x * y;
    }
    CHECK(wrong == 0);
    // Variances of x, y and xy are 1/3, 1/3 and 1/9.
    CHECK(std::abs(sum_x) < 5 * std::sqrt(kCount / 3.0));
    CHECK(std::abs(sum_y) < 5 * std::sqrt(kCount / 3.0));
    CHECK(std::abs(sum_xy) < 5 * std::sqrt(kCount / 9.0));
  }
}

TEST_CASE("points depend on seed, part and index alone") {
  const Dataset few = drawn(10), many = drawn(100), other = drawn(10, 0, 2);
  CHECK(std::equal(few.train.values.begin(), few.train.values.end(), many.train.values.begin()));
  CHECK(few.train.values != other.train.values);
  CHECK(few.train.values[0] != few.test.values[0]);
  CHECK(drawn(0).train.count == kCircleCount);
  CHECK(few.test.count == kCircleCount);
  CHECK(few.features == 2);
  CHECK(few.classes == 2);
}

TEST_CASE("circle-published: the published radius by name, and no other") {
  const Dataset named = load_dataset({.name = "circle-published", .train_count = 200, .test_count = 100}),
                drawn_so = drawn(200, kPublishedRadius);
  CHECK(named.name == "circle-published");
  CHECK(named.train.values == drawn_so.train.values);
  CHECK(named.train.labels == drawn_so.train.labels);
  CHECK(has(error_of([&] { load_dataset({.name = "circle-published", .radius = 0.5}); }),
            "leave --radius out"));
}

TEST_CASE("circles that cannot be are refused") {
  for (const double radius : {-1.0, 1.5, std::nan("")})
    CHECK(has(error_of([&] { drawn(10, radius); }), "below sqrt(2)"));
  CHECK(has(error_of([] { drawn(-5); }), "-5 points"));
}
