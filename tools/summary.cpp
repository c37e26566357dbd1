#include "tools/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

namespace shoal {

FiveNumbers five_numbers(std::span<const double> values) {
  std::vector<double> sorted;
  for (const double value : values)
    if (std::isfinite(value)) sorted.push_back(value);
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (sorted.empty()) return {0, kNone, kNone, kNone, kNone, kNone};
  std::sort(sorted.begin(), sorted.end());
  const auto quantile = [&](double share) {
    const double place = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
  };
  return {static_cast<std::int64_t>(sorted.size()),
          sorted.front(),
          quantile(0.25),
          quantile(0.5),
          quantile(0.75),
          sorted.back()};
}

nlohmann::ordered_json to_json(const FiveNumbers& f) {
  return {{"min", f.min}, {"q1", f.q1}, {"median", f.median}, {"q3", f.q3}, {"max", f.max}};
}

}  // namespace shoal
