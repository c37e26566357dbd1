// Our Philox words are cuRAND's, for any seed, subsequence (our stream) and offset (our index).
#include <curand.h>
#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "kernels/philox.h"

// cuRAND's device code compiles for the host when its functions are told to be ordinary ones.
#define QUALIFIERS [[maybe_unused]] static inline
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#include <curand_kernel.h>
#pragma GCC diagnostic pop

using namespace shoal;

TEST_CASE("words of any stream are those of cuRAND's device generator") {
  for (const std::uint64_t seed : {0ull, 1ull, 0x0123456789abcdefull, ~0ull})
    for (const std::uint64_t stream : {0ull, 1ull, 77ull, 0xfedcba9876543210ull})
      for (const std::uint64_t start :
           {0ull, 1ull, 3ull, 4ull, 59999ull, 0x3fffffffdull, 0x100000000000ull}) {
        curandStatePhilox4_32_10_t state;
        curand_init(seed, stream, start, &state);
        for (std::uint64_t i = 0; i < 9; ++i) {
          CAPTURE(seed);
          CAPTURE(stream);
          CAPTURE(start + i);
          REQUIRE(philox_word(seed, stream, start + i) == curand(&state));
        }
      }
}

TEST_CASE("the first words of stream 0 are those of cuRAND's host generator") {
  curandGenerator_t generator = nullptr;
  REQUIRE(curandCreateGeneratorHost(&generator, CURAND_RNG_PSEUDO_PHILOX4_32_10) == CURAND_STATUS_SUCCESS);
  REQUIRE(curandSetPseudoRandomGeneratorSeed(generator, 1234) == CURAND_STATUS_SUCCESS);
  std::vector<unsigned> words(4);
  REQUIRE(curandGenerate(generator, words.data(), words.size()) == CURAND_STATUS_SUCCESS);
  curandDestroyGenerator(generator);
  for (std::size_t i = 0; i < words.size(); ++i) CHECK(philox_word(1234, 0, i) == words[i]);
}
