// Counts in fixed bins of equal width.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/calculator.h"
#include "analysis/samples.h"

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

/// The same bins for every sample, shared out over the threads of the CPU; with a device, one thread of the
/// host counts. std::invalid_argument also for offsets that are none.
std::vector<Histogram> histograms(const Calculator&, Samples<double>, double from, double to, int bins);

}  // namespace shoal
