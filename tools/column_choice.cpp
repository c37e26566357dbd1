#include "tools/column_choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "datasets/nearest.h"
#include "tools/exit_codes.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

/// "a, b, c": the first ten and how many more.
std::string listed(std::span<const std::string> names) {
  constexpr std::size_t kMost = 10;
  std::string text = fmt::format("{}", fmt::join(names.first(std::min(kMost, names.size())), ", "));
  if (names.size() > kMost) text += fmt::format(" and {} more", names.size() - kMost);
  return text;
}

/// "; it has a, b, c", with the nearest name before it where there is one.
std::string choices_text(std::string_view word, std::string_view has, std::span<const std::string> names) {
  const std::vector<std::string_view> choices(names.begin(), names.end());
  const std::string_view near = nearest_name(word, choices);
  return (near.empty() ? "; it " : fmt::format("; did you mean '{}'? It ", near)) +
         fmt::format("{} {}", has, listed(names));
}

std::optional<std::size_t> column_named(std::string_view word, std::span<const std::string> names) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == word) found.push_back(i);
  if (found.size() > 1)
    throw UsageError(
        fmt::format("--column: {} columns are called '{}': choose by number, one of {}, counted from 0",
                    found.size(), word, fmt::join(found, ", ")));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

/// The columns of one part of a list: a name, a number, a range of numbers.
void add_part(std::string_view part, std::span<const std::string> names, std::string_view file,
              std::vector<std::size_t>& places) {
  if (const auto found = column_named(part, names)) return places.push_back(*found);
  std::vector<std::int64_t> numbers;
  if (part.find_first_not_of("0123456789.") == std::string_view::npos) try {
      numbers = parse_integers(part, RangeStep::by_one);
    } catch (const UsageError& e) { throw UsageError(fmt::format("--column: {}", e.what())); }
  if (numbers.empty())
    throw UsageError(
        fmt::format("--column: {} has no column '{}'{}", file, part, choices_text(part, "has", names)));
  for (const std::int64_t number : numbers) {
    if (static_cast<std::size_t>(number) >= names.size())
      throw UsageError(fmt::format("--column: {} has {} column{}, numbered from 0; there is no {}", file,
                                   names.size(), names.size() == 1 ? "" : "s", number));
    places.push_back(static_cast<std::size_t>(number));
  }
}

}  // namespace

std::vector<std::size_t> choose_columns(std::span<const std::string> wanted,
                                        std::span<const std::string> names, std::string_view file) {
  std::vector<std::size_t> places;
  for (const std::string& text : wanted) {
    if (const auto whole = column_named(text, names)) {  // a name with a comma in it
      places.push_back(*whole);
      continue;
    }
    for (const std::string& part : split_list(text)) add_part(part, names, file, places);
  }
  if (!wanted.empty()) return places;
  places.resize(names.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  return places;
}

std::string choose_array(std::string_view wanted, std::span<const std::string> arrays,
                         std::string_view file) {
  if (wanted.empty()) {
    if (arrays.size() == 1) return arrays.front();
    throw UsageError(fmt::format("{} holds {} arrays: choose one with --array NAME; there are {}", file,
                                 arrays.size(), listed(arrays)));
  }
  if (std::ranges::find(arrays, wanted) != arrays.end()) return std::string(wanted);
  throw UsageError(
      fmt::format("--array: {} holds no array '{}'{}", file, wanted, choices_text(wanted, "holds", arrays)));
}

}  // namespace shoal
