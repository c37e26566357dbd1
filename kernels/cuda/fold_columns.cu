// FoldColumns (kernels/fold_columns.h): a block takes 32 columns of one part: 8 threads a column, each every
// eighth row in order, merging short runs of power sums; then a tree over the 8, then the moments kept so
// far. Always the same tree, so always the same bits.
#include "kernels/cuda/device.h"
#include "kernels/fold_columns.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kColumns = 32;  // a warp reads neighbours in a row
constexpr int kLanes = 8;
constexpr int kThreads = kColumns * kLanes;
constexpr int kRun = 256;  // values a thread adds around one shift

/// Moments of `count` values, `step` apart. Where a sum is not finite, value by value: it has to show.
template <class T>
__device__ ShapeMoments run_of(const T* x, std::int64_t step, int count) {
  const double shift = static_cast<double>(x[0]);
  PowerSums s{};
  double zeros = 0.0, low = shift, high = shift;
  for (int i = 0; i < count; ++i) {
    const double value = static_cast<double>(x[i * step]), d = value - shift, square = d * d;
    s.d1 += d;
    s.d2 += square;
    s.d3 += square * d;
    s.d4 += square * square;
    zeros += value == 0.0 ? 1.0 : 0.0;
    low = value < low ? value : low;
    high = value > high ? value : high;
  }
  if (s.d4 <= 1.7976931348623157e308) {
    ShapeMoments m = shape_of_sums(count, shift, s);
    m.zeros = zeros, m.min = low, m.max = high;
    return m;
  }
  ShapeMoments m = empty_shape();
  for (int i = 0; i < count; ++i) m = merge(m, shape_of(static_cast<double>(x[i * step])));
  return m;
}

template <class T>
__device__ ShapeMoments column_of(const T* values, const FoldColumns& op, std::int64_t begin,
                                  std::int64_t end, int column) {
  ShapeMoments m = empty_shape();
  for (std::int64_t row = begin; row < end; row += static_cast<std::int64_t>(kLanes) * kRun) {
    const std::int64_t left = (end - row + kLanes - 1) / kLanes;
    const int count = left < kRun ? static_cast<int>(left) : kRun;
    m = merge(m, run_of(values + row * op.stride + column, kLanes * op.stride, count));
  }
  return m;
}

__global__ void __launch_bounds__(kThreads) fold_columns_kernel(FoldColumns op, int strips) {
  __shared__ ShapeMoments part[kLanes][kColumns];
  const int lane = static_cast<int>(threadIdx.x) / kColumns, place = static_cast<int>(threadIdx.x) % kColumns;
  const std::int64_t number = blockIdx.x / strips;
  const int column = static_cast<int>(blockIdx.x % strips) * kColumns + place;
  const std::int64_t begin = number * op.part_rows + lane;
  const std::int64_t end = (number + 1) * op.part_rows < op.rows ? (number + 1) * op.part_rows : op.rows;
  ShapeMoments m = empty_shape();
  if (column < op.columns)
    m = op.floats ? column_of(op.floats, op, begin, end, column)
                  : column_of(op.doubles, op, begin, end, column);
  part[lane][place] = m;
  for (int half = kLanes / 2; half > 0; half /= 2) {
    // Without it a lane would merge a partner that is not written yet.
    __syncthreads();
    if (lane < half) part[lane][place] = merge(part[lane][place], part[lane + half][place]);
  }
  if (lane == 0 && column < op.columns) {
    ShapeMoments& kept = op.moments[number * op.columns + column];
    kept = merge(kept, part[0][place]);
  }
}

}  // namespace

void fold_columns(const FoldColumns& op, void* stream) {
  if (op.rows == 0 || op.columns == 0) return;
  const unsigned strips = blocks_for(op.columns, kColumns);
  const auto parts = static_cast<unsigned>((op.rows + op.part_rows - 1) / op.part_rows);
  check(simt::launch(dim3(strips * parts), dim3(kThreads), 0, stream_of(stream), fold_columns_kernel, op,
                     static_cast<int>(strips)),
        "fold_columns");
}

}  // namespace shoal::KERNEL_NS
