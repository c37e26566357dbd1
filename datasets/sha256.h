#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace shoal {

/// SHA-256 of some bytes as 64 lower-case hexadecimal digits. Source: FIPS 180-4, sections 4.1.2, 5 and 6.2.
std::string sha256_hex(std::span<const std::uint8_t> bytes);

}  // namespace shoal
