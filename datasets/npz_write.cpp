#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>

#include "datasets/npz.h"

namespace shoal {
namespace {

// A member's local header always carries the zip64 field, because its CRC is known only after its data: the
// header has a fixed size, and sizes never have to move. NumPy, Python's zipfile and unzip read that.
constexpr std::uint16_t kZip64Version = 45;
constexpr std::uint32_t kFull = 0xffffffff;
constexpr std::uint16_t kDosDate = 1 << 5 | 1;  // 1 January 1980: the same arrays give the same bytes
constexpr std::size_t kCrcAt = 14;              // of a local header

struct Little {
  Bytes bytes;
  template <class T>
  Little& operator<<(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bytes.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i)));
    return *this;
  }
  Little& operator<<(const std::string& text) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    return *this;
  }
};

Bytes local_header(const std::string& name, std::uint64_t size) {
  Little h;
  h << 0x04034b50u << kZip64Version << std::uint16_t{0} << std::uint16_t{0} << std::uint16_t{0} << kDosDate;
  h << 0u << kFull << kFull << static_cast<std::uint16_t>(name.size()) << std::uint16_t{20} << name;
  h << std::uint16_t{1} << std::uint16_t{16} << size << size;
  return h.bytes;
}

}  // namespace

NpzWriter::NpzWriter(const std::filesystem::path& path) : file(path.string()), out(path, std::ios::binary) {
  if (!out) throw DataError(fmt::format("{}: cannot be written", file));
}

void NpzWriter::write(std::span<const std::uint8_t> bytes) {
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out)
    throw DataError(fmt::format("{}: writing failed after {} bytes (is the disk full?)", file, written));
  written += bytes.size();
}

void NpzWriter::begin(std::string_view name, DType type, const Shape& shape) {
  if (open || finished) throw std::logic_error("NpzWriter::begin: an array is open, or the file is finished");
  Member member{.name = std::string(name) + ".npy", .header_at = written};
  if (name.empty() || std::ranges::any_of(members, [&](const Member& m) { return m.name == member.name; }))
    throw std::logic_error(fmt::format("NpzWriter::begin: the name '{}' is empty or used twice", name));
  const Bytes header = npy_header(type, shape);
  const std::uint64_t values = static_cast<std::uint64_t>(value_count(shape)) * dtype_bytes(type);
  member.size = awaited = header.size() + values;
  write(local_header(member.name, member.size));
  members.push_back(std::move(member));
  open = true;
  append(header);
}

void NpzWriter::append(std::span<const std::uint8_t> bytes) {
  if (!open || bytes.size() > awaited)
    throw std::logic_error("NpzWriter::append: more values than the shape has");
  if (bytes.empty()) return;
  Member& member = members.back();
  member.crc = static_cast<std::uint32_t>(crc32_z(member.crc, bytes.data(), bytes.size()));
  write(bytes);
  awaited -= bytes.size();
}

void NpzWriter::end() {
  if (!open || awaited != 0) throw std::logic_error("NpzWriter::end: fewer values than the shape has");
  const Member& member = members.back();
  Little crc;
  crc << member.crc;
  const std::uint64_t end_at = written;
  out.seekp(static_cast<std::streamoff>(member.header_at + kCrcAt));
  write(crc.bytes);
  out.seekp(static_cast<std::streamoff>(end_at));
  written = end_at;
  open = false;
}

void NpzWriter::finish() {
  if (open || finished)
    throw std::logic_error("NpzWriter::finish: an array is open, or the file is finished");
  Little d;
  for (const Member& m : members) {
    d << 0x02014b50u << kZip64Version << kZip64Version << std::uint16_t{0} << std::uint16_t{0}
      << std::uint16_t{0} << kDosDate << m.crc << kFull << kFull << static_cast<std::uint16_t>(m.name.size())
      << std::uint16_t{28} << std::uint16_t{0} << std::uint16_t{0} << std::uint16_t{0} << 0u << kFull
      << m.name;
    d << std::uint16_t{1} << std::uint16_t{24} << m.size << m.size << m.header_at;
  }
  const std::uint64_t directory_at = written, directory_size = d.bytes.size(), count = members.size();
  d << 0x06064b50u << std::uint64_t{44} << kZip64Version << kZip64Version << 0u << 0u << count << count
    << directory_size << directory_at;
  d << 0x07064b50u << 0u << directory_at + directory_size << 1u;
  d << 0x06054b50u << std::uint16_t{0} << std::uint16_t{0}
    << static_cast<std::uint16_t>(std::min<std::uint64_t>(count, 0xffff))
    << static_cast<std::uint16_t>(std::min<std::uint64_t>(count, 0xffff)) << kFull << kFull
    << std::uint16_t{0};
  write(d.bytes);
  out.close();
  if (!out) throw DataError(fmt::format("{}: writing failed at the end (is the disk full?)", file));
  finished = true;
}

}  // namespace shoal
