// Hashes that name models and random streams. They are part of the results: changing them changes every run.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace shoal {

/// Mixes 64 bits (the finaliser of SplitMix64, Steele, Lea & Flood 2014).
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// Hash of a sequence of words; order and length matter.
constexpr std::uint64_t hash_words(std::initializer_list<std::uint64_t> words) {
  std::uint64_t h = 0x53686F616Cu + words.size();
  for (const std::uint64_t w : words) h = mix(h ^ w);
  return h;
}

// What a random stream is for: the first word of its hash.
inline constexpr std::uint64_t kOrderStream = 1;
inline constexpr std::uint64_t kWeightStream = 2;
inline constexpr std::uint64_t kBiasStream = 3;
inline constexpr std::uint64_t kGateStartStream = 4;
inline constexpr std::uint64_t kGateNoiseStream = 5;
inline constexpr std::uint64_t kGrowthStream = 6;

}  // namespace shoal
