#include "datasets/idx.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "datasets/bytes.h"
#include "datasets/sha256.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kImageMagic = 0x803, kLabelMagic = 0x801;
constexpr std::uint32_t kLargestSide = 1 << 14;      // pixels; larger is damage, not an image
constexpr std::uint64_t kLargestDeflateGain = 1032;  // bytes out of a byte in, the most deflate can do

/// The file's bytes after the header, and the header's dimensions.
struct Body {
  std::array<std::uint32_t, 3> size{1, 1, 1};
  Bytes bytes;  // header and values
  std::string sha256;
};

std::uint32_t big_endian(std::span<const std::uint8_t> bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

void check_magic(std::uint32_t magic, std::uint32_t wanted, const std::string& file) {
  if (magic == wanted) return;
  const char* what = wanted == kImageMagic ? "images" : "labels";
  if (magic == kImageMagic || magic == kLabelMagic)
    throw DataError(fmt::format("{}: is an IDX file of {}, but one of {} was expected", file,
                                magic == kImageMagic ? "images" : "labels", what));
  if (magic >> 16 == 0 && (magic >> 8 & 0xff) == 8)
    throw DataError(fmt::format("{}: is an IDX file with {} dimensions; {} have {}", file, magic & 0xff, what,
                                wanted & 0xff));
  if (magic >> 16 == 0 && (magic >> 8 & 0xff) >= 9 && (magic >> 8 & 0xff) <= 14)
    throw DataError(fmt::format("{}: is an IDX file of type 0x{:02x}; only unsigned bytes (0x08) are read",
                                file, magic >> 8 & 0xff));
  throw DataError(
      fmt::format("{}: is no IDX file: it starts with 0x{:08x}, not 0x{:08x}", file, magic, wanted));
}

/// How many bytes the file should have, all told; refuses sizes that cannot be.
std::uint64_t promised_bytes(const Body& body, std::size_t header, const std::string& file) {
  const auto [count, height, width] = body.size;
  if (count == 0) throw DataError(fmt::format("{}: holds no samples", file));
  if (height == 0 || width == 0 || height > kLargestSide || width > kLargestSide)
    throw DataError(fmt::format("{}: its header says images of {} x {} pixels; 1 x 1 to {} x {} can be", file,
                                height, width, kLargestSide, kLargestSide));
  return header + std::uint64_t{count} * height * width;  // at most 2^60: no overflow
}

Body read_body(const fs::path& path, std::uint32_t magic) {
  const std::string file = path.string();
  const std::size_t dims = magic & 0xff, header = 4 + 4 * dims;
  Bytes raw = read_bytes(path);
  const bool packed = is_gzip(raw);
  const Bytes start =
      packed ? gunzip(raw, header, path) : Bytes(raw.begin(), raw.begin() + std::min(header, raw.size()));
  if (start.empty()) throw DataError(fmt::format("{}: is empty", file));
  if (start.size() >= 4) check_magic(big_endian(start, 0), magic, file);
  if (start.size() < header)
    throw DataError(
        fmt::format("{}: is cut off in its header, after {} of {} bytes", file, start.size(), header));

  Body body;
  for (std::size_t d = 0; d < dims; ++d) body.size[d] = big_endian(start, 4 + 4 * d);
  const std::uint64_t promised = promised_bytes(body, header, file);
  const auto refuse = [&](std::uint64_t found, const char* at_most) {
    throw DataError(
        fmt::format("{}: is cut off: its header promises {} samples, {} bytes in all, and it holds {}{}",
                    file, body.size[0], promised, at_most, found));
  };
  const std::uint64_t possible = packed ? kLargestDeflateGain * raw.size() : raw.size();
  if (possible < promised) refuse(possible, packed ? "at most " : "");
  body.bytes = packed ? gunzip(raw, promised + 1, path) : std::move(raw);
  if (body.bytes.size() < promised) refuse(body.bytes.size(), "");
  if (body.bytes.size() > promised)
    throw DataError(fmt::format("{}: has bytes left over after the {} samples that its header promises", file,
                                body.size[0]));
  body.sha256 = sha256_hex(body.bytes);
  body.bytes.erase(body.bytes.begin(), body.bytes.begin() + static_cast<std::ptrdiff_t>(header));
  return body;
}

void append_big_endian(Bytes& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

void write_packed_by_name(const fs::path& file, const Bytes& bytes) {
  write_bytes(file, file.extension() == ".gz" ? gzip(bytes) : bytes);
}

}  // namespace

IdxImages read_idx_images(const fs::path& file) {
  Body body = read_body(file, kImageMagic);
  return {body.size[0], static_cast<int>(body.size[1]), static_cast<int>(body.size[2]), std::move(body.bytes),
          std::move(body.sha256)};
}

IdxLabels read_idx_labels(const fs::path& file) {
  Body body = read_body(file, kLabelMagic);
  return {std::move(body.bytes), std::move(body.sha256)};
}

void write_idx_images(const fs::path& file, std::span<const std::uint8_t> pixels, int height, int width) {
  const std::size_t image = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  if (height < 1 || width < 1 || pixels.size() % image != 0)
    throw DataError(fmt::format("{}: {} pixels are not a whole number of {} x {} images", file.string(),
                                pixels.size(), height, width));
  Bytes bytes;
  bytes.reserve(pixels.size() + 16);
  append_big_endian(bytes, kImageMagic);
  append_big_endian(bytes, static_cast<std::uint32_t>(pixels.size() / image));
  append_big_endian(bytes, static_cast<std::uint32_t>(height));
  append_big_endian(bytes, static_cast<std::uint32_t>(width));
  bytes.insert(bytes.end(), pixels.begin(), pixels.end());
  write_packed_by_name(file, bytes);
}

void write_idx_labels(const fs::path& file, std::span<const std::int32_t> labels) {
  Bytes bytes;
  bytes.reserve(labels.size() + 8);
  append_big_endian(bytes, kLabelMagic);
  append_big_endian(bytes, static_cast<std::uint32_t>(labels.size()));
  for (const std::int32_t label : labels) {
    if (label < 0 || label > 255)
      throw DataError(
          fmt::format("{}: the label {} does not fit into IDX, which holds 0..255", file.string(), label));
    bytes.push_back(static_cast<std::uint8_t>(label));
  }
  write_packed_by_name(file, bytes);
}

Split join_idx(IdxImages images, const fs::path& image_file, const IdxLabels& labels,
               const fs::path& label_file, int classes) {
  if (images.count != static_cast<std::int64_t>(labels.labels.size()))
    throw DataError(fmt::format("{} holds {} images, but {} holds {} labels", image_file.string(),
                                images.count, label_file.string(), labels.labels.size()));
  if (classes > 0) {
    const auto bad = std::ranges::find_if(labels.labels, [&](int label) { return label >= classes; });
    if (bad != labels.labels.end())
      throw DataError(fmt::format("{}: the label of sample {} is {}; with {} classes it must be 0..{}",
                                  label_file.string(), bad - labels.labels.begin(), *bad, classes,
                                  classes - 1));
  }
  Split split{
      .count = images.count, .features = images.height * images.width, .bytes = std::move(images.pixels)};
  split.labels.assign(labels.labels.begin(), labels.labels.end());
  return split;
}

Split read_idx_split(const fs::path& image_file, const fs::path& label_file, int classes, int* height,
                     int* width, std::vector<Checksum>& checksums) {
  IdxImages images = read_idx_images(image_file);
  const IdxLabels labels = read_idx_labels(label_file);
  *height = images.height;
  *width = images.width;
  checksums.push_back({image_file.filename().string(), images.sha256});
  checksums.push_back({label_file.filename().string(), labels.sha256});
  return join_idx(std::move(images), image_file, labels, label_file, classes);
}

}  // namespace shoal
