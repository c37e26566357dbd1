// The safetensors file format, written as a stream and read tensor by tensor: 8 bytes little-endian length of
// the header, the header as JSON padded with spaces to a multiple of 8, then the raw little-endian data.
// Source: github.com/huggingface/safetensors, "Format". PyTorch, NumPy and JAX read and write it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

static_assert(std::endian::native == std::endian::little, "safetensors data are little-endian");

/// A file that cannot be read or written or does not hold what it should, in one sentence. The program's exit
/// code 4.
struct WeightsError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The element types that this program writes and reads. Files may hold others; only reading those is
/// refused.
enum class TensorType { f32, f64, i32, i64, u8 };

template <class T>
inline constexpr bool kIsTensorElement = false;
template <>
inline constexpr bool kIsTensorElement<float> = true;
template <>
inline constexpr bool kIsTensorElement<double> = true;
template <>
inline constexpr bool kIsTensorElement<std::int32_t> = true;
template <>
inline constexpr bool kIsTensorElement<std::int64_t> = true;
template <>
inline constexpr bool kIsTensorElement<std::uint8_t> = true;

template <class T>
consteval TensorType tensor_type_of() {
  static_assert(kIsTensorElement<T>, "float, double, std::int32_t, std::int64_t or std::uint8_t");
  if (std::is_same_v<T, float>) return TensorType::f32;
  if (std::is_same_v<T, double>) return TensorType::f64;
  if (std::is_same_v<T, std::int32_t>) return TensorType::i32;
  if (std::is_same_v<T, std::int64_t>) return TensorType::i64;
  return TensorType::u8;
}

struct TensorSpec {
  std::string name;
  TensorType dtype = TensorType::f32;
  std::vector<std::int64_t> shape;  // row-major; {} is a scalar
};

/// Writes a file whose header is fixed from the start; data follow tensor by tensor, in any order and in any
/// pieces, each element once. The file stands under a temporary name beside `path`; finish() brings it to the
/// disk and renames it, replacing what was there. Without finish() nothing is left behind and `path` is as it
/// was. Room on the disk is claimed at once where the file system can, so a full disk shows here. Errors:
/// WeightsError for the file, std::invalid_argument for a call that does not fit the tensors.
class SafetensorsWriter {
 public:
  SafetensorsWriter(std::filesystem::path path, const std::vector<TensorSpec>& tensors,
                    const std::map<std::string, std::string>& metadata = {});
  ~SafetensorsWriter();
  SafetensorsWriter(SafetensorsWriter&&) noexcept;
  SafetensorsWriter& operator=(SafetensorsWriter&&) noexcept;

  /// Elements first .. first + data.size() of a tensor.
  template <class T>
  void write(std::string_view name, std::span<const T> data, std::int64_t first = 0) {
    write_bytes(name, tensor_type_of<T>(), data.data(), data.size(), first);
  }
  template <class T>
  void write(std::string_view name, const std::vector<T>& data, std::int64_t first = 0) {
    write(name, std::span<const T>(data), first);
  }
  void finish();

 private:
  void write_bytes(std::string_view name, TensorType, const void* data, std::size_t count,
                   std::int64_t first);
  struct State;
  std::unique_ptr<State> state;
};

/// What a file's header says of a tensor; checked against the file.
struct TensorInfo {
  std::string name;
  std::string dtype;  // as the file spells it: "F32"
  std::vector<std::int64_t> shape;
  std::int64_t begin = 0, end = 0;  // bytes, from the end of the header
};

/// Opens a file and checks its whole header: extents, shapes, no overlaps, no gaps, no name twice. Data are
/// read when asked for. Errors: WeightsError.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(std::filesystem::path path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

  const std::filesystem::path& path() const;
  const std::vector<TensorInfo>& tensors() const;  // in the order of their data
  const std::map<std::string, std::string>& metadata() const;
  bool contains(std::string_view name) const;
  const TensorInfo& tensor(std::string_view name) const;  // WeightsError when there is none

  /// A whole tensor, which must have this type and shape; `out` has room for exactly its elements.
  template <class T>
  void read(std::string_view name, const std::vector<std::int64_t>& shape, std::span<T> out) const {
    read_bytes(name, tensor_type_of<T>(), shape, out.data(), out.size());
  }
  template <class T>
  std::vector<T> read(std::string_view name, const std::vector<std::int64_t>& shape) const {
    std::vector<T> out(expect(name, tensor_type_of<T>(), shape));
    read(name, shape, std::span<T>(out));
    return out;
  }
  /// A whole tensor in whatever shape it has (see tensor()).
  template <class T>
  std::vector<T> read(std::string_view name) const {
    return read<T>(name, tensor(name).shape);
  }

 private:
  /// Throws unless the tensor has this type and shape; its number of elements.
  std::size_t expect(std::string_view name, TensorType, const std::vector<std::int64_t>& shape) const;
  void read_bytes(std::string_view name, TensorType, const std::vector<std::int64_t>& shape, void* out,
                  std::size_t count) const;
  struct State;
  std::unique_ptr<State> state;
};

/// "[128, 784]", for messages.
std::string extents_text(const std::vector<std::int64_t>& shape);

}  // namespace shoal
