// The Walsh-Hadamard transform of 2^20 doubles.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "analysis/walsh_hadamard.h"
#include "bench/facts.h"
#include "bench/statistics.h"

namespace shoal {
namespace {

constexpr int kBits = 20;
constexpr int kRepeats = 31;

/// Some entries from the definition; rounding is once a level.
void check(const std::vector<double>& f, const std::vector<double>& w) {
  long double magnitude = 0;
  for (const double x : f) magnitude += std::abs(x);
  for (const std::size_t t : {0u, 1u, 12345u, (1u << kBits) - 1}) {
    long double sum = 0;
    for (std::size_t s = 0; s < f.size(); ++s) sum += std::popcount(s & t) % 2 ? -f[s] : f[s];
    if (!(std::abs(w[t] - sum) <= kBits * 0x1p-53L * magnitude))
      throw WrongResult(fmt::format("entry {} of the transform is wrong: not timed", t));
  }
}

}  // namespace

void measure_walsh_hadamard() {
  const Calculator calculator;
  std::vector<double> table(std::size_t{1} << kBits);
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = bench_value(i);
  std::vector<double> values = table;
  walsh_hadamard(calculator, values);
  check(table, values);
  std::vector<double> milliseconds;
  for (int r = 0; r < kRepeats; ++r) {
    std::ranges::copy(table, values.begin());
    const double begin = seconds();
    walsh_hadamard(calculator, values);
    milliseconds.push_back(1e3 * (seconds() - begin));
  }
  fmt::print(
      "{{\"bench\":\"statistics\",\"workload\":\"walsh-hadamard 2^{} float64\",\"milliseconds\":{:.3f},"
      "\"lowest\":{:.3f},\"highest\":{:.3f},\"repeats\":{},{}}}\n",
      kBits, median(milliseconds), *std::ranges::min_element(milliseconds),
      *std::ranges::max_element(milliseconds), kRepeats, facts(calculator.threads()));
}

}  // namespace shoal
