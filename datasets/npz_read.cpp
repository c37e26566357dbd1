#include <fmt/core.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "datasets/npz.h"

namespace shoal {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kEntry = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                        kLocator64 = 0x07064b50;
constexpr std::size_t kLocalSize = 30, kEntrySize = 46, kEndSize = 22, kLocatorSize = 20, kEnd64Size = 56;
constexpr std::uint32_t kFull = 0xffffffff;          // "see the zip64 field"
constexpr std::uint64_t kLargestDeflateGain = 1032;  // bytes out of a byte in, the most deflate can do

template <class T>
T little(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::uint64_t{bytes[at + i]} << (8 * i);
  return static_cast<T>(value);
}

struct InflateEnd {
  void operator()(z_stream* z) const { inflateEnd(z); }
};

/// Unpacks a raw deflate stream to exactly `size` bytes; false if it is damaged or of another length.
bool inflate_to(std::span<const std::uint8_t> packed, Bytes& out) {
  constexpr std::size_t kPiece = std::size_t{1} << 30;  // zlib counts in 32 bits
  z_stream z{};
  if (inflateInit2(&z, -15) != Z_OK) return false;
  const std::unique_ptr<z_stream, InflateEnd> guard(&z);
  std::uint8_t beyond = 0;  // where a byte too many shows
  std::size_t used = 0, filled = 0;
  while (true) {
    const std::size_t piece = std::min(packed.size() - used, kPiece),
                      room = std::min(out.size() - filled, kPiece);
    z.next_in = const_cast<Bytef*>(packed.data() + used);
    z.avail_in = static_cast<uInt>(piece);
    z.next_out = room > 0 ? out.data() + filled : &beyond;
    z.avail_out = room > 0 ? static_cast<uInt>(room) : 1;
    const uInt offered = z.avail_out;
    const int state = inflate(&z, Z_NO_FLUSH);
    used += piece - z.avail_in;
    if (room == 0 && z.avail_out == 0) return false;
    filled += room > 0 ? offered - z.avail_out : 0;
    if (state == Z_STREAM_END) return filled == out.size() && used == packed.size();
    if (state != Z_OK) return false;
  }
}

}  // namespace

void NpzReader::fail(std::string_view problem) const {
  throw DataError(fmt::format("{}: {}", file, problem));
}

NpzReader::NpzReader(const std::filesystem::path& path) : file(path.string()), in(path, std::ios::binary) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) fail("no such file");
  file_size = std::filesystem::file_size(path, error);
  if (error || !in) fail("cannot be opened for reading");
  read_directory();
}

Bytes NpzReader::bytes_at(std::uint64_t at, std::uint64_t count, const char* what) {
  if (at > file_size || count > file_size - at)
    fail(fmt::format("is damaged or cut off: {} lies beyond the file's {} bytes", what, file_size));
  Bytes bytes(static_cast<std::size_t>(count));
  in.clear();
  in.seekg(static_cast<std::streamoff>(at));
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (static_cast<std::uint64_t>(in.gcount()) != count) fail(fmt::format("reading {} failed", what));
  return bytes;
}

void NpzReader::read_directory() {
  if (file_size == 0) fail("is empty");
  // The end record is the last thing in the file but for a comment of at most 65,535 bytes.
  const std::uint64_t tail_size = std::min<std::uint64_t>(file_size, kEndSize + 0xffff);
  const Bytes tail = bytes_at(file_size - tail_size, tail_size, "the end record");
  std::size_t at = tail.size() < kEndSize ? 0 : tail.size() - kEndSize + 1;
  while (at > 0 && !(little<std::uint32_t>(tail, at - 1) == kEnd &&
                     at - 1 + kEndSize + little<std::uint16_t>(tail, at + 19) == tail.size()))
    --at;
  if (at == 0) fail("is no .npz file, or is cut off: a zip's end record is missing");
  --at;
  std::uint64_t count = little<std::uint16_t>(tail, at + 10), size = little<std::uint32_t>(tail, at + 12),
                begin = little<std::uint32_t>(tail, at + 16);
  if (at >= kLocatorSize && little<std::uint32_t>(tail, at - kLocatorSize) == kLocator64) {
    const Bytes end64 =
        bytes_at(little<std::uint64_t>(tail, at - kLocatorSize + 8), kEnd64Size, "the zip64 end record");
    if (little<std::uint32_t>(end64, 0) != kEnd64)
      fail("is damaged: its zip64 end record is not where it should be");
    count = little<std::uint64_t>(end64, 32);
    size = little<std::uint64_t>(end64, 40);
    begin = little<std::uint64_t>(end64, 48);
  }
  const Bytes directory = bytes_at(begin, size, "the zip directory");
  std::size_t next = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::span<const std::uint8_t> left = std::span(directory).subspan(next);
    if (left.size() < kEntrySize || little<std::uint32_t>(left, 0) != kEntry)
      fail("is damaged: its zip directory is cut off");
    const std::size_t name = little<std::uint16_t>(left, 28), extra = little<std::uint16_t>(left, 30),
                      comment = little<std::uint16_t>(left, 32);
    if (left.size() - kEntrySize < name + extra + comment) fail("is damaged: its zip directory is cut off");
    members.push_back(parse_entry(left, name, extra));
    next += kEntrySize + name + extra + comment;
  }
  if (next != directory.size()) fail("is damaged: its zip directory has another length than it says");
}

