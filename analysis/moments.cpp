#include "analysis/moments.h"

#include <algorithm>
#include <stdexcept>

namespace shoal {
namespace {

/// Rows of a part of a matrix (FoldColumns::part_rows): many parts share out well over threads, large ones
/// leave little to merge. A constant, because the tree of the sums hangs on it.
constexpr std::int64_t kPartRows = 2048;
/// Rows that a device is given at once, so that the matrix need not fit its memory.
constexpr std::size_t kDeviceBytes = std::size_t{1} << 30;

FoldColumns fold_of(const float* values) {
  FoldColumns op{};
  op.floats = values;
  return op;
}
FoldColumns fold_of(const double* values) {
  FoldColumns op{};
  op.doubles = values;
  return op;
}

/// Merges parts[0 .. count) of one column as a balanced tree.
ShapeMoments merged(const ShapeMoments* parts, std::int64_t stride, std::int64_t count) {
  if (count == 0) return empty_shape();
  if (count == 1) return parts[0];
  const std::int64_t half = (count + 1) / 2;
  return merge(merged(parts, stride, half), merged(parts + half * stride, stride, count - half));
}

template <class T>
void run_parts(const Calculator& calculator, MatrixView<T> x, std::int64_t first, std::int64_t last,
               std::span<ShapeMoments> parts) {
  const auto columns = static_cast<std::size_t>(x.columns);
  const auto op_for = [&](const T* values, std::int64_t rows, ShapeMoments* out) {
    FoldColumns op = fold_of(values);
    op.rows = rows, op.stride = x.stride, op.part_rows = kPartRows, op.columns = x.columns, op.moments = out;
    return op;
  };
  const T* begin = x.values + first * kPartRows * x.stride;
  const std::int64_t rows = std::min(x.rows, last * kPartRows) - first * kPartRows;
  const std::span<ShapeMoments> out = parts.subspan(static_cast<std::size_t>(first) * columns,
                                                    static_cast<std::size_t>(last - first) * columns);
  if (!calculator.device()) return calculator.ops().fold_columns(op_for(begin, rows, out.data()), nullptr);
  const Input<T> input(calculator, {begin, static_cast<std::size_t>((rows - 1) * x.stride + x.columns)});
  const Output<ShapeMoments> output(calculator, out);
  calculator.ops().fold_columns(op_for(input.get(), rows, output.get()), calculator.stream());
  output.fetch();
}

template <class T>
std::vector<ShapeMoments> moments_of_columns(const Calculator& calculator, MatrixView<T> x) {
  if (x.rows < 0 || x.columns < 0 || (x.rows > 1 && x.stride < x.columns))
    throw std::invalid_argument(
        "column moments: a matrix has no negative size, and its stride is not below "
        "its columns");
  const auto columns = static_cast<std::size_t>(x.columns);
  std::vector<ShapeMoments> result(columns, empty_shape());
  if (x.rows == 0 || x.columns == 0) return result;
  const std::int64_t parts = (x.rows + kPartRows - 1) / kPartRows;
  std::vector<ShapeMoments> partial(static_cast<std::size_t>(parts) * columns, empty_shape());
  const auto part_bytes = static_cast<std::size_t>(kPartRows * x.stride) * sizeof(T);
  const std::int64_t step =
      calculator.device() ? static_cast<std::int64_t>(std::max<std::size_t>(1, kDeviceBytes / part_bytes))
                          : 1;
  calculator.for_each(static_cast<int>((parts + step - 1) / step), [&](int task) {
    run_parts(calculator, x, task * step, std::min((task + 1) * step, parts), std::span(partial));
  });
  constexpr std::size_t kColumns = 256;  // merged by one task
  calculator.for_each(static_cast<int>((columns + kColumns - 1) / kColumns), [&](int task) {
    const std::size_t begin = static_cast<std::size_t>(task) * kColumns;
    for (std::size_t c = begin; c < std::min(begin + kColumns, columns); ++c)
      result[c] = merged(partial.data() + c, x.columns, parts);
  });
  return result;
}

}  // namespace

std::vector<ShapeMoments> column_moments(const Calculator& calculator, MatrixView<float> x) {
  return moments_of_columns(calculator, x);
}
std::vector<ShapeMoments> column_moments(const Calculator& calculator, MatrixView<double> x) {
  return moments_of_columns(calculator, x);
}

}  // namespace shoal
