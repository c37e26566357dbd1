// Tables of numbers from csv, npy and npz, in both orders and every type.
#include "datasets/number_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "datasets/npz.h"
#include "helpers.h"

using namespace shoal;
using namespace shoal::test;

namespace {

using Names = std::vector<std::string>;
using Places = std::vector<std::size_t>;

Places all_of(std::span<const std::string> names) {
  Places places(names.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  return places;
}
std::string first_of(std::span<const std::string> arrays) { return arrays.front(); }

std::vector<std::vector<double>> columns_of(const NumberTable& table) {
  std::vector<std::vector<double>> columns;
  for (std::size_t i = 0; i < table.names.size(); ++i) {
    columns.emplace_back(static_cast<std::size_t>(table.rows));
    copy_columns(table, i, columns.back());
  }
  return columns;
}

template <class T>
Bytes npy_with(std::string_view header, const std::vector<T>& values) {
  Bytes bytes = bytes_of("\x93NUMPY");
  for (const std::size_t byte : {std::size_t{1}, std::size_t{0}, header.size(), std::size_t{0}})
    bytes.push_back(static_cast<std::uint8_t>(byte));
  bytes.insert(bytes.end(), header.begin(), header.end());
  const auto raw = raw_bytes(std::span<const T>(values));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
  return bytes;
}

std::string error_with(const TempFolder& folder, const char* name) {
  return error_of([&] { read_number_table(folder / name, {first_of, all_of}); });
}

}  // namespace

TEST_CASE("columns of a csv come in the order chosen, and text in others does not matter") {
  const TempFolder folder;
  put_text(folder / "a.csv", "id,\"x, in cm\",y\nab,1,0.1\ncd,2,-1e-300\nef,3,5\n");
  Names offered;
  const NumberTable table = read_number_table(folder / "a.csv", {{}, [&](std::span<const std::string> names) {
                                                                   offered.assign(names.begin(), names.end());
                                                                   return Places{2, 1};
                                                                 }});
  CHECK(offered == Names{"id", "x, in cm", "y"});
  CHECK(table.names == Names{"y", "x, in cm"});
  CHECK(table.rows == 3);
  CHECK(columns_of(table) == std::vector<std::vector<double>>{{0.1, -1e-300, 5}, {1, 2, 3}});
  write_bytes(folder / "b.csv.gz", gzip(read_bytes(folder / "a.csv")));
  const NumberTable packed =
      read_number_table(folder / "b.csv.gz", {{}, [](std::span<const std::string>) { return Places{1}; }});
  CHECK(columns_of(packed) == std::vector<std::vector<double>>{{1, 2, 3}});
}

TEST_CASE("columns without a header are called by their place") {
  const TempFolder folder;
  put_text(folder / "a.tsv", "1\t2\n3\t4\n");
  const NumberTable table = read_number_table(folder / "a.tsv", {{}, all_of});
  CHECK(table.names == Names{"0", "1"});
  CHECK(columns_of(table) == std::vector<std::vector<double>>{{1, 3}, {2, 4}});
  put_text(folder / "b.csv", "1,2\n3,x\n");
  CHECK(has(error_with(folder, "b.csv"), "line 2: column 1 holds 'x', which is no number"));
  put_text(folder / "b.csv", "a,b\n3,\n");
  CHECK(has(error_with(folder, "b.csv"), "line 2: b holds '', a missing value"));
  write_bytes(folder / "c.tsv.gz", gzip(bytes_of("a\tb\n1\t2\n")));
  CHECK(read_number_table(folder / "c.tsv.gz", {{}, all_of}).names == Names{"a", "b"});
}

TEST_CASE("an array of two axes has numbered columns in either order") {
  const TempFolder folder;
  const std::vector<std::vector<double>> expected{{1, 4}, {2, 5}, {3, 6}};
  const std::string_view rest = "'shape': (2, 3), }";
  write_bytes(folder / "c.npy",
              npy_with<float>(std::string("{'descr': '<f4', 'fortran_order': False, ") + std::string(rest),
                              {1, 2, 3, 4, 5, 6}));
  write_bytes(folder / "f.npy",
              npy_with<double>(std::string("{'descr': '<f8', 'fortran_order': True, ") + std::string(rest),
                               {1, 4, 2, 5, 3, 6}));
  for (const char* name : {"c.npy", "f.npy"}) {
    const NumberTable table = read_number_table(folder / name, {{}, all_of});
    CHECK(table.names == Names{"0", "1", "2"});
    CHECK(columns_of(table) == expected);
    std::vector<double> two(4);
    copy_columns(table, 1, two);
    CHECK(two == std::vector<double>{2, 5, 3, 6});
  }
  write_bytes(folder / "c.npy.gz", gzip(read_bytes(folder / "c.npy")));
  CHECK(columns_of(read_number_table(folder / "c.npy.gz", {{}, all_of})) == expected);
}

TEST_CASE("wide and long arrays are the same by rows and by columns") {
  const TempFolder folder;
  for (const std::size_t rows : {1, 63, 64, 65, 130})
    for (const std::size_t width : {1, 7, 33}) {
      std::vector<std::int32_t> by_row(rows * width), by_column(rows * width);
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < width; ++c)
          by_row[r * width + c] = by_column[c * rows + r] = static_cast<std::int32_t>(1000 * r + c);
      const std::string shape =
          "'shape': (" + std::to_string(rows) + ", " + std::to_string(width) + "), 'fortran_order': ";
      write_bytes(folder / "c.npy", npy_with("{'descr': '<i4', " + shape + "False}", by_row));
      write_bytes(folder / "f.npy", npy_with("{'descr': '<i4', " + shape + "True}", by_column));
      const auto c = columns_of(read_number_table(folder / "c.npy", {{}, all_of}));
      CHECK(c == columns_of(read_number_table(folder / "f.npy", {{}, all_of})));
      CHECK(c.back().back() == static_cast<double>(1000 * (rows - 1) + width - 1));
    }
}

