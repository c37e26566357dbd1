#include "datasets/number_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "datasets/npz.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

/// Columns copied at a time, so that a cache line of an array in C order is read once (see copy_typed).
constexpr std::size_t kColumns = 16;

bool starts_with(std::span<const std::uint8_t> bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

std::vector<std::string> numbers_as_names(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

/// `name`: what the column of an array of one axis is called.
NumberTable table_of(Array array, const std::string& source, const std::string& name,
                     const ColumnChooser& choose) {
  const Shape& shape = array.shape;
  if (shape.empty() || shape.size() > 2)
    throw DataError(
        fmt::format("{}: its shape is {}; a table of columns has one axis or two, (rows,) or "
                    "(rows, columns)",
                    source, shape_text(shape)));
  if (value_count(shape) == 0)
    throw DataError(fmt::format("{}: its shape is {}, it holds no values", source, shape_text(shape)));
  NumberTable table{.source = source,
                    .rows = shape[0],
                    .width = shape.size() == 2 ? static_cast<std::size_t>(shape[1]) : 1};
  const std::vector<std::string> names =
      shape.size() == 2 ? numbers_as_names(table.width) : std::vector<std::string>{name};
  table.places = choose(names);
  for (const std::size_t place : table.places) table.names.push_back(names[place]);
  table.values = std::move(array);
  return table;
}

NumberTable from_npz(const fs::path& path, const TableChoice& choice) {
  NpzReader reader(path);
  const std::vector<std::string> arrays = reader.names();
  if (arrays.empty()) throw DataError(fmt::format("{}: holds no arrays", path.string()));
  const std::string name = choice.array(arrays);
  return table_of(reader.read(name, OrderTaken::any), fmt::format("{}: {}", path.string(), name), name,
                  choice.columns);
}

NumberTable from_csv(Bytes text, const fs::path& path, const TableChoice& choice) {
  CsvColumns read = read_csv_text(std::move(text), path, choice.columns);
  NumberTable table{.source = path.string(), .names = std::move(read.names)};
  table.width = read.columns.size();
  table.rows = table.width == 0 ? 0 : static_cast<std::int64_t>(read.columns[0].size());
  table.values = {.dtype = DType::f8,
                  .shape = {table.rows, static_cast<std::int64_t>(table.width)},
                  .order = ArrayOrder::fortran};
  for (std::size_t i = 0; i < table.width; ++i) {
    table.places.push_back(i);
    const std::vector<double> column = std::move(read.columns[i]);
    const auto raw = raw_bytes(std::span<const double>(column));
    table.values.data.insert(table.values.data.end(), raw.begin(), raw.end());
  }
  return table;
}

template <class T>
void copy_typed(const NumberTable& table, std::size_t first, std::span<double> out) {
  const auto rows = static_cast<std::size_t>(table.rows);
  const std::size_t count = out.size() / rows;
  const bool fortran = table.values.order == ArrayOrder::fortran;
  const std::size_t row_step = fortran ? 1 : table.width, column_step = fortran ? rows : 1;
  const std::uint8_t* const data = table.values.data.data();
  // Rows outside: of an array in C order every cache line is then read once for all columns of it.
  constexpr std::size_t kRows = 64;
  for (std::size_t begin = 0; begin < rows; begin += kRows)
    for (std::size_t c = 0; c < count; ++c) {
      const std::uint8_t* const column = data + table.places[first + c] * column_step * sizeof(T);
      for (std::size_t r = begin; r < std::min(begin + kRows, rows); ++r) {
        T value;
        std::memcpy(&value, column + r * row_step * sizeof(T), sizeof(T));
        out[c * rows + r] = static_cast<double>(value);
      }
    }
}

}  // namespace

NumberTable read_number_table(const fs::path& path, const TableChoice& choice) {
  std::error_code error;  // a pipe can be read once only, and not be searched for an array
  if (fs::is_regular_file(path, error) && starts_with(read_first_bytes(path, 2), "PK"))
    return from_npz(path, choice);
  Bytes bytes = read_bytes(path);
  if (starts_with(bytes, "PK"))
    throw DataError(fmt::format("{}: is an .npz in a pipe; give its file", path.string()));
  if (is_gzip(bytes)) {
    bytes = gunzip(bytes, std::numeric_limits<std::size_t>::max(), path);
    if (starts_with(bytes, "PK"))
      throw DataError(
          fmt::format("{}: is a gzipped .npz, which is packed already; unpack it first", path.string()));
  }
  if (bytes.empty()) throw DataError(fmt::format("{}: is empty", path.string()));
  if (!starts_with(bytes, "\x93NUMPY")) {
    if (std::ranges::find(bytes, 0) != bytes.end())
      throw DataError(
          fmt::format("{}: is of no known kind; known are .csv, .tsv, .npy and .npz", path.string()));
    return from_csv(std::move(bytes), path, choice);
  }
  const fs::path inner = path.extension() == ".gz" ? path.stem() : path;
  return table_of(parse_npy(std::move(bytes), path.string(), OrderTaken::any), path.string(),
                  inner.stem().string(), choice.columns);
}

void copy_columns(const NumberTable& table, std::size_t first, std::span<double> out) {
  switch (table.values.dtype) {
    case DType::b1:  // a byte that is neither 0 nor 1 is no bool; as a number it is 1
    case DType::u1: copy_typed<std::uint8_t>(table, first, out); break;
    case DType::u2: return copy_typed<std::uint16_t>(table, first, out);
    case DType::u4: return copy_typed<std::uint32_t>(table, first, out);
    case DType::u8: return copy_typed<std::uint64_t>(table, first, out);
    case DType::i1: return copy_typed<std::int8_t>(table, first, out);
    case DType::i2: return copy_typed<std::int16_t>(table, first, out);
    case DType::i4: return copy_typed<std::int32_t>(table, first, out);
    case DType::i8: return copy_typed<std::int64_t>(table, first, out);
    case DType::f4: return copy_typed<float>(table, first, out);
    case DType::f8: return copy_typed<double>(table, first, out);
  }
  if (table.values.dtype == DType::b1)
    for (double& value : out) value = value != 0 ? 1.0 : 0.0;
}

std::vector<double> rows_of(const NumberTable& table) {
  const auto rows = static_cast<std::size_t>(table.rows);
  const std::size_t width = table.names.size();
  std::vector<double> result(rows * width), columns;
  for (std::size_t first = 0; first < width; first += kColumns) {
    const std::size_t count = std::min(kColumns, width - first);
    columns.resize(count * rows);
    copy_columns(table, first, columns);
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < count; ++c) result[r * width + first + c] = columns[c * rows + r];
  }
  return result;
}

std::optional<TablePlace> first_not_finite(const NumberTable& table) {
  if (table.values.dtype != DType::f4 && table.values.dtype != DType::f8) return std::nullopt;
  const auto rows = static_cast<std::size_t>(table.rows);
  std::vector<double> columns;
  for (std::size_t first = 0; first < table.names.size(); first += kColumns) {
    columns.resize(std::min(kColumns, table.names.size() - first) * rows);
    copy_columns(table, first, columns);
    const auto found = std::ranges::find_if(columns, [](double x) { return !std::isfinite(x); });
    if (found == columns.end()) continue;
    const auto at = static_cast<std::size_t>(found - columns.begin());
    return TablePlace{static_cast<std::int64_t>(at % rows), first + at / rows, *found};
  }
  return std::nullopt;
}

}  // namespace shoal
