// Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): random
// words as a pure function of a key and a counter. The words are those of cuRAND's
// CURAND_RNG_PSEUDO_PHILOX4_32_10 with seed, subsequence and offset.
#pragma once

#include <cstdint>

#include "kernels/portable.h"

namespace shoal {

struct PhiloxWords {
  std::uint32_t word[4];
};

SHOAL_INLINE PhiloxWords philox4x32_10(PhiloxWords counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = static_cast<std::uint64_t>(0xD2511F53u) * counter.word[0];
    const std::uint64_t p1 = static_cast<std::uint64_t>(0xCD9E8D57u) * counter.word[2];
    counter = {{static_cast<std::uint32_t>(p1 >> 32) ^ counter.word[1] ^ key0, static_cast<std::uint32_t>(p1),
                static_cast<std::uint32_t>(p0 >> 32) ^ counter.word[3] ^ key1,
                static_cast<std::uint32_t>(p0)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

/// Words 4*quad .. 4*quad+3 of a stream.
SHOAL_INLINE PhiloxWords philox_quad(std::uint64_t seed, std::uint64_t stream, std::uint64_t quad) {
  return philox4x32_10({{static_cast<std::uint32_t>(quad), static_cast<std::uint32_t>(quad >> 32),
                         static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)}},
                       static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
}

/// Word `index` of a stream.
SHOAL_INLINE std::uint32_t philox_word(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  return philox_quad(seed, stream, index / 4).word[index % 4];
}

}  // namespace shoal
