#include "tools/find_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "datasets/nearest.h"
#include "tools/exit_codes.h"

namespace shoal {

std::string find_model(std::string_view word, std::span<const std::string> ids) {
  if (std::find(ids.begin(), ids.end(), word) != ids.end()) return std::string(word);
  std::vector<std::string_view> begun;
  for (const std::string& id : ids)
    if (!word.empty() && id.starts_with(word)) begun.push_back(id);
  // Few digits are an index; many are the beginning of an id that happens to have no letter.
  constexpr std::size_t kIdDigits = 6;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), index);
  const bool number = error == std::errc() && end == word.data() + word.size();
  if (number && index < ids.size() && (word.size() < kIdDigits || begun.empty())) return ids[index];
  if (begun.size() == 1) return std::string(begun.front());
  if (begun.size() > 1)
    throw UsageError(fmt::format("--model: {} ids begin with '{}': {}, {}{}", begun.size(), word, begun[0],
                                 begun[1], begun.size() > 2 ? ", ..." : ""));
  const std::vector<std::string_view> all(ids.begin(), ids.end());
  const std::string_view near = nearest_name(word, all);
  throw UsageError(
      fmt::format("--model: there is no '{}' among the {} model{}{}; give an id, its beginning, or an "
                  "index from 0 to {}",
                  word, ids.size(), ids.size() == 1 ? "" : "s",
                  near.empty() ? "" : fmt::format(" (did you mean {}?)", near), ids.size() - 1));
}

}  // namespace shoal
