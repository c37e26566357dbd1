#include "analysis/moments.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace shoal {
namespace {

/// Rows of a part of a matrix (FoldColumns::part_rows). A constant, because the tree of the sums hangs on it.
constexpr std::int64_t kPartRows = 8192;
/// Columns of a task of the CPU: with parts, enough tasks to share out well.
constexpr int kTaskColumns = 1024;
/// Bytes that a device is given at once, so that the matrix need not fit its memory.
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
FoldColumns fold_of(MatrixView<T> x, ShapeMoments* moments) {
  FoldColumns op = fold_of(x.values);
  op.rows = x.rows, op.stride = x.stride, op.part_rows = kPartRows, op.columns = x.columns;
  op.moments = moments;
  return op;
}

std::int64_t parts_of(std::int64_t rows) { return (rows + kPartRows - 1) / kPartRows; }

/// Moments of every part, [parts][columns]. A task of the CPU has one part of some columns; it clears its
/// room itself, so that threads share that, too.
template <class T>
void run_on_cpu(const Calculator& calculator, MatrixView<T> x, ShapeMoments* partial) {
  const int groups = (x.columns + kTaskColumns - 1) / kTaskColumns;
  calculator.for_each(static_cast<int>(parts_of(x.rows)) * groups, [&](int task) {
    const std::int64_t part = task / groups, row = part * kPartRows;
    const int column = task % groups * kTaskColumns, columns = std::min(kTaskColumns, x.columns - column);
    ShapeMoments* out = partial + part * x.columns + column;
    std::fill(out, out + columns, empty_shape());
    const MatrixView<T> piece{x.values + row * x.stride + column, std::min(kPartRows, x.rows - row), columns,
                              x.stride};
    calculator.ops().fold_columns(fold_of(piece, out), calculator.stream());
  });
}

template <class T>
void run_on_device(const Calculator& calculator, MatrixView<T> x, ShapeMoments* partial) {
  const auto part_bytes = static_cast<std::size_t>(kPartRows * x.stride) * sizeof(T);
  const auto step =
      static_cast<std::int64_t>(std::max<std::size_t>(1, kDeviceBytes / part_bytes)) * kPartRows;
  for (std::int64_t row = 0; row < x.rows; row += step) {
    MatrixView<T> piece{x.values + row * x.stride, std::min(step, x.rows - row), x.columns, x.stride};
    const std::span<ShapeMoments> out(partial + row / kPartRows * x.columns,
                                      static_cast<std::size_t>(parts_of(piece.rows) * x.columns));
    std::fill(out.begin(), out.end(), empty_shape());
    const auto values = static_cast<std::size_t>((piece.rows - 1) * x.stride + x.columns);
    const Input<T> input(calculator, {piece.values, values});
    const Output<ShapeMoments> output(calculator, out);
    piece.values = input.get();
    calculator.ops().fold_columns(fold_of(piece, output.get()), calculator.stream());
    output.fetch();
  }
}

template <class T>
std::vector<ShapeMoments> moments_of_columns(const Calculator& calculator, MatrixView<T> x) {
  if (x.rows < 0 || x.columns < 0 || (x.rows > 1 && x.stride < x.columns))
    throw std::invalid_argument(
        "column moments: a matrix has no negative size, and its stride is not below its columns");
  const auto columns = static_cast<std::size_t>(x.columns);
  std::vector<ShapeMoments> result(columns, empty_shape());
  if (x.rows == 0 || x.columns == 0) return result;
  const std::int64_t parts = parts_of(x.rows);
  const auto partial =
      std::make_unique_for_overwrite<ShapeMoments[]>(static_cast<std::size_t>(parts) * columns);
  if (calculator.device()) run_on_device(calculator, x, partial.get());
  else run_on_cpu(calculator, x, partial.get());
  constexpr std::size_t kMerged = 512;  // columns merged by one task
  calculator.for_each(static_cast<int>((columns + kMerged - 1) / kMerged), [&](int task) {
    const std::size_t begin = static_cast<std::size_t>(task) * kMerged;
    for (std::size_t c = begin; c < std::min(begin + kMerged, columns); ++c)
      result[c] = merged(partial.get() + c, x.columns, parts);
  });
  return result;
}

/// A sample is a matrix of one column.
template <class T>
std::vector<ShapeMoments> moments_of_samples(const Calculator& calculator, Samples<T> samples) {
  check_samples(samples.offsets, samples.values.size());
  std::vector<ShapeMoments> result(static_cast<std::size_t>(samples.count()), empty_shape());
  const Input<T> input(calculator, samples.values);
  const Output<ShapeMoments> output(calculator, std::span(result));
  calculator.over_samples(samples.offsets, [&](std::int64_t first, std::int64_t last, void* stream) {
    for (std::int64_t s = first; s < last; ++s) {
      const auto n = static_cast<std::int64_t>(samples[s].size());
      FoldColumns op =
          fold_of(MatrixView<T>{input.get() + samples.offsets[static_cast<std::size_t>(s)], n, 1, 1},
                  output.get() + s);
      op.part_rows = std::max<std::int64_t>(n, 1);
      if (n > 0) calculator.ops().fold_columns(op, stream);
    }
  });
  output.fetch();
  return result;
}

}  // namespace

std::vector<ShapeMoments> column_moments(const Calculator& calculator, MatrixView<float> x) {
  return moments_of_columns(calculator, x);
}
std::vector<ShapeMoments> column_moments(const Calculator& calculator, MatrixView<double> x) {
  return moments_of_columns(calculator, x);
}
std::vector<ShapeMoments> sample_moments(const Calculator& calculator, Samples<float> samples) {
  return moments_of_samples(calculator, samples);
}
std::vector<ShapeMoments> sample_moments(const Calculator& calculator, Samples<double> samples) {
  return moments_of_samples(calculator, samples);
}

}  // namespace shoal
