#include "datasets/npz_data.h"

#include <doctest/doctest.h>

#include <limits>
#include <numeric>

#include "datasets/npz.h"
#include "helpers.h"

using namespace shoal;
using namespace shoal::test;

namespace {

/// Writes x and y under the names given and loads the file.
template <class X, class Y>
Dataset loaded(const TempFolder& folder, const Shape& x_shape, const std::vector<X>& x, const Shape& y_shape,
               const std::vector<Y>& y, const char* x_name = "x", const char* y_name = "y") {
  NpzWriter writer(folder / "mine.npz");
  writer.add<X>(x_name, x_shape, x);
  writer.add<Y>(y_name, y_shape, y);
  writer.finish();
  return load_npz(folder / "mine.npz");
}

}  // namespace

TEST_CASE("the four arrays of Keras make a data set, and bytes stay bytes") {
  const TempFolder folder;
  const Bytes train = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255}, test = {20, 21, 22, 23, 24, 25};
  const std::vector<std::int64_t> train_labels = {4, 0};
  NpzWriter writer(folder / "mine.npz");
  writer.add<std::uint8_t>("x_train", {2, 2, 3}, train);
  writer.add<std::int64_t>("y_train", {2}, train_labels);
  writer.add<std::uint8_t>("x_test", {1, 2, 3}, test);
  writer.add<std::uint8_t>("y_test", {1, 1}, Bytes{2});
  writer.finish();
  const Dataset data = load_npz(folder / "mine.npz");
  CHECK(data.name == "mine");
  CHECK(data.features == 6);
  CHECK(data.image_width == 3);
  CHECK(data.classes == 5);
  CHECK(data.train.bytes == train);
  CHECK(data.train.values.empty());
  CHECK(data.train.labels == std::vector<std::int32_t>{4, 0});
  CHECK(data.test.bytes == test);
  CHECK(data.test.labels == std::vector<std::int32_t>{2});
  CHECK(data.checksums.size() == 1);
}

TEST_CASE("the last seventh of one lump is the test part") {
  const TempFolder folder;
  std::vector<float> x(15 * 2);
  std::iota(x.begin(), x.end(), 0.0f);
  std::vector<std::int8_t> y(15);
  std::iota(y.begin(), y.end(), std::int8_t{0});
  for (const auto& [x_name, y_name] : {std::pair{"x", "y"}, {"images", "labels"}}) {
    const Dataset data = loaded(folder, {15, 2}, x, {15}, y, x_name, y_name);
    CHECK(data.train.count == 13);
    CHECK(data.test.count == 2);
    CHECK(data.train.values.size() == 26);
    CHECK(data.test.values == std::vector<float>{26, 27, 28, 29});
    CHECK(data.test.labels == std::vector<std::int32_t>{13, 14});
    CHECK(data.train.labels.size() == 13);
    CHECK(data.image_width == 0);
  }
}

TEST_CASE("arrays that are no data set are refused in words") {
  const TempFolder folder;
  const std::vector<float> four = {1, 2, 3, 4};
  const std::vector<std::int32_t> two = {0, 1};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto error = [&](const Shape& xs, const auto& x, const Shape& ys, const auto& y) {
    return error_of([&] { loaded(folder, xs, x, ys, y); });
  };
  CHECK(error({2, 2}, four, {2}, two) == "no error");
  CHECK(has(error({2, 2}, std::vector<std::int32_t>{1, 2, 3, 4}, {2}, two),
            "x: is int32; samples are uint8, float32"));
  CHECK(has(error({4}, four, {2}, two), "has the shape (4,)"));
  CHECK(has(error({2, 0}, std::vector<float>{}, {2}, two), "is empty"));
  CHECK(has(error({2, 2}, std::vector<float>{1, 2, 3, nan}, {2}, two), "sample 1 holds nan"));
  CHECK(has(error({2, 2}, std::vector<double>{1, 1e300, 3, 4}, {2}, two), "sample 0 holds inf"));
  CHECK(has(error({2, 2}, four, {2}, std::vector<float>{0, 1}), "y: is float32; labels are whole numbers"));
  CHECK(has(error({2, 2}, four, {1, 2}, two), "has the shape (1, 2)"));
  CHECK(has(error({2, 2}, four, {3}, std::vector<std::int32_t>{0, 1, 2}), "has 3 labels for 2 samples"));
  CHECK(has(error({2, 2}, four, {2}, std::vector<std::int32_t>{0, -1}), "label of sample 1 is -1"));
  CHECK(has(error({2, 2}, four, {2}, std::vector<std::int64_t>{std::int64_t{1} << 40, 0}),
            "label of sample 0"));
  CHECK(has(error({1, 4}, four, {1}, std::vector<std::int32_t>{0}), "cannot be both training and test"));
  CHECK(has(error_of([&] { loaded(folder, {2, 2}, four, {2}, two, "a", "b"); }), "it holds a, b"));
}

TEST_CASE("training and test arrays must be alike") {
  const TempFolder folder;
  const std::vector<float> four = {1, 2, 3, 4};
  const std::vector<std::int32_t> two = {0, 1};
  NpzWriter writer(folder / "mine.npz");
  writer.add<float>("x_train", {2, 2}, four);
  writer.add<std::int32_t>("y_train", {2}, two);
  writer.add<float>("x_test", {2, 1}, std::span(four).first(2));
  writer.add<std::int32_t>("y_test", {2}, two);
  writer.finish();
  CHECK(has(error_of([&] { load_npz(folder / "mine.npz"); }), "2 and 1 features"));
}
