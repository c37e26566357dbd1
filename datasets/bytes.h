#pragma once
// Whole files as bytes, and gzip. Every function throws DataError with the file's name in it.
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace shoal {

using Bytes = std::vector<std::uint8_t>;

/// The bytes of a file as they lie on the disk.
Bytes read_bytes(const std::filesystem::path& file);

/// The first `count` bytes of a file, fewer if it is shorter.
Bytes read_first_bytes(const std::filesystem::path& file, std::size_t count);

void write_bytes(const std::filesystem::path& file, std::span<const std::uint8_t> bytes);

bool is_gzip(std::span<const std::uint8_t> bytes);

/// Unpacks a gzip file (one or more members) held in memory and checks its CRC and length. At most `limit`
/// bytes come back: a longer stream is cut there, unchecked. Memory grows with what is really unpacked, never
/// with what a header promises. `file` is only for messages.
Bytes gunzip(std::span<const std::uint8_t> packed, std::size_t limit, const std::filesystem::path& file);

Bytes gzip(std::span<const std::uint8_t> bytes);

}  // namespace shoal
