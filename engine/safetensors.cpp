#include "engine/safetensors_parts.h"

#include <fmt/format.h>

namespace shoal {
namespace safetensors {
namespace {

constexpr DTypeName kOurs[] = {
    {"F32", 4}, {"F64", 8}, {"I32", 4}, {"I64", 8}, {"U8", 1}};  // as in TensorType
constexpr DTypeName kOthers[] = {{"F16", 2}, {"BF16", 2},    {"I16", 2},    {"I8", 1},
                                 {"U16", 2}, {"U32", 4},     {"U64", 8},    {"BOOL", 1},
                                 {"C64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};

}  // namespace

DTypeName describe(TensorType dtype) { return kOurs[static_cast<int>(dtype)]; }

int element_bytes(std::string_view dtype) {
  for (const DTypeName& d : kOurs)
    if (d.name == dtype) return d.bytes;
  for (const DTypeName& d : kOthers)
    if (d.name == dtype) return d.bytes;
  return 0;
}

std::int64_t extent_of(const std::vector<std::int64_t>& shape, int bytes) {
  std::int64_t extent = bytes;
  for (const std::int64_t n : shape)
    if (n < 0 || __builtin_mul_overflow(extent, n, &extent)) return -1;
  return extent;
}

}  // namespace safetensors

std::string extents_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace shoal
