#include "datasets/digits.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "datasets/digit_styles.h"
#include "datasets/sha256.h"
#include "helpers.h"

using namespace shoal;
using namespace shoal::test;

namespace {

Dataset drawn(std::int64_t train, std::int64_t test, std::uint64_t seed = 1, double difficulty = 1) {
  return draw_digits(
      {.name = "digits", .seed = seed, .difficulty = difficulty, .train_count = train, .test_count = test});
}

/// Share of the test images whose nearest class mean (of the training images, Euclidean) is their own.
double nearest_mean_accuracy(const Dataset& data) {
  std::vector<double> means(10 * 784), counts(10);
  for (std::size_t i = 0; i < data.train.labels.size(); ++i) {
    const auto c = static_cast<std::size_t>(data.train.labels[i]);
    ++counts[c];
    for (std::size_t p = 0; p < 784; ++p) means[c * 784 + p] += data.train.bytes[i * 784 + p];
  }
  int right = 0;
  for (std::size_t i = 0; i < data.test.labels.size(); ++i) {
    std::size_t best = 0;
    double least = 1e300;
    for (std::size_t c = 0; c < 10; ++c) {
      double distance = 0;
      for (std::size_t p = 0; p < 784; ++p) {
        const double d = means[c * 784 + p] / counts[c] - data.test.bytes[i * 784 + p];
        distance += d * d;
      }
      if (distance < least) least = distance, best = c;
    }
    right += static_cast<std::size_t>(data.test.labels[i]) == best;
  }
  return right / static_cast<double>(data.test.labels.size());
}

}  // namespace

TEST_CASE("the built-in digits have the sizes of MNIST") {
  const Dataset data = drawn(0, 0);
  CHECK(data.train.count == 60'000);
  CHECK(data.test.count == 10'000);
  CHECK(data.train.bytes.size() == 60'000u * 784);
  CHECK(data.test.labels.size() == 10'000);
  CHECK(data.features == 784);
  CHECK(data.image_width == 28);
  CHECK(data.classes == 10);
  std::array<int, 10> counts{};
  for (const std::int32_t label : data.train.labels) ++counts.at(static_cast<std::size_t>(label));
  // 60,000 draws of one class in ten: sd = sqrt(60000 * 0.1 * 0.9) = 73.5; five of them.
  for (const int count : counts) CHECK(std::abs(count - 6000) < 370);
}

// These bytes are promised for every machine, compiler and number of threads. Whoever changes the drawing on
// purpose changes the sum, and says so: results of older versions are then not comparable.
TEST_CASE("the built-in digits are the same bytes everywhere") {
  const Dataset data = drawn(300, 100);
  CHECK(sha256_hex(data.train.bytes) == "62ac08e9205e60b27c0da6a1e53f43ecdfc7f5e120253d5aa7d2f8d2a62ad256");
  CHECK(sha256_hex(data.test.bytes) == "0ff3e402dc1b8a291bfcf0672dae855bd74a10741af2f4d1b21fa9fe1012ff06");
}

TEST_CASE("an image depends on seed, part and index alone") {
  const Dataset data = drawn(300, 100), longer = drawn(777, 100), other = drawn(300, 100, 2);
  CHECK(std::equal(data.train.bytes.begin(), data.train.bytes.end(), longer.train.bytes.begin()));
  CHECK(std::equal(data.train.labels.begin(), data.train.labels.end(), longer.train.labels.begin()));
  CHECK(data.train.bytes != other.train.bytes);
  CHECK_FALSE(std::equal(data.test.bytes.begin(), data.test.bytes.end(), data.train.bytes.begin()));
  Bytes image(784);
  for (const std::int64_t i : {0, 1, 149, 150, 299}) {  // one thread here, whatever the machine has there
    CHECK(draw_digit(image, 1, 0, i, 1) == data.train.labels[static_cast<std::size_t>(i)]);
    CHECK(std::equal(image.begin(), image.end(), data.train.bytes.begin() + i * 784));
  }
}

// Bounds are loose on purpose: class means reach about 0.8 here, blind guessing 0.1, and bare styles differ
// more clearly.
TEST_CASE("the classes can be told apart, worse with more difficulty") {
  const double bare = nearest_mean_accuracy(drawn(2000, 1000, 1, 0)),
               usual = nearest_mean_accuracy(drawn(2000, 1000)),
               hard = nearest_mean_accuracy(drawn(2000, 1000, 1, 2));
  CHECK(bare > 0.9);
  CHECK(usual > 0.6);
  CHECK(usual < 0.95);
  CHECK(hard < usual - 0.1);
  CHECK(hard > 0.2);
}

TEST_CASE("most of the paper is empty and the ink is full") {
  const Dataset data = drawn(500, 100);
  const auto zeros = std::ranges::count(data.train.bytes, 0);
  CHECK(zeros > 0.7 * 500 * 784);
  CHECK(zeros < 0.9 * 500 * 784);
  for (std::size_t i = 0; i < 500; ++i) {
    const auto image = std::span(data.train.bytes).subspan(i * 784, 784);
    CHECK(std::ranges::max(image) > 100);
  }
}

TEST_CASE("every style stays within its box") {
  for (int digit = 0; digit < 10; ++digit) {
    CHECK(digit_styles(digit).size() >= 3);
    for (const auto style : digit_styles(digit)) {
      CHECK(style.size() >= 3);
      for (const PenPoint p : style) {
        if (p.x == kLift.x) continue;
        CHECK(p.x >= 0);
        CHECK(p.x <= 100);
        CHECK(p.y >= 0);
        CHECK(p.y <= 100);
      }
    }
  }
}

TEST_CASE("sine and cosine of turns") {
  double worst = 0;
  for (int i = -4000; i <= 4000; ++i) {
    const double t = i / 1024.0, x = 2 * std::numbers::pi * t;
    worst = std::max(
        {worst, std::abs(sine_of_turns(t) - std::sin(x)), std::abs(cosine_of_turns(t) - std::cos(x))});
  }
  CHECK(worst < 1e-10);
  CHECK(sine_of_turns(0) == 0);
  CHECK(cosine_of_turns(0) == doctest::Approx(1).epsilon(1e-10));
}

TEST_CASE("digits that cannot be drawn are refused") {
  CHECK(has(error_of([] { drawn(10, 10, 1, -0.5); }), "difficulty of digits is -0.5; it must be 0 to 3"));
  CHECK(has(error_of([] { drawn(10, 10, 1, 4); }), "0 to 3"));
  CHECK(has(error_of([] { drawn(10, 10, 1, std::nan("")); }), "0 to 3"));
  CHECK(has(error_of([] { drawn(-1, 10); }), "-1 digits"));
  CHECK(has(error_of([] { drawn(10, 1'000'000'000); }), "1000000000 digits"));
}
