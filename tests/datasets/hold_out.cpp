#include <doctest/doctest.h>

#include "datasets/dataset.h"

using namespace shoal;

TEST_CASE("the last training samples take the place of the test part") {
  for (const char* name : {"digits", "circle"}) {
    CAPTURE(name);
    DatasetSpec spec{.name = name, .train_count = 50};
    const Dataset whole = load_dataset(spec);
    spec.hold_out = 20;
    const Dataset held = load_dataset(spec);
    CHECK(held.train.count == 30);
    CHECK(held.test.count == 20);
    CHECK(held.test.features == whole.features);
    // Put together again they are what they were.
    Split both = held.train;
    both.bytes.insert(both.bytes.end(), held.test.bytes.begin(), held.test.bytes.end());
    both.values.insert(both.values.end(), held.test.values.begin(), held.test.values.end());
    both.labels.insert(both.labels.end(), held.test.labels.begin(), held.test.labels.end());
    CHECK(both.bytes == whole.train.bytes);
    CHECK(both.values == whole.train.values);
    CHECK(both.labels == whole.train.labels);
    CHECK(held.source.find("last 20 training samples") != std::string::npos);
  }
}

TEST_CASE("what cannot be held out is refused") {
  for (const std::int64_t count : {50, 51, -1}) {
    CAPTURE(count);
    CHECK_THROWS_AS(load_dataset({.name = "circle", .train_count = 50, .hold_out = count}), DataError);
  }
  CHECK_THROWS_AS(load_dataset({.name = "circle", .train_count = 50, .test_count = 10, .hold_out = 5}),
                  DataError);
  CHECK(load_dataset({.name = "circle", .train_count = 50, .hold_out = 49}).train.count == 1);
}