TEST_CASE("rows come out of either order, without a copy where they lie so") {
  const TempFolder folder;
  const std::vector<double> by_row{1, 2, 3, 4, 5, 6}, by_column{1, 4, 2, 5, 3, 6};
  write_bytes(folder / "c.npy",
              npy_with("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}", by_row));
  write_bytes(folder / "f.npy",
              npy_with("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3)}", by_column));
  const NumberTable c = read_number_table(folder / "c.npy", {{}, all_of});
  const NumberTable f = read_number_table(folder / "f.npy", {{}, all_of});
  CHECK(rows_of(c) == by_row);
  CHECK(rows_of(f) == by_row);
  CHECK(std::ranges::equal(rows_in_place<double>(c), by_row));
  CHECK(rows_in_place<float>(c).empty());
  CHECK(rows_in_place<double>(f).empty());
  const auto swapped = [](std::span<const std::string>) { return Places{2, 1, 0}; };
  const auto two = [](std::span<const std::string>) { return Places{0, 2}; };
  CHECK(rows_in_place<double>(read_number_table(folder / "c.npy", {{}, swapped})).empty());
  CHECK(rows_in_place<double>(read_number_table(folder / "c.npy", {{}, two})).empty());
  CHECK(rows_of(read_number_table(folder / "c.npy", {{}, two})) == std::vector<double>{1, 3, 4, 6});
  CHECK(rows_of(read_number_table(folder / "f.npy", {{}, swapped})) == std::vector<double>{3, 2, 1, 6, 5, 4});
  std::vector<float> wide(5 * 37);
  std::iota(wide.begin(), wide.end(), 0.0f);
  write_bytes(folder / "w.npy", npy_with("{'descr': '<f4', 'fortran_order': False, 'shape': (5, 37)}", wide));
  const NumberTable w = read_number_table(folder / "w.npy", {{}, all_of});
  CHECK(std::ranges::equal(rows_of(w), wide));
  CHECK(std::ranges::equal(rows_in_place<float>(w), wide));
}

