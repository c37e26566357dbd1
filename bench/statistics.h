// The workloads of bench_statistics: one file each, one line each in the table of bench/statistics.cpp. A
// workload prints its row, one JSON line, after it has checked its result: a fast wrong answer is no result.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace shoal {

/// The result that was to be timed is wrong.
struct WrongResult : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Value i of the benchmarks' data: nearly normal around 0 with variance 1/3, the sum of the four 16-bit
/// words of splitmix64's output i (Steele, Lea & Flood 2014), so that a peer in another language has the same
/// values.
inline double bench_value(std::uint64_t i) {
  std::uint64_t z = (i + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  const std::uint64_t sum = (z & 0xFFFF) + (z >> 16 & 0xFFFF) + (z >> 32 & 0xFFFF) + (z >> 48);
  return static_cast<double>(sum) * 0x1p-16 - 2.0;
}

void measure_column_moments();  // statistics_moments.cpp
void measure_shapiro();         // statistics_shapiro.cpp
void measure_pca();             // statistics_pca.cpp
void measure_walsh_hadamard();  // statistics_walsh.cpp

}  // namespace shoal
