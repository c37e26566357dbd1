// Work is shared out completely, and once.
#include "analysis/calculator.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "analysis/samples.h"
#include "tests/analysis/calculators.h"

namespace shoal::test {
namespace {

TEST_CASE("every task and every sample is worked on once, by every calculator") {
  std::vector<std::int64_t> offsets{5};
  for (int s = 0; s < 1000; ++s) offsets.push_back(offsets.back() + (s % 7 == 0 ? 0 : s % 113 * (s % 11)));
  for (const auto& calculator : calculators()) {
    CAPTURE(calculator->name());
    for (const int count : {0, 1, 3, 50}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
      calculator->for_each(count, [&](int task) { ++runs[static_cast<std::size_t>(task)]; });
      for (const auto& r : runs) CHECK(r == 1);
    }
    for (const std::size_t count : {0u, 1u, 2u, 17u, 1000u}) {
      std::vector<std::atomic<int>> runs(count);
      calculator->over_samples(std::span(offsets).first(count + 1),
                               [&](std::int64_t first, std::int64_t last, void*) {
                                 for (std::int64_t s = first; s < last; ++s)
                                   ++runs[static_cast<std::size_t>(s)];
                               });
      for (const auto& r : runs) CHECK(r == 1);
    }
  }
}

TEST_CASE("arrays go to the machine and come back") {
  const std::vector<double> in{1.5, 2.5, -3.0};
  for (const auto& calculator : calculators()) {
    std::vector<double> out{7, 8, 9};
    const Input<double> input(*calculator, in);
    const Output<double> output(*calculator, std::span(out));
    CHECK((input.get() == in.data()) == (calculator->device() == nullptr));
    CHECK((output.get() == out.data()) == (calculator->device() == nullptr));
    output.fetch();
    CHECK(out == std::vector<double>{7, 8, 9});
    const Scratch<double> scratch(*calculator, 10);
    CHECK(scratch.get() != nullptr);
  }
}

TEST_CASE("offsets that are none are refused in words") {
  const std::vector<double> values(10);
  const auto check = [&](std::vector<std::int64_t> offsets) { check_samples(offsets, values.size()); };
  CHECK_NOTHROW(check({0}));
  CHECK_NOTHROW(check({0, 0, 10}));
  CHECK_NOTHROW(check({3, 5}));
  CHECK_THROWS_AS(check({}), std::invalid_argument);
  CHECK_THROWS_AS(check({-1, 3}), std::invalid_argument);
  CHECK_THROWS_AS(check({0, 4, 3}), std::invalid_argument);
  CHECK_THROWS_AS(check({0, 11}), std::invalid_argument);
}

}  // namespace
}  // namespace shoal::test
