#pragma once
// Numbers in text: .csv (commas) and .tsv (tabs), with or without a header line. Quoting as in RFC 4180; a
// byte order mark, CRLF, blank lines and blanks around numbers are accepted. The point is the decimal sign,
// whatever the locale. Every defect is a DataError that names the file, the line (from 1) and the column.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/bytes.h"
#include "datasets/dataset.h"

namespace shoal {

struct CsvColumns {
  std::vector<std::string> names;            // "column 1", "column 2", ... without a header
  std::vector<std::vector<double>> columns;  // [column][row]
};

/// Reads the columns named in `wanted`, or all of them. Columns that are not wanted may hold text. A name
/// that the header lacks is an error with the nearest one suggested. NaN and infinite values are errors.
CsvColumns read_csv_columns(const std::filesystem::path&, std::span<const std::string_view> wanted = {});

/// Which of the columns named are wanted: their places, from 0.
using ColumnChooser = std::function<std::vector<std::size_t>(std::span<const std::string> names)>;

/// The same for text held in memory; the ending of `file` (.tsv, .tsv.gz) says what separates. What `choose`
/// throws is passed on. Columns without a header are called by their place: "0", "1", ...
CsvColumns read_csv_text(Bytes text, const std::filesystem::path& file, const ColumnChooser& choose);

/// A data set: the column called label, y or class (in any case), or else the last one, holds whole numbers
/// from 0 on; all others are features. The last seventh of the rows is the test part.
Dataset load_csv(const std::filesystem::path&);

}  // namespace shoal
