#pragma once
// Columns of numbers from a file of any kind that has them: .csv and .tsv (csv.h), .npy and .npz, each but
// .npz also gzipped; the content tells which. The values stay as they lie in the file (float32 is not
// doubled), and columns are converted when they are asked for.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/csv.h"
#include "datasets/npy.h"

namespace shoal {

struct NumberTable {
  std::string source = {};               // "a.npz: x", for messages
  std::vector<std::string> names = {};   // of the columns chosen, in the order chosen
  std::vector<std::size_t> places = {};  // where they stand in `values`
  std::int64_t rows = 0;                 // at least 1
  std::size_t width = 0;                 // columns of `values`
  Array values = {};                     // [rows][width] in its own order, or [rows]
};

/// Which array, asked of an .npz only, and which columns. What they throw is passed on.
struct TableChoice {
  std::function<std::string(std::span<const std::string> arrays)> array;
  ColumnChooser columns;
};

/// An array of one axis is one column, called as the array or as the file; of two axes, [rows][columns], the
/// columns are called "0", "1", ... DataError: missing, damaged, empty, of another number of axes.
NumberTable read_number_table(const std::filesystem::path&, const TableChoice&);

/// Columns first .. of the choice, one after the other: out [out.size() / rows][rows].
void copy_columns(const NumberTable&, std::size_t first, std::span<double> out);

/// All chosen columns as rows: [rows][columns]. As many bytes again as doubles take.
std::vector<double> rows_of(const NumberTable&);

/// The same without a copy, where the values lie so in memory already and have type T; otherwise empty.
template <class T>
std::span<const T> rows_in_place(const NumberTable& table) {
  if (table.values.dtype != dtype_of<T>() || table.places.size() != table.width) return {};
  if (table.values.order == ArrayOrder::fortran && table.width > 1) return {};
  for (std::size_t i = 0; i < table.width; ++i)
    if (table.places[i] != i) return {};
  return values_of<T>(table.values);
}

struct TablePlace {
  std::int64_t row = 0;    // from 0
  std::size_t column = 0;  // of the choice
  double value = 0;
};
/// The first value that is NaN or infinite, column by column.
std::optional<TablePlace> first_not_finite(const NumberTable&);

}  // namespace shoal
