// What a plain network of some size would have, from those of other widths.
#pragma once

#include <cmath>
#include <iterator>
#include <limits>
#include <map>

namespace shoal {

/// `by_width` (width, value) at a size: linear in the logarithm of the width between two widths, NaN outside
/// of all of them.
inline double at_width(const std::map<double, double>& by_width, double size) {
  const auto above = by_width.lower_bound(size);
  if (above == by_width.end()) return std::numeric_limits<double>::quiet_NaN();
  if (above->first == size) return above->second;
  if (above == by_width.begin()) return std::numeric_limits<double>::quiet_NaN();
  const auto below = std::prev(above);
  const double share = std::log(size / below->first) / std::log(above->first / below->first);
  return below->second + share * (above->second - below->second);
}

}  // namespace shoal
