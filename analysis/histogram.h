// Counts in fixed bins of equal width.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace shoal {

/// Bin i holds from + i w <= x < from + (i + 1) w with w = (to - from) / bins; `to` itself is in the last.
/// Every value is counted exactly once: in a bin, below, above, or as not a number.
struct Histogram {
  double from = 0, to = 1;
  std::vector<std::int64_t> counts;
  std::int64_t below = 0, above = 0, nan = 0;

  double bin_width() const { return (to - from) / static_cast<double>(counts.size()); }
};

/// bins >= 1 and from < to, else std::invalid_argument.
Histogram histogram(std::span<const double> sample, double from, double to, int bins);

}  // namespace shoal
