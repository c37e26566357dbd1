#include "datasets/csv.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>

#include "datasets/bytes.h"
#include "datasets/nearest.h"
#include "datasets/sha256.h"
#include "datasets/take.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLargestLabel = 1'000'000;  // more classes than that are a column of something else

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

enum class Number { ok, text, not_finite };

Number parse_number(std::string_view text, double& value) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return Number::not_finite;
  if (error != std::errc{} || end != text.data() + text.size()) return Number::text;
  return std::isfinite(value) ? Number::ok : Number::not_finite;
}

/// Walks a table held in memory, row by row.
struct TableText {
  std::string file;
  Bytes bytes;
  char separator = ',';
  std::size_t at = 0;
  std::int64_t line = 1;      // of the next row
  std::int64_t row_line = 1;  // of the row just read
  std::vector<std::string> fields = {};
  std::size_t used_fields = 0;  // the strings are kept for their memory

  [[noreturn]] void fail(const std::string& problem) const {
    throw DataError(fmt::format("{}, line {}: {}", file, row_line, problem));
  }

  std::string& new_field() {
    if (used_fields == fields.size()) fields.emplace_back();
    fields[used_fields].clear();
    return fields[used_fields++];
  }

  std::span<const std::string> row() const { return {fields.data(), used_fields}; }

  /// A field that began with a quote, which is already taken: up to the closing quote, "" meaning one quote.
  void take_quoted(std::string& field) {
    while (true) {
      if (at == bytes.size()) fail("a quote is opened and never closed");
      const char c = static_cast<char>(bytes[at++]);
      if (c == '\n') ++line;
      if (c != '"') {
        field += c;
      } else if (at < bytes.size() && bytes[at] == '"') {
        field += '"';
        ++at;
      } else {
        return;
      }
    }
  }

  /// The next row that is not blank; false at the end of the file.
  bool next_row() {
    do {
      if (at == bytes.size()) return false;
      row_line = line;
      used_fields = 0;
      bool row_ends = false;
      while (!row_ends) {
        std::string& field = new_field();
        if (at < bytes.size() && bytes[at] == '"') {
          ++at;
          take_quoted(field);
        }
        while (at < bytes.size() && static_cast<char>(bytes[at]) != separator && bytes[at] != '\n')
          field += static_cast<char>(bytes[at++]);
        row_ends = at == bytes.size() || bytes[at] == '\n';
        if (at < bytes.size()) line += bytes[at++] == '\n';
      }
    } while (used_fields == 1 && trimmed(fields[0]).empty());
    return true;
  }

  double number(std::size_t column, const std::vector<std::string>& names) const {
    double value = 0;
    const std::string& field = fields[column];
    switch (parse_number(field, value)) {
      case Number::ok: return value;
      case Number::text:
        if (trimmed(field).empty()) fail(fmt::format("{} holds '', a missing value", names[column]));
        fail(fmt::format("{} holds '{}', which is no number", names[column], trimmed(field).substr(0, 40)));
      case Number::not_finite: break;
    }
    fail(fmt::format("{} holds '{}', which is not a finite number", names[column],
                     trimmed(field).substr(0, 40)));
  }
};

/// What a table says of its columns.
struct Header {
  bool there = false;  // false: the first row is all numbers, and stays to be read
  std::vector<std::string> names;
};

/// Begins a table and reads its header. Columns without a name are called "column 1", ...
Header open_table(Bytes text, const fs::path& path, TableText& table) {
  table.file = path.string();
  table.bytes = std::move(text);
  const fs::path inner = path.extension() == ".gz" ? path.stem() : path;
  table.separator = inner.extension() == ".tsv" ? '\t' : ',';
  if (std::ranges::find(table.bytes, 0) != table.bytes.end())
    throw DataError(fmt::format("{}: is no text, it holds zero bytes", table.file));
  constexpr std::uint8_t kMark[] = {0xef, 0xbb, 0xbf};  // UTF-8's byte order mark
  if (table.bytes.size() >= 3 && std::equal(kMark, kMark + 3, table.bytes.begin())) table.at = 3;
  const std::size_t begin = table.at;
  if (!table.next_row()) throw DataError(fmt::format("{}: is empty", table.file));

  Header header;
  for (const std::string& field : table.row()) {
    double value = 0;
    header.there = header.there || parse_number(field, value) == Number::text;
    header.names.emplace_back(trimmed(field));
  }
  if (!header.there) {
    table.at = begin;
    table.line = 1;
  }
  for (std::size_t i = 0; i < header.names.size(); ++i)
    if (!header.there || header.names[i].empty()) header.names[i] = fmt::format("column {}", i + 1);
  return header;
}

