#include "tools/config_file.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <fstream>
#include <sstream>

#include "tools/exit_codes.h"

namespace shoal {
namespace {

std::string scalar_text(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return std::to_string(whole->get());
  if (const auto* real = node.as_floating_point()) return to_text(real->get());
  throw UsageError(fmt::format("{}: a number, a text or an array of these was expected", where));
}

std::string value_text(const toml::node& node, const std::string& where) {
  const toml::array* const array = node.as_array();
  if (!array) return scalar_text(node, where);
  if (array->empty()) throw UsageError(fmt::format("{}: the array is empty", where));
  std::string text;
  // The comma behind a single element keeps it a list: seeds = [5] is the seed 5, not five seeds.
  for (const toml::node& element : *array) text += scalar_text(element, where) + ",";
  if (array->size() > 1) text.pop_back();
  return text;
}

std::string toml_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\', result += c;
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      result += fmt::format("\\u{:04X}", static_cast<int>(c));
    else result += c;
  }
  return result + '"';
}

template <class T, class F>
std::string array_of(const std::vector<T>& values, F&& element, bool always) {
  if (values.size() == 1 && !always) return element(values[0]);
  std::string text;
  for (const T& value : values) text += (text.empty() ? "[" : ", ") + element(value);
  return text + "]";
}

/// TOML's floats need a point or an exponent; whole numbers are fine for our reader.
std::string number(double value) { return to_text(value); }

std::string row_value(const Settings& settings, const Setting& row) {
  const std::string& text = settings.text(row.key);
  if (!row.word.empty() && text == row.word) return toml_text(text);
  const bool keep_list = text.find(',') != std::string::npos || text.find("..") != std::string::npos;
  switch (row.type) {
    case SettingType::integer:
      if (!row.list) return std::to_string(settings.integer(row.key));
      return array_of(
          settings.integers(row.key), [](std::int64_t v) { return std::to_string(v); },
          keep_list && row.step == RangeStep::by_one);
    case SettingType::real:
      if (!row.list) return number(settings.real(row.key));
      return array_of(settings.reals(row.key), number, false);
    case SettingType::layers:
      return array_of(
          settings.layers(row.key),
          [](const std::vector<int>& v) {
            return v.size() == 1 ? std::to_string(v[0]) : toml_text(to_text(v));
          },
          false);
    case SettingType::choice:
      if (!row.list) return toml_text(text);
      return array_of(
          settings.texts(row.key), [](const std::string& v) { return toml_text(v); }, false);
    case SettingType::text: return toml_text(text);
  }
  return toml_text(text);
}

}  // namespace

void set_from_toml(Settings& settings, std::string_view text, const std::string& where) {
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& e) {
    throw UsageError(
        fmt::format("{} is not TOML: line {}: {}", where, e.source().begin.line, e.description()));
  }
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (node.is_table())
      throw UsageError(fmt::format("{}: '[{}]' is a table, and settings stand without one", where, name));
    settings.set(name, value_text(node, fmt::format("{}: {}", where, name)), Origin::file, where + ": ");
  }
}

void set_from_file(Settings& settings, const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || std::filesystem::is_directory(path))
    throw UsageError(fmt::format("the configuration file {} cannot be read", path.string()));
  set_from_toml(settings, text.str(), path.string());
}

std::string toml_value(const Settings& settings, std::string_view key) {
  return row_value(settings, settings.setting(key));
}

std::string to_toml(const Settings& settings, std::string_view command) {
  std::string text = fmt::format("# Settings of a run; `shoal {} --config FILE` repeats it.\n", command);
  std::string_view group;
  for (const Setting& row : settings.schema()) {
    if (row.group != group) text += fmt::format("\n# {}\n", row.group);
    group = row.group;
    text += fmt::format("{} = {}\n", row.key, row_value(settings, row));
  }
  return text;
}

}  // namespace shoal
