#include "tools/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "datasets/nearest.h"
#include "tools/exit_codes.h"

namespace shoal {
namespace {

std::string suggestion(std::string_view word, std::span<const std::string_view> names) {
  const std::string_view near = nearest_name(word, names);
  return near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near);
}

void check_choice(const Setting& row, const std::string& word) {
  if (std::find(row.choices.begin(), row.choices.end(), word) != row.choices.end()) return;
  throw UsageError(
      fmt::format("'{}' is none of {}{}", word, fmt::join(row.choices, ", "), suggestion(word, row.choices)));
}

void check_bounds(const Setting& row, double value) {
  if (value >= row.minimum && value <= row.maximum) return;
  if (value < row.minimum)
    throw UsageError(
        fmt::format("{} is too small, it must be at least {}", to_text(value), to_text(row.minimum)));
  throw UsageError(
      fmt::format("{} is too large, it may be at most {}", to_text(value), to_text(row.maximum)));
}

/// Throws when `text` is not a value of this row.
void check_value(const Setting& row, const std::string& text) {
  if (!row.word.empty() && text == row.word) return;
  if (!row.list && row.type != SettingType::text && text.find(',') != std::string::npos)
    throw UsageError(fmt::format("'{}' is a list, and a run has one {}", text, row.key));
  switch (row.type) {
    case SettingType::integer:
      if (!row.list) check_bounds(row, static_cast<double>(parse_integer(text)));
      else
        for (const std::int64_t value : parse_integers(text, row.step))
          check_bounds(row, static_cast<double>(value));
      return;
    case SettingType::real:
      if (!row.list) check_bounds(row, parse_real(text));
      else
        for (const double value : parse_reals(text, row.step)) check_bounds(row, value);
      return;
    case SettingType::choice:
      for (const std::string& word : split_list(text)) check_choice(row, word);
      return;
    case SettingType::layers: parse_layers(text); return;
    case SettingType::text: return;
  }
}

std::string upper(std::string_view key) {
  std::string name;
  for (const char c : key)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

/// Variables that other parts of the program read.
constexpr std::string_view kForeignVariables[] = {"SHOAL_DATA", "SHOAL_CPU_LEVEL"};

}  // namespace

Settings::Settings(Schema schema) : rows(std::move(schema)) {
  for (const Setting& row : rows) values.push_back({std::string(row.fallback), Origin::fallback});
}

std::size_t Settings::index(std::string_view key) const {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Setting& r) { return r.key == key; });
  if (row != rows.end()) return static_cast<std::size_t>(row - rows.begin());
  std::vector<std::string_view> keys;
  for (const Setting& r : rows) keys.push_back(r.key);
  throw UsageError(fmt::format("there is no setting '{}'{}", key, suggestion(key, keys)));
}

void Settings::set(std::string_view key, std::string_view text, Origin origin, std::string_view where) {
  std::size_t i = 0;
  try {
    i = index(key);
  } catch (const UsageError& e) {
    throw UsageError(origin == Origin::file ? fmt::format("{}{}", where, e.what()) : e.what());
  }
  try {
    check_value(rows[i], std::string(text));
  } catch (const UsageError& e) {
    const std::string name =
        origin == Origin::environment ? environment_name(rows[i]) : fmt::format("{}{}", where, key);
    throw UsageError(fmt::format("{}: {}", name, e.what()));
  }
  values[i] = {std::string(text), origin};
}

const std::string& Settings::text(std::string_view key) const { return values[index(key)].text; }
std::int64_t Settings::integer(std::string_view key) const { return parse_integer(text(key)); }
double Settings::real(std::string_view key) const { return parse_real(text(key)); }
std::vector<std::string> Settings::texts(std::string_view key) const { return split_list(text(key)); }
std::vector<std::int64_t> Settings::integers(std::string_view key) const {
  return parse_integers(text(key), setting(key).step);
}
std::vector<double> Settings::reals(std::string_view key) const {
  return parse_reals(text(key), setting(key).step);
}
std::vector<std::vector<int>> Settings::layers(std::string_view key) const { return parse_layers(text(key)); }
Origin Settings::origin(std::string_view key) const { return values[index(key)].origin; }
const Setting& Settings::setting(std::string_view key) const { return rows[index(key)]; }

std::string environment_name(const Setting& row) {
  return row.environment.empty() ? "SHOAL_" + upper(row.key) : std::string(row.environment);
}

std::vector<std::string> set_from_environment(Settings& settings,
                                              const std::map<std::string, std::string>& variables) {
  std::vector<std::string> unknown;
  for (const auto& [name, value] : variables) {
    if (!name.starts_with("SHOAL_")) continue;
    const auto& rows = settings.schema();
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&](const Setting& r) { return environment_name(r) == name; });
    if (row != rows.end()) settings.set(row->key, value, Origin::environment);
    else if (std::find(std::begin(kForeignVariables), std::end(kForeignVariables), name) ==
             std::end(kForeignVariables))
      unknown.push_back(name);
  }
  return unknown;
}

void set_assignment(Settings& settings, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0)
    throw UsageError(fmt::format("--set {}: write --set key=value", assignment));
  settings.set(assignment.substr(0, equals), assignment.substr(equals + 1), Origin::flag, "--set ");
}

void set_default(Schema& schema, std::string_view key, std::string_view fallback) {
  for (Setting& row : schema)
    if (row.key == key) {
      row.fallback = fallback;
      return;
    }
  throw std::logic_error(fmt::format("the schema has no row '{}'", key));
}

}  // namespace shoal
