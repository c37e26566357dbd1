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

std::vector<Histogram> histograms(const Calculator& calculator, Samples<double> samples, double from,
                                  double to, int bins) {
  check_samples(samples.offsets, samples.values.size());
  std::vector<Histogram> result(static_cast<std::size_t>(samples.count()));
  calculator.over_samples(samples.offsets, [&](std::int64_t first, std::int64_t last, void*) {
    for (std::int64_t s = first; s < last; ++s)
      result[static_cast<std::size_t>(s)] = histogram(samples[s], from, to, bins);
  });
  return result;
}

}  // namespace shoal
