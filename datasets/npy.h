#pragma once
// NumPy arrays in files: .npy. Source of the format: numpy/lib/format.py (versions 1, 2 and 3).
// Read and written: little endian, the types below, and C order; Fortran order is read where it is asked for.
// Anything else is a DataError in words.
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "datasets/bytes.h"
#include "datasets/error.h"

namespace shoal {

enum class DType : std::uint8_t { b1, u1, u2, u4, u8, i1, i2, i4, i8, f4, f8 };

/// NumPy's code ("<f4", "|u1"), its word ("float32", "uint8") and the bytes of one value.
std::string_view dtype_code(DType);
std::string_view dtype_word(DType);
std::size_t dtype_bytes(DType);

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, bool>) return DType::b1;
  else if constexpr (std::is_same_v<T, std::uint8_t>) return DType::u1;
  else if constexpr (std::is_same_v<T, std::uint16_t>) return DType::u2;
  else if constexpr (std::is_same_v<T, std::uint32_t>) return DType::u4;
  else if constexpr (std::is_same_v<T, std::uint64_t>) return DType::u8;
  else if constexpr (std::is_same_v<T, std::int8_t>) return DType::i1;
  else if constexpr (std::is_same_v<T, std::int16_t>) return DType::i2;
  else if constexpr (std::is_same_v<T, std::int32_t>) return DType::i4;
  else if constexpr (std::is_same_v<T, std::int64_t>) return DType::i8;
  else if constexpr (std::is_same_v<T, float>) return DType::f4;
  else {
    static_assert(std::is_same_v<T, double>, "no NumPy type for this one");
    return DType::f8;
  }
}

using Shape = std::vector<std::int64_t>;

/// Number of values; the empty shape () is one value.
std::int64_t value_count(const Shape&);
/// "(60000, 28, 28)", as NumPy writes it.
std::string shape_text(const Shape&);

enum class ArrayOrder : std::uint8_t { c, fortran };  // the last axis is the quickest, or the first

struct Array {
  DType dtype = DType::f4;
  Shape shape = {};
  Bytes data = {};  // value_count(shape) * dtype_bytes(dtype)
  ArrayOrder order = ArrayOrder::c;
};

/// The values of an array whose type is T; another type is a programmer's error (std::logic_error).
template <class T>
std::span<const T> values_of(const Array& array) {
  if (array.dtype != dtype_of<T>()) throw std::logic_error("values_of: the array holds another type");
  return {reinterpret_cast<const T*>(array.data.data()), array.data.size() / sizeof(T)};
}

/// The values of an array of any type, converted, as they lie; int64 and uint64 beyond 2^53 are rounded.
std::vector<double> values_as_double(const Array&);

/// The header of a .npy file of this type and shape, padded so that the data begin at a multiple of 64 bytes.
Bytes npy_header(DType, const Shape&);

enum class OrderTaken : std::uint8_t { c_only, any };

/// A whole .npy file held in memory; `where` is for messages ("a.npz: x_train"). The array takes over the
/// memory.
Array parse_npy(Bytes file, const std::string& where, OrderTaken = OrderTaken::c_only);

Array read_npy(const std::filesystem::path&, OrderTaken = OrderTaken::c_only);
void write_npy(const std::filesystem::path&, DType, const Shape&, std::span<const std::uint8_t> data);

template <class T>
std::span<const std::uint8_t> raw_bytes(std::span<const T> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

}  // namespace shoal
