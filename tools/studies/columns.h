// Numbers of several models at the same places (epochs, neurons, layers), and a summary of each place.
#pragma once

#include <cstddef>
#include <ranges>
#include <vector>

#include "analysis/summary.h"

namespace shoal {

class Columns {
 public:
  /// One model's numbers; it may have fewer places than others.
  template <std::ranges::range Numbers>
  void add(const Numbers& numbers) {
    std::size_t place = 0;
    for (const auto number : numbers) {
      if (place == columns.size()) columns.emplace_back();
      columns[place++].push_back(static_cast<double>(number));
    }
  }
  /// [place] over the models that have it.
  std::vector<Summary> summaries() const {
    std::vector<Summary> all;
    for (const std::vector<double>& column : columns) all.push_back(summarize(column));
    return all;
  }

 private:
  std::vector<std::vector<double>> columns;  // [place][model]
};

}  // namespace shoal