/// Calls use() at every row, after checking that it has as many fields as there are names. Returns the number
/// of rows.
std::int64_t for_each_row(TableText& table, const std::vector<std::string>& names,
                          const std::function<void()>& use) {
  std::int64_t rows = 0;
  for (; table.next_row(); ++rows) {
    if (table.used_fields != names.size())
      table.fail(fmt::format("has {} fields; the first line has {}", table.used_fields, names.size()));
    use();
  }
  if (rows == 0) throw DataError(fmt::format("{}: has a header and no rows", table.file));
  return rows;
}

CsvColumns read_columns(TableText& table, const std::vector<std::string>& names,
                        std::span<const std::size_t> taken) {
  CsvColumns result;
  for (const std::size_t column : taken) result.names.push_back(names[column]);
  result.columns.resize(taken.size());
  for_each_row(table, names, [&] {
    for (std::size_t i = 0; i < taken.size(); ++i) result.columns[i].push_back(table.number(taken[i], names));
  });
  return result;
}

std::size_t label_column(const std::vector<std::string>& names) {
  for (const std::string_view wanted : {"label", "y", "class"})
    for (std::size_t i = 0; i < names.size(); ++i)
      if (edit_distance(names[i], wanted) == 0) return i;
  return names.size() - 1;
}

}  // namespace

CsvColumns read_csv_columns(const fs::path& path, std::span<const std::string_view> wanted) {
  TableText table;
  const std::vector<std::string> names = open_table(read_bytes(path), path, table).names;
  const std::vector<std::string_view> choices(names.begin(), names.end());
  std::vector<std::size_t> taken;
  for (const std::string_view name : wanted) {
    const auto found = std::ranges::find(choices, name);
    if (found == choices.end()) {
      const std::string_view near = nearest_name(name, choices);
      throw DataError(fmt::format("{}: has no column '{}'{}", table.file, name,
                                  near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    }
    taken.push_back(static_cast<std::size_t>(found - choices.begin()));
  }
  if (wanted.empty())
    for (std::size_t i = 0; i < names.size(); ++i) taken.push_back(i);

  return read_columns(table, names, taken);
}

CsvColumns read_csv_text(Bytes text, const fs::path& file, const ColumnChooser& choose) {
  TableText table;
  Header header = open_table(std::move(text), file, table);
  std::vector<std::string> names = header.names;
  for (std::size_t i = 0; i < names.size() && !header.there; ++i) {
    names[i] = std::to_string(i);
    header.names[i] = "column " + names[i];  // for messages
  }
  const std::vector<std::size_t> taken = choose(names);
  CsvColumns result = read_columns(table, header.names, taken);
  for (std::size_t i = 0; i < taken.size(); ++i) result.names[i] = names[taken[i]];
  return result;
}

Dataset load_csv(const fs::path& path) {
  TableText table;
  const std::vector<std::string> names = open_table(read_bytes(path), path, table).names;
  if (names.size() < 2)
    throw DataError(fmt::format("{}: has one column; a data set needs features and a label", table.file));
  const std::size_t label_at = label_column(names);
  Split all{.features = static_cast<int>(names.size() - 1)};
  all.count = for_each_row(table, names, [&] {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const double value = table.number(i, names);
      if (i != label_at) {
        all.values.push_back(static_cast<float>(value));
        if (!std::isfinite(all.values.back()))
          table.fail(fmt::format("{} holds {}, which is too large for 32 bits", names[i], value));
      } else if (!(value >= 0 && value < kLargestLabel && value == std::floor(value))) {
        table.fail(fmt::format("the label in {} is {}; labels are whole numbers from 0 on", names[i], value));
      } else {
        all.labels.push_back(static_cast<std::int32_t>(value));
      }
    }
  });

  Dataset data{.name = path.stem().string(), .source = path.string(), .features = all.features};
  data.checksums.push_back({path.filename().string(), sha256_hex(table.bytes)});
  split_last_seventh(std::move(all), data);
  data.classes = classes_of(data.train, data.test);
  return data;
}

}  // namespace shoal
