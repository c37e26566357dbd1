#include "analysis/histogram.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace shoal {

Histogram histogram(std::span<const double> sample, double from, double to, int bins) {
  if (bins < 1 || !(from < to)) throw std::invalid_argument("a histogram needs a bin and from < to");
  Histogram h{from, to, std::vector<std::int64_t>(static_cast<std::size_t>(bins))};
  for (const double x : sample) {
    if (std::isnan(x)) {
      ++h.nan;
    } else if (x < from) {
      ++h.below;
    } else if (x > to) {
      ++h.above;
    } else {
      // Rounding may carry a value just below `to` into a bin that does not exist.
      const auto bin = static_cast<std::size_t>((x - from) / h.bin_width());
      ++h.counts[std::min(bin, h.counts.size() - 1)];
    }
  }
  return h;
}

}  // namespace shoal