TEST_CASE("every type of NumPy's numbers is read") {
  const TempFolder folder;
  const auto read = [&]<class T>(const char* code, const std::vector<T>& values) {
    write_bytes(folder / "t.npy",
                npy_with(std::string("{'descr': '") + code + "', 'fortran_order': False, 'shape': (" +
                             std::to_string(values.size()) + ",)}",
                         values));
    return columns_of(read_number_table(folder / "t.npy", {{}, all_of})).front();
  };
  const auto extremes = [&]<class T>(const char* code, T) {
    constexpr T least = std::numeric_limits<T>::lowest(), most = std::numeric_limits<T>::max();
    CHECK(read(code, std::vector<T>{least, most, 0, 1}) ==
          std::vector<double>{static_cast<double>(least), static_cast<double>(most), 0, 1});
  };
  CHECK(read("|b1", std::vector<std::uint8_t>{0, 1, 2}) == std::vector<double>{0, 1, 1});
  extremes("|u1", std::uint8_t{});
  extremes("<u2", std::uint16_t{});
  extremes("<u4", std::uint32_t{});
  extremes("<u8", std::uint64_t{});
  extremes("|i1", std::int8_t{});
  extremes("<i2", std::int16_t{});
  extremes("<i4", std::int32_t{});
  extremes("<i8", std::int64_t{});
  extremes("<f4", float{});
  extremes("<f8", double{});
}

TEST_CASE("an array of an npz is chosen among those there are") {
  const TempFolder folder;
  const std::vector<float> x{1, 2, 3, 4};
  {
    NpzWriter writer(folder / "a.npz");
    writer.add<float>("acts", {2, 2}, x);
    writer.add<float>("loss", {4}, x);
    writer.add<float>("cube", {2, 1, 2}, x);
    writer.add<float>("none", {0, 3}, {});
    writer.finish();
  }
  const auto chosen = [&](const char* name) {
    return read_number_table(folder / "a.npz", {[&](std::span<const std::string> arrays) {
                                                  CHECK(arrays.size() == 4);
                                                  return std::string(name);
                                                },
                                                all_of});
  };
  CHECK(chosen("acts").names == Names{"0", "1"});
  CHECK(chosen("acts").source.ends_with("a.npz: acts"));
  CHECK(chosen("loss").names == Names{"loss"});
  CHECK(has(error_of([&] { chosen("cube"); }), "its shape is (2, 1, 2); a table of columns has"));
  CHECK(has(error_of([&] { chosen("none"); }), "its shape is (0, 3), it holds no values"));
  CHECK(has(error_of([&] { chosen("los"); }), "no array 'los'; it holds acts, loss, cube, none"));
}

TEST_CASE("files that are no tables are refused in words") {
  const TempFolder folder;
  CHECK(has(error_with(folder, "missing.csv"), "no such file"));
  put_text(folder / "a.csv", "");
  CHECK(has(error_with(folder, "a.csv"), "is empty"));
  write_bytes(folder / "a.csv.gz", gzip({}));
  CHECK(has(error_with(folder, "a.csv.gz"), "is empty"));
  put_text(folder / "a.bin", std::string_view("\x01\0\x02\0\x03", 5));
  CHECK(has(error_with(folder, "a.bin"), "is of no known kind"));
  NpzWriter(folder / "a.npz").finish();
  CHECK(has(error_with(folder, "a.npz"), "holds no arrays"));
  write_bytes(folder / "a.npz.gz", gzip(read_bytes(folder / "a.npz")));
  CHECK(has(error_with(folder, "a.npz.gz"), "a gzipped .npz"));
  write_bytes(folder / "s.npy",
              npy_with<float>("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", {1}));
  CHECK(has(error_with(folder, "s.npy"), "its shape is ()"));
  const auto complaint = [](std::span<const std::string>) -> Places { throw std::domain_error("not that"); };
  put_text(folder / "b.csv", "1\n2\n");
  CHECK_THROWS_AS(read_number_table(folder / "b.csv", {{}, complaint}), std::domain_error);
}

TEST_CASE("the first value that is not finite is found by row and column") {
  const TempFolder folder;
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kMost = std::numeric_limits<float>::infinity();
  std::vector<float> values(20 * 40, 1.0f);
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (20, 40)}";
  write_bytes(folder / "a.npy", npy_with(header, values));
  CHECK_FALSE(first_not_finite(read_number_table(folder / "a.npy", {{}, all_of})).has_value());
  values[3 * 40 + 31] = kNan;
  values[17 * 40 + 30] = -kMost;
  write_bytes(folder / "a.npy", npy_with(header, values));
  const auto found = first_not_finite(read_number_table(folder / "a.npy", {{}, all_of}));
  REQUIRE(found.has_value());
  CHECK(found->row == 17);
  CHECK(found->column == 30);
  CHECK(found->value == -static_cast<double>(kMost));
}
