// A sum of doubles that keeps what each addition rounds off.
#pragma once

#include <cmath>

namespace shoal {

/// Neumaier 1974 (Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, ZAMM 54): of n
/// values off by one rounding of the result and n^2 2^-106 sum |x|, to first order.
struct LongSum {
  double sum = 0, lost = 0;

  void add(double x) {
    const double next = sum + x;
    lost += std::abs(sum) >= std::abs(x) ? (sum - next) + x : (x - next) + sum;
    sum = next;
  }
  void add(const LongSum& other) { add(other.sum), lost += other.lost; }
  double value() const { return sum + lost; }
};

}  // namespace shoal
