// FoldColumns on the CPU (kernels/fold_columns.h).
//
// A strip of columns is walked a few rows at a time, with its power sums in the first-level cache: memory is
// read along the rows, as the prefetchers like it, and no value twice. Sums are taken in double around the
// first row of a block of rows.
#include "kernels/cpu/statistics_level.h"

namespace shoal::SHOAL_LEVEL {
namespace {

constexpr int kStrip = 256;       // columns
constexpr int kBlockRows = 1024;  // rows that share a shift: zeros are counted exactly in a float

/// Everything a block gathers about the columns of a strip.
template <class T>
struct Sums {
  alignas(64) double shift[kStrip], d1[kStrip], d2[kStrip], d3[kStrip], d4[kStrip];
  alignas(64) T zeros[kStrip], low[kStrip], high[kStrip];
};

template <class T>
void begin(Sums<T>& s, const T* x, int columns) {
  for (int j = 0; j < columns; ++j) {
    s.shift[j] = x[j];
    s.low[j] = s.high[j] = x[j];
    s.d1[j] = s.d2[j] = s.d3[j] = s.d4[j] = 0.0;
    s.zeros[j] = 0;
  }
}

template <class T>
void add_rows(Sums<T>& s, const T* x, std::int64_t stride, int rows, int columns) {
  for (int row = 0; row < rows; ++row, x += stride)
    for (int j = 0; j < columns; ++j) {
      const double d = static_cast<double>(x[j]) - s.shift[j], square = d * d;
      s.d1[j] += d;
      s.d2[j] += square;
      s.d3[j] += square * d;
      s.d4[j] += square * square;
      s.zeros[j] += x[j] == T(0) ? T(1) : T(0);
      s.low[j] = x[j] < s.low[j] ? x[j] : s.low[j];
      s.high[j] = x[j] > s.high[j] ? x[j] : s.high[j];
    }
}

/// One column, value by value: what is not finite has to show.
template <class T>
ShapeMoments one_by_one(const T* x, std::int64_t stride, int rows) {
  ShapeMoments m = empty_shape();
  for (int row = 0; row < rows; ++row) m = merge(m, shape_of(static_cast<double>(x[row * stride])));
  return m;
}

template <class T>
void end(const Sums<T>& s, const T* x, std::int64_t stride, int rows, int columns, ShapeMoments* moments) {
  for (int j = 0; j < columns; ++j) {
    ShapeMoments m = shape_of_sums(rows, s.shift[j], {s.d1[j], s.d2[j], s.d3[j], s.d4[j]});
    m.zeros = static_cast<double>(s.zeros[j]);
    m.min = static_cast<double>(s.low[j]);
    m.max = static_cast<double>(s.high[j]);
    if (!(s.d4[j] <= __DBL_MAX__)) m = one_by_one(x + j, stride, rows);
    moments[j] = merge(moments[j], m);
  }
}

template <class T>
void fold(const T* values, const FoldColumns& op) {
  Sums<T> sums;
  for (std::int64_t part = 0, begin_row = 0; begin_row < op.rows; ++part, begin_row += op.part_rows) {
    const std::int64_t end_row = begin_row + op.part_rows < op.rows ? begin_row + op.part_rows : op.rows;
    for (int column = 0; column < op.columns; column += kStrip) {
      const int columns = smaller(kStrip, op.columns - column);
      ShapeMoments* moments = op.moments + part * op.columns + column;
      for (std::int64_t row = begin_row; row < end_row; row += kBlockRows) {
        const int rows = end_row - row < kBlockRows ? static_cast<int>(end_row - row) : kBlockRows;
        const T* x = values + row * op.stride + column;
        begin(sums, x, columns);
        add_rows(sums, x, op.stride, rows, columns);
        end(sums, x, op.stride, rows, columns, moments);
      }
    }
  }
}

}  // namespace

void fold_columns(const FoldColumns& op, void*) {
  if (op.floats) fold(op.floats, op);
  else fold(op.doubles, op);
}

}  // namespace shoal::SHOAL_LEVEL
