#include "datasets/npz_data.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "datasets/npz.h"
#include "datasets/sha256.h"
#include "datasets/take.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLargestLabel = 1'000'000;  // more classes than that are an array of something else
constexpr std::int64_t kMostFeatures = 1 << 24;

struct Pair {
  Split split;
  int image_width = 0;
};

void take_values(Array x, const std::string& where, Split& split) {
  if (x.dtype == DType::u1) {
    split.bytes = std::move(x.data);
    return;
  }
  if (x.dtype != DType::f4 && x.dtype != DType::f8)
    throw DataError(
        fmt::format("{}: is {}; samples are uint8, float32 or float64", where, dtype_word(x.dtype)));
  if (x.dtype == DType::f4) {
    const std::span<const float> values = values_of<float>(x);
    split.values.assign(values.begin(), values.end());
  } else {
    for (const double value : values_of<double>(x)) split.values.push_back(static_cast<float>(value));
  }
  const auto bad = std::ranges::find_if(split.values, [](float value) { return !std::isfinite(value); });
  if (bad != split.values.end())
    throw DataError(fmt::format("{}: sample {} holds {}; values must be finite in 32 bits", where,
                                (bad - split.values.begin()) / split.features, *bad));
}

void take_labels(const Array& y, const std::string& where, Split& split) {
  if (y.dtype == DType::f4 || y.dtype == DType::f8)
    throw DataError(
        fmt::format("{}: is {}; labels are whole numbers (uint8 to int64)", where, dtype_word(y.dtype)));
  const bool column = y.shape.size() == 2 && y.shape[1] == 1;
  if (y.shape.size() != 1 && !column)
    throw DataError(
        fmt::format("{}: has the shape {}; labels are one number a sample", where, shape_text(y.shape)));
  if (y.shape[0] != split.count)
    throw DataError(fmt::format("{}: has {} labels for {} samples", where, y.shape[0], split.count));
  for (const double label : values_as_double(y)) {
    if (!(label >= 0 && label < kLargestLabel))
      throw DataError(fmt::format("{}: the label of sample {} is {}; labels are 0 to {}", where,
                                  split.labels.size(), label, kLargestLabel - 1));
    split.labels.push_back(static_cast<std::int32_t>(label));
  }
}

Pair read_pair(NpzReader& npz, const std::string& file, std::string_view x_name, std::string_view y_name) {
  const std::string where = fmt::format("{}: {}", file, x_name);
  Array x = npz.read(x_name);
  Shape shape = x.shape;
  if (shape.size() == 4 && shape[3] == 1) shape.pop_back();
  if (shape.size() != 2 && shape.size() != 3)
    throw DataError(
        fmt::format("{}: has the shape {}; it must be (samples, features) or (samples, height, width)", where,
                    shape_text(x.shape)));
  if (value_count(shape) == 0)
    throw DataError(fmt::format("{}: is empty, its shape is {}", where, shape_text(x.shape)));
  const std::int64_t features = value_count(shape) / shape[0];
  if (features > kMostFeatures)
    throw DataError(
        fmt::format("{}: has {} features a sample; at most {} are read", where, features, kMostFeatures));

  Pair pair;
  pair.image_width = shape.size() == 3 ? static_cast<int>(shape[2]) : 0;
  pair.split.count = shape[0];
  pair.split.features = static_cast<int>(features);
  take_values(std::move(x), where, pair.split);
  take_labels(npz.read(y_name), fmt::format("{}: {}", file, y_name), pair.split);
  return pair;
}

}  // namespace

Dataset load_npz(const fs::path& path) {
  const std::string file = path.string();
  NpzReader npz(path);
  Dataset data{.name = path.stem().string(), .source = file};
  const auto has = [&](auto... names) { return (npz.has(names) && ...); };
  if (has("x_train", "y_train", "x_test", "y_test")) {
    Pair train = read_pair(npz, file, "x_train", "y_train"), test = read_pair(npz, file, "x_test", "y_test");
    if (train.split.features != test.split.features || train.split.bytes.empty() != test.split.bytes.empty())
      throw DataError(fmt::format("{}: x_train and x_test differ in shape or type: {} and {} features", file,
                                  train.split.features, test.split.features));
    data.image_width = train.image_width;
    data.train = std::move(train.split);
    data.test = std::move(test.split);
  } else if (has("x", "y") || has("images", "labels")) {
    const bool letters = has("x", "y");
    Pair all = read_pair(npz, file, letters ? "x" : "images", letters ? "y" : "labels");
    data.image_width = all.image_width;
    split_last_seventh(std::move(all.split), data);
  } else {
    throw DataError(
        fmt::format("{}: needs the arrays x_train, y_train, x_test and y_test, or x and y, or images and "
                    "labels; it holds {}",
                    file, fmt::join(npz.names(), ", ")));
  }
  data.features = data.train.features;
  data.classes = classes_of(data.train, data.test);
  data.checksums.push_back({path.filename().string(), sha256_hex(read_bytes(path))});
  return data;
}

}  // namespace shoal
