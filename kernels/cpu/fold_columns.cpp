// FoldColumns on the CPU (kernels/fold_columns.h).
//
// A strip of columns is walked a few rows at a time, its sums in the first-level cache and those of a vector
// of columns in registers: memory is read along the rows, each value once. Sums are taken in double around
// the first row of a block, row after row, so a column's bits do not depend on its place.
#include "kernels/cpu/statistics_level.h"

namespace shoal::SHOAL_LEVEL {
namespace {

constexpr int kStrip = 256;       // columns
constexpr int kGroup = 8;         // rows between a load and a store of the sums
constexpr int kBlockRows = 2048;  // rows that share a shift: zeros are counted exactly in a float

template <class T>
using VectorOf = stdx::native_simd<T>;
template <class T>
constexpr int kLanesOf = static_cast<int>(VectorOf<T>::size());
/// Vectors of doubles that a vector of T becomes.
template <class T>
constexpr int kParts = kLanesOf<T> / kDoubles;

/// Everything a block gathers about the columns of a strip.
template <class T>
struct Sums {
  alignas(64) double shift[kStrip], d1[kStrip], d2[kStrip], d3[kStrip], d4[kStrip];
  alignas(64) T zeros[kStrip], low[kStrip], high[kStrip];
};

template <class T>
void begin(Sums<T>& s, const T* x, int columns) {
  for (int j = 0; j < kStrip; ++j) {
    const T first = j < columns ? x[j] : T(0);
    s.shift[j] = static_cast<double>(first);
    s.low[j] = s.high[j] = first;
    s.d1[j] = s.d2[j] = s.d3[j] = s.d4[j] = 0.0;
    s.zeros[j] = T(0);
  }
}

/// sum + d^2, on the multipliers where they add, too: the adders have more to do here.
SHOAL_INLINE D plus_square(D sum, [[maybe_unused]] D d, [[maybe_unused]] D square) {
#if defined(__FMA__)
  return stdx::fma(d, d, sum);
#else
  return sum + square;
#endif
}

/// Adds `rows` rows of the vector of columns that begins at column j of the strip.
template <class T>
SHOAL_INLINE void add_vector(Sums<T>& s, int j, const T* x, std::int64_t stride, int rows,
                             std::int64_t ahead) {
  using Vector = VectorOf<T>;
  constexpr int kD = kParts<T>;
  D shift[kD], d1[kD], d2[kD], d3[kD], d4[kD];
  for (int k = 0; k < kD; ++k) {
    const int at = j + k * kDoubles;
    shift[k] = D(s.shift + at, kAligned);
    d1[k] = D(s.d1 + at, kAligned), d2[k] = D(s.d2 + at, kAligned);
    d3[k] = D(s.d3 + at, kAligned), d4[k] = D(s.d4 + at, kAligned);
  }
  Vector zeros(s.zeros + j, kAligned), low(s.low + j, kAligned), high(s.high + j, kAligned);
  for (int row = 0; row < rows; ++row, x += stride) {
    __builtin_prefetch(x + ahead, 0, 2);
    const Vector value(x, stdx::element_aligned);
    stdx::where(value == Vector(T(0)), zeros) += Vector(T(1));
    low = stdx::min(low, value);
    high = stdx::max(high, value);
    for (int k = 0; k < kD; ++k) {
      const D d = D(x + k * kDoubles, stdx::element_aligned) - shift[k], square = d * d;
      d1[k] += d;
      d2[k] = plus_square(d2[k], d, square);
      d3[k] += square * d;
      d4[k] += square * square;
    }
  }
  for (int k = 0; k < kD; ++k) {
    const int at = j + k * kDoubles;
    d1[k].copy_to(s.d1 + at, kAligned), d2[k].copy_to(s.d2 + at, kAligned);
    d3[k].copy_to(s.d3 + at, kAligned), d4[k].copy_to(s.d4 + at, kAligned);
  }
  zeros.copy_to(s.zeros + j, kAligned), low.copy_to(s.low + j, kAligned), high.copy_to(s.high + j, kAligned);
}

template <class T>
void add_rows(Sums<T>& s, const T* x, std::int64_t stride, int rows, int columns) {
  constexpr int kWide = kLanesOf<T>;
  for (int row = 0; row < rows; row += kGroup, x += kGroup * stride) {
    const int count = smaller(kGroup, rows - row);
    // The prefetchers do not see that the next group follows; past the last one there is nothing to fetch.
    const std::int64_t ahead = row + 2 * kGroup <= rows ? kGroup * stride : 0;
    int j = 0;
    for (; j + kWide <= columns; j += kWide) add_vector(s, j, x + j, stride, count, ahead);
    if (j == columns) continue;
    alignas(64) T last[kGroup * kWide] = {};
    for (int r = 0; r < count; ++r)
      for (int c = j; c < columns; ++c) last[r * kWide + c - j] = x[r * stride + c];
    add_vector(s, j, last, kWide, count, 0);
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
