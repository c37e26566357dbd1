// What statistics are computed of: many samples in one array, or a matrix.
#pragma once

#include <cstdint>
#include <span>

namespace shoal {

/// Many samples of any lengths, one after the other: sample s is values[offsets[s] .. offsets[s + 1]).
template <class T>
struct Samples {
  std::span<const T> values;
  std::span<const std::int64_t> offsets;  // [count + 1] ascending; the last is at most values.size()

  std::int64_t count() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::span<const T> operator[](std::int64_t s) const {
    const auto i = static_cast<std::size_t>(s);
    return values.subspan(static_cast<std::size_t>(offsets[i]),
                          static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
  }
};

/// std::invalid_argument when the offsets do not ascend from 0 or more, or leave the values.
void check_samples(std::span<const std::int64_t> offsets, std::size_t values);

/// A row-major matrix; every column is a sample.
template <class T>
struct MatrixView {
  const T* values = nullptr;
  std::int64_t rows = 0;
  int columns = 0;
  std::int64_t stride = 0;  // values from one row to the next, >= columns
};

}  // namespace shoal
