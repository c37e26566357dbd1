// Known answers for the random words, and moments of samples that can be summed by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "tests/reference/sampling.h"

namespace {

using namespace reference;

TEST_CASE("Philox gives the published words") {
  // The known answers of the authors' Random123 library (kat_vectors, philox4x32 10).
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox4x32_10({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32_10({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  // cuRAND, CURAND_RNG_PSEUDO_PHILOX4_32_10, seed 1234, subsequence 0.
  const std::uint32_t curand[4] = {0x2090b348, 0xda7cf0ab, 0x4401906f, 0xcbca470e};
  for (std::uint64_t i = 0; i < 4; ++i) CHECK(random_word(1234, 0, i) == curand[i]);
}

TEST_CASE("the order of an epoch is a permutation sorted by its words") {
  for (const std::int64_t samples : {1, 2, 7, 1000}) {
    std::vector<std::int32_t> order = epoch_order(42, 7, samples);
    for (std::size_t i = 1; i < order.size(); ++i)
      CHECK(random_word(42, 7, static_cast<std::uint64_t>(order[i - 1])) <=
            random_word(42, 7, static_cast<std::uint64_t>(order[i])));
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < order.size(); ++i) CHECK(order[i] == static_cast<std::int32_t>(i));
  }
  CHECK(epoch_order(42, 7, 1000) != epoch_order(42, 8, 1000));
  CHECK(epoch_order(42, 7, 1000) != epoch_order(43, 7, 1000));
}

TEST_CASE("moments of small samples") {
  const Summary s = summary_of({1.0f, 0.0f, -2.0f, 5.0f, -0.0f});
  CHECK(s.count == 5);
  CHECK(s.zeros == 2);
  CHECK(s.mean == doctest::Approx(0.8).epsilon(1e-15));
  CHECK(s.squares == doctest::Approx(30.0 - 5 * 0.64).epsilon(1e-15));
  CHECK(s.min == -2.0);
  CHECK(s.max == 5.0);
}

TEST_CASE("an offset does not disturb the variance") {
  std::vector<float> values(1001);
  std::iota(values.begin(), values.end(), 0.0f);
  const double squares = summary_of(values).squares;
  CHECK(squares == doctest::Approx(1001.0 * (1001.0 * 1001.0 - 1.0) / 12.0).epsilon(1e-15));
  for (float& x : values) x += 1e6f;
  CHECK(summary_of(values).squares == doctest::Approx(squares).epsilon(1e-15));
}

}  // namespace
