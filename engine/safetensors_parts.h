// What the writer and the reader of safetensors files share.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/safetensors.h"

namespace shoal::safetensors {

inline constexpr std::int64_t kMaxHeader = 100'000'000;  // bytes; the limit of the reference implementation
inline constexpr std::string_view kMetadata = "__metadata__";

struct DTypeName {
  std::string_view name;
  int bytes;
};
DTypeName describe(TensorType);

/// Bytes of an element; 0 for a type that is not known.
int element_bytes(std::string_view dtype);

/// Bytes of a tensor; -1 when they do not fit 63 bits.
std::int64_t extent_of(const std::vector<std::int64_t>& shape, int bytes);

inline std::string system_message() { return std::generic_category().message(errno); }

/// An open file that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int opened) : fd(opened) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd; }
  bool is_open() const { return fd >= 0; }
  void hold(int opened) { close(), fd = opened; }
  /// False when the system reports an error that it had held back.
  bool close() { return fd < 0 || ::close(std::exchange(fd, -1)) == 0; }

 private:
  int fd = -1;
};

}  // namespace shoal::safetensors
