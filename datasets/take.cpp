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

/// What stands behind the first `count` samples.
Split tail_of(const Split& all, std::int64_t count) {
  Split tail{.count = all.count - count, .features = all.features};
  const auto cut = static_cast<std::ptrdiff_t>(count) * all.features;
  if (!all.bytes.empty()) tail.bytes.assign(all.bytes.begin() + cut, all.bytes.end());
  if (!all.values.empty()) tail.values.assign(all.values.begin() + cut, all.values.end());
  tail.labels.assign(all.labels.begin() + static_cast<std::ptrdiff_t>(count), all.labels.end());
  return tail;
}

}  // namespace

void take_first(Dataset& data, const DatasetSpec& spec) {
  shorten(data.train, spec.train_count, data, "training");
  shorten(data.test, spec.test_count, data, "test");
}

void hold_out_last(Dataset& data, const DatasetSpec& spec) {
  if (spec.hold_out == 0) return;
  if (spec.hold_out < 0 || spec.hold_out >= data.train.count)
    throw DataError(fmt::format("{} of {} training samples of {} are to be held out; 1 to {} are possible",
                                spec.hold_out, data.train.count, data.name, data.train.count - 1));
  if (spec.test_count != 0)
    throw DataError(
        "held-out training samples take the place of the test data, so test samples cannot be counted, too");
  const std::int64_t kept = data.train.count - spec.hold_out;
  data.test = tail_of(data.train, kept);
  shorten(data.train, kept, data, "training");
  data.source += fmt::format("; the last {} training samples are the test part", spec.hold_out);
}

void split_last_seventh(Split all, Dataset& data) {
  if (all.count < 2)
    throw DataError(fmt::format("{}: one sample cannot be both training and test data", data.source));
  const std::int64_t test = std::max<std::int64_t>(1, all.count / 7), train = all.count - test;
  data.test = tail_of(all, train);
  data.train = std::move(all);
  shorten(data.train, train, data, "training");
  data.cut = true;
}

int classes_of(const Split& train, const Split& test) {
  std::int32_t largest = 1;
  for (const Split* split : {&train, &test})
    for (const std::int32_t label : split->labels) largest = std::max(largest, label);
  return largest + 1;
}

}  // namespace shoal
