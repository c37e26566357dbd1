// Five numbers of a sample, for tables and metrics.jsonl.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>

namespace shoal {

/// Order statistics of the finite values; quartiles interpolate linearly (Hyndman & Fan 1996, type 7). All
/// NaN when there is none.
struct FiveNumbers {
  std::int64_t count = 0;  // finite values
  double min, q1, median, q3, max;
};
FiveNumbers five_numbers(std::span<const double> values);

/// {"min": ..., "q1": ..., "median": ..., "q3": ..., "max": ...}
nlohmann::ordered_json to_json(const FiveNumbers&);

}  // namespace shoal
