#pragma once
// Random numbers for built-in data, a function of (seed, stream, index) and of nothing else, with the same
// bits on every machine: only integers, and conversions to double that are exact.
#include <cstdint>

namespace shoal {

/// SplitMix64's finalizer (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014;
/// constants: Stafford's variant 13).
inline std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/// The numbers of one sample, one after another.
struct SampleRandom {
  std::uint64_t state;

  SampleRandom(std::uint64_t seed, std::uint64_t stream, std::uint64_t index)
      : state(mix64(mix64(mix64(seed + kStep) + stream) + kStep + index)) {}

  std::uint64_t word() { return mix64(state += kStep); }

  /// 0 <= u < 1, a multiple of 2^-53.
  double unit() { return static_cast<double>(word() >> 11) * 0x1p-53; }
  double between(double low, double high) { return low + (high - low) * unit(); }
  int below(int n) { return static_cast<int>((word() >> 32) * static_cast<std::uint64_t>(n) >> 32); }

  /// Mean 0, variance 1, never beyond 3.5: the sum of four uniform numbers. Nearly normal, and no logarithm,
  /// whose last bit differs between mathematical libraries.
  double bell() {
    double sum = -2;
    for (int i = 0; i < 4; ++i)
      sum += unit();  // one after another: the order of operands of + is the compiler's choice
    return sum * 1.7320508075688772;
  }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15u;
};

}  // namespace shoal
