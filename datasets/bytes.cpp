#include "datasets/bytes.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "datasets/error.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{1} << 30;  // zlib counts in 32 bits: it is fed in pieces

std::ifstream open_for_reading(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) throw DataError(fmt::format("{}: no such file", file.string()));
  if (fs::is_directory(status)) throw DataError(fmt::format("{}: is a folder, not a file", file.string()));
  std::ifstream in(file, std::ios::binary);
  if (!in) throw DataError(fmt::format("{}: cannot be opened for reading", file.string()));
  return in;
}

struct InflateEnd {
  void operator()(z_stream* z) const { inflateEnd(z); }
};

std::size_t fed(z_stream& z, std::span<const std::uint8_t> from) {
  const std::size_t piece = std::min(from.size(), kPiece);
  z.next_in = const_cast<Bytef*>(from.data());  // zlib does not write there
  z.avail_in = static_cast<uInt>(piece);
  return piece;
}

}  // namespace

Bytes read_bytes(const fs::path& file) {
  std::ifstream in = open_for_reading(file);
  // Grows with what is really there: a pipe has no size to ask for. A file's size is room for all of it at
  // once, and for the byte that shows that there is no more.
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  Bytes bytes;
  std::size_t filled = 0;
  while (in) {
    const std::size_t grown = filled > 0 || error ? 2 * filled : static_cast<std::size_t>(size) + 1;
    bytes.resize(std::max<std::size_t>(grown, std::size_t{1} << 16));
    in.read(reinterpret_cast<char*>(bytes.data() + filled),
            static_cast<std::streamsize>(bytes.size() - filled));
    filled += static_cast<std::size_t>(in.gcount());
  }
  bytes.resize(filled);
  if (in.bad()) throw DataError(fmt::format("{}: reading failed", file.string()));
  return bytes;
}

Bytes read_first_bytes(const fs::path& file, std::size_t count) {
  std::ifstream in = open_for_reading(file);
  Bytes bytes(count);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

void write_bytes(const fs::path& file, std::span<const std::uint8_t> bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw DataError(fmt::format("{}: cannot be written", file.string()));
}

bool is_gzip(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

Bytes gunzip(std::span<const std::uint8_t> packed, std::size_t limit, const fs::path& file) {
  z_stream z{};
  if (inflateInit2(&z, 15 + 16) != Z_OK)
    throw DataError(fmt::format("{}: zlib did not start", file.string()));
  const std::unique_ptr<z_stream, InflateEnd> guard(&z);

  Bytes out;
  std::size_t used = 0, filled = 0;
  while (filled < limit) {
    if (filled == out.size()) {
      const std::size_t grown = std::max<std::size_t>(2 * out.size(), std::size_t{1} << 16);
      out.resize(std::min({limit, grown, out.size() + kPiece}));
    }
    const std::size_t piece = fed(z, packed.subspan(used));
    const std::size_t room = out.size() - filled;
    z.next_out = out.data() + filled;
    z.avail_out = static_cast<uInt>(room);
    const int state = inflate(&z, Z_NO_FLUSH);
    used += piece - z.avail_in;
    filled += room - z.avail_out;
    if (state == Z_STREAM_END) {
      if (used == packed.size()) break;
      if (!is_gzip(packed.subspan(used)))
        throw DataError(fmt::format("{}: {} bytes that are no gzip follow the gzip stream", file.string(),
                                    packed.size() - used));
      inflateReset(&z);
    } else if (state == Z_BUF_ERROR || (state == Z_OK && used == packed.size() && z.avail_out > 0)) {
      throw DataError(
          fmt::format("{}: the gzip stream is cut off after {} bytes", file.string(), packed.size()));
    } else if (state != Z_OK) {
      throw DataError(
          fmt::format("{}: the gzip stream is damaged ({})", file.string(), z.msg ? z.msg : "no detail"));
    }
  }
  out.resize(filled);
  return out;
}

Bytes gzip(std::span<const std::uint8_t> bytes) {
  z_stream z{};
  if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw DataError("zlib did not start");
  Bytes out;
  std::size_t used = 0, filled = 0;
  int state = Z_OK;
  while (state == Z_OK) {
    out.resize(filled + (std::size_t{1} << 20));
    const std::size_t piece = fed(z, bytes.subspan(used));
    const bool last = used + piece == bytes.size();
    z.next_out = out.data() + filled;
    z.avail_out = static_cast<uInt>(out.size() - filled);
    state = deflate(&z, last ? Z_FINISH : Z_NO_FLUSH);
    used += piece - z.avail_in;
    filled = out.size() - z.avail_out;
  }
  deflateEnd(&z);
  if (state != Z_STREAM_END) throw DataError("zlib could not compress");
  out.resize(filled);
  return out;
}

}  // namespace shoal
