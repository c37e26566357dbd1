#pragma once
// Several NumPy arrays in one file: .npz, a zip of .npy files, stored or deflated, with zip64 where it is
// needed. Source of the format: PKWARE's APPNOTE.TXT 6.3 (4.3.7 local header, 4.3.12 directory, 4.3.14-16
// ends, 4.5.3 zip64).
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/npy.h"

namespace shoal {

/// Reads arrays one by one, so that a file larger than memory can be used in parts. Every size and offset is
/// checked against the file's length before memory is taken; every CRC is checked. Errors: DataError.
class NpzReader {
 public:
  explicit NpzReader(const std::filesystem::path&);

  std::vector<std::string> names() const;  // without ".npy", in the file's order
  bool has(std::string_view name) const;
  /// No such array: the error lists those there are.
  Array read(std::string_view name, OrderTaken = OrderTaken::c_only);

 private:
  struct Member {
    std::string name;
    int method = 0;  // 0 stored, 8 deflated
    std::uint32_t crc = 0;
    std::uint64_t packed = 0, size = 0, header_at = 0;
  };
  Bytes bytes_at(std::uint64_t at, std::uint64_t count, const char* what);
  void read_directory();
  Member parse_entry(std::span<const std::uint8_t> entry, std::size_t name_length,
                     std::size_t extra_length) const;
  [[noreturn]] void fail(std::string_view problem) const;

  std::string file;
  std::ifstream in;
  std::uint64_t file_size = 0;
  std::vector<Member> members;
};

/// Writes arrays one after another to the file named, stored, not deflated: nothing but one array's header is
/// kept in memory, and an array's values may come in pieces. The file is whole only after finish(), which
/// writes the zip's directory; a writer that is destroyed before leaves a file that readers refuse. Write
/// errors: DataError.
class NpzWriter {
 public:
  explicit NpzWriter(const std::filesystem::path&);

  /// begin, then append until all value_count(shape) values are there, then end.
  void begin(std::string_view name, DType, const Shape&);
  void append(std::span<const std::uint8_t> bytes);
  void end();

  template <class T>
  void add(std::string_view name, const Shape& shape, std::span<const T> values) {
    begin(name, dtype_of<T>(), shape);
    append(raw_bytes(values));
    end();
  }

  void finish();

 private:
  struct Member {
    std::string name;  // with ".npy"
    std::uint32_t crc = 0;
    std::uint64_t size = 0, header_at = 0;
  };
  void write(std::span<const std::uint8_t> bytes);

  std::string file;
  std::ofstream out;
  std::uint64_t written = 0, awaited = 0;  // bytes of the file; bytes that the open array still lacks
  bool open = false, finished = false;
  std::vector<Member> members;
};

}  // namespace shoal
