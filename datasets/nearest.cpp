#include "datasets/nearest.h"

#include <algorithm>
#include <vector>

namespace shoal {
namespace {

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  // row[j]: the distance of a's first i letters from b's first j; two rows back for the swap of neighbours.
  std::vector<int> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = small(a[i - 1]) == small(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + !same});
      if (i > 1 && j > 1 && small(a[i - 1]) == small(b[j - 2]) && small(a[i - 2]) == small(b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string_view nearest_name(std::string_view word, std::span<const std::string_view> choices) {
  std::string_view best;
  int least = 0;
  for (const std::string_view choice : choices) {
    const int distance = edit_distance(word, choice);
    const auto longer = static_cast<int>(std::max(word.size(), choice.size()));
    if (3 * distance > longer || (!best.empty() && distance >= least)) continue;
    best = choice;
    least = distance;
  }
  return best;
}

}  // namespace shoal
