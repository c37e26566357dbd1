// Random words, the order of an epoch, and moments of a sample: definitions, written for reading.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace reference {

/// Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011, section 3.3).
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key);
/// Word `index` of stream `stream` of `seed`: the seed is the key, the low half of the counter counts groups
/// of four words, the high half is the stream.
std::uint32_t random_word(std::uint64_t seed, std::uint64_t stream, std::uint64_t index);
/// Samples sorted by (word, sample).
std::vector<std::int32_t> epoch_order(std::uint64_t seed, std::uint64_t stream, std::int64_t samples);

struct Summary {
  std::int64_t count = 0, zeros = 0;
  double mean = 0.0, squares = 0.0;  // squares: sum of squared deviations from the mean
  double min = 0.0, max = 0.0;
};
/// Two passes in long double. `values` must not be empty.
Summary summary_of(const std::vector<float>& values);

}  // namespace reference
