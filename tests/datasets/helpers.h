#pragma once
// What the tests of this folder share: a folder that goes away, errors as text, and a zip writer that shares
// no code with the one under test.
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "datasets/bytes.h"
#include "datasets/dataset.h"

namespace shoal::test {

struct TempFolder {
  std::filesystem::path path;
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "shoal-datasets-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path operator/(std::string_view name) const { return path / name; }
};

/// The message of the DataError that `act` throws; "no error" if it throws none. Other exceptions pass
/// through.
template <class Act>
std::string error_of(Act act) {
  try {
    act();
  } catch (const DataError& error) { return error.what(); }
  return "no error";
}

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

inline Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

inline void put_text(const std::filesystem::path& file, std::string_view text) {
  write_bytes(file, bytes_of(text));
}

/// A zip in memory, each member deflated or stored, without zip64: what numpy.savez and savez_compressed
/// write.
inline Bytes zip_of(const std::vector<std::pair<std::string, Bytes>>& members, bool deflated) {
  Bytes zip, directory;
  const auto number = [](Bytes& to, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  const auto append = [](Bytes& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  for (const auto& [name, content] : members) {
    Bytes packed = content;
    if (deflated) {
      packed.resize(compressBound(content.size()) + 64);
      z_stream z{};
      deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
      z.next_in = const_cast<Bytef*>(content.data());
      z.avail_in = static_cast<uInt>(content.size());
      z.next_out = packed.data();
      z.avail_out = static_cast<uInt>(packed.size());
      deflate(&z, Z_FINISH);
      packed.resize(z.total_out);
      deflateEnd(&z);
    }
    const std::uint64_t begin = zip.size();
    Bytes common;  // version to flags, method, time, date, crc, sizes, lengths of name and extra field
    for (const auto& [value, size] : {std::pair<std::uint64_t, int>{20, 2},
                                      {0, 2},
                                      {deflated ? 8 : 0, 2},
                                      {0, 4},
                                      {crc32(0, content.data(), static_cast<uInt>(content.size())), 4},
                                      {packed.size(), 4},
                                      {content.size(), 4},
                                      {name.size(), 2},
                                      {0, 2}})
      number(common, value, size);
    number(zip, 0x04034b50, 4);
    append(zip, common);
    append(zip, name);
    append(zip, packed);
    number(directory, 0x02014b50, 4);
    number(directory, 20, 2);
    append(directory, common);
    for (const auto& [value, size] :
         {std::pair<std::uint64_t, int>{0, 2}, {0, 2}, {0, 2}, {0, 4}, {begin, 4}})
      number(directory, value, size);
    append(directory, name);
  }
  const std::uint64_t directory_at = zip.size();
  append(zip, directory);
  for (const auto& [value, size] : {std::pair<std::uint64_t, int>{0x06054b50, 4},
                                    {0, 4},
                                    {members.size(), 2},
                                    {members.size(), 2},
                                    {directory.size(), 4},
                                    {directory_at, 4},
                                    {0, 2}})
    number(zip, value, size);
  return zip;
}

}  // namespace shoal::test