NpzReader::Member NpzReader::parse_entry(std::span<const std::uint8_t> entry, std::size_t name_length,
                                         std::size_t extra_length) const {
  Member m{.name = {reinterpret_cast<const char*>(entry.data()) + kEntrySize, name_length},
           .method = little<std::uint16_t>(entry, 10),
           .crc = little<std::uint32_t>(entry, 16),
           .packed = little<std::uint32_t>(entry, 20),
           .size = little<std::uint32_t>(entry, 24),
           .header_at = little<std::uint32_t>(entry, 42)};
  if (!m.name.ends_with(".npy")) fail(fmt::format("its member '{}' is no .npy file", m.name));
  m.name.resize(m.name.size() - 4);
  if (little<std::uint16_t>(entry, 8) & 1) fail(fmt::format("{} is encrypted", m.name));
  if (m.method != 0 && m.method != 8)
    fail(fmt::format("{} is packed by method {}; stored (0) and deflated (8) are read", m.name, m.method));

  // The zip64 field holds, in this order, only those of the three that are full in the entry itself.
  std::span<const std::uint8_t> extra = entry.subspan(kEntrySize + name_length, extra_length);
  while (extra.size() >= 4) {
    const std::size_t length = little<std::uint16_t>(extra, 2);
    if (length > extra.size() - 4) fail(fmt::format("is damaged: the zip entry of {} is cut off", m.name));
    if (little<std::uint16_t>(extra, 0) == 1) {
      std::size_t at = 4;
      for (std::uint64_t* value : {&m.size, &m.packed, &m.header_at}) {
        if (*value != kFull) continue;
        if (at + 8 > 4 + length) fail(fmt::format("is damaged: the zip64 field of {} is cut off", m.name));
        *value = little<std::uint64_t>(extra, at);
        at += 8;
      }
    }
    extra = extra.subspan(4 + length);
  }
  return m;
}

std::vector<std::string> NpzReader::names() const {
  std::vector<std::string> names;
  for (const Member& m : members) names.push_back(m.name);
  return names;
}

bool NpzReader::has(std::string_view name) const {
  return std::ranges::any_of(members, [&](const Member& m) { return m.name == name; });
}

Array NpzReader::read(std::string_view name, OrderTaken taken) {
  const auto found = std::ranges::find_if(members, [&](const Member& m) { return m.name == name; });
  if (found == members.end())
    fail(fmt::format("holds no array '{}'; it holds {}", name, fmt::join(names(), ", ")));
  const Member& m = *found;
  const std::string where = fmt::format("{}: {}", file, name);

  const Bytes local = bytes_at(m.header_at, kLocalSize, "an array's header");
  if (little<std::uint32_t>(local, 0) != kLocal)
    fail(fmt::format("is damaged: {} is not where the directory says", name));
  const std::uint64_t data_at =
      m.header_at + kLocalSize + little<std::uint16_t>(local, 26) + little<std::uint16_t>(local, 28);
  const bool sizes_fit = m.method == 0 ? m.size == m.packed : m.size / kLargestDeflateGain <= m.packed;
  if (!sizes_fit) fail(fmt::format("is damaged: {} bytes cannot hold {} of {}", m.packed, m.size, name));
  Bytes bytes = bytes_at(data_at, m.packed, "an array");
  if (m.method == 8) {
    Bytes unpacked(static_cast<std::size_t>(m.size));
    if (!inflate_to(bytes, unpacked)) fail(fmt::format("is damaged: {} cannot be unpacked", name));
    bytes = std::move(unpacked);
  }
  if (static_cast<std::uint32_t>(crc32_z(0, bytes.data(), bytes.size())) != m.crc)
    fail(fmt::format("is damaged: the checksum of {} is wrong", name));
  return parse_npy(std::move(bytes), where, taken);
}

}  // namespace shoal
