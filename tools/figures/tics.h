// Marks of axes.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace shoal {

/// 1, 2, 5, 10, 20, 50, ... up to `most`: for counts on a logarithmic axis.
inline std::vector<std::pair<double, std::string>> counts_to(double most) {
  std::vector<std::pair<double, std::string>> tics;
  for (int ten = 1; ten <= most; ten *= 10)
    for (const int of : {1, 2, 5})
      if (of * ten <= most) tics.emplace_back(of * ten, std::to_string(of * ten));
  return tics;
}

}  // namespace shoal
