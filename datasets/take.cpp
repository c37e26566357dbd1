#include "datasets/take.h"

#include <fmt/core.h>

#include <algorithm>

namespace shoal {
namespace {

void shorten(Split& split, std::int64_t wanted, const Dataset& data, const char* part) {
  if (wanted == 0 || wanted == split.count) return;
  if (wanted < 0 || wanted > split.count)
    throw DataError(fmt::format("{} {} samples of {} were asked for; there are 1 to {}", wanted, part,
                                data.name, split.count));
  const auto values = static_cast<std::size_t>(wanted) * static_cast<std::size_t>(split.features);
  if (!split.bytes.empty()) split.bytes.resize(values);
  if (!split.values.empty()) split.values.resize(values);
  split.labels.resize(static_cast<std::size_t>(wanted));
  split.count = wanted;
}

}  // namespace

void take_first(Dataset& data, const DatasetSpec& spec) {
  shorten(data.train, spec.train_count, data, "training");
  shorten(data.test, spec.test_count, data, "test");
}

void split_last_seventh(Split all, Dataset& data) {
  if (all.count < 2)
    throw DataError(fmt::format("{}: one sample cannot be both training and test data", data.source));
  const std::int64_t test = std::max<std::int64_t>(1, all.count / 7), train = all.count - test;
  const auto cut = static_cast<std::ptrdiff_t>(train) * all.features;
  data.test = {.count = test, .features = all.features};
  if (!all.bytes.empty()) data.test.bytes.assign(all.bytes.begin() + cut, all.bytes.end());
  if (!all.values.empty()) data.test.values.assign(all.values.begin() + cut, all.values.end());
  data.test.labels.assign(all.labels.begin() + static_cast<std::ptrdiff_t>(train), all.labels.end());
  data.train = std::move(all);
  shorten(data.train, train, data, "training");
}

int classes_of(const Split& train, const Split& test) {
  std::int32_t largest = 1;
  for (const Split* split : {&train, &test})
    for (const std::int32_t label : split->labels) largest = std::max(largest, label);
  return largest + 1;
}

}  // namespace shoal
