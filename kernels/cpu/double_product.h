// The matrix product in double precision under Covariance and Residuals. Both operands stand in panels
// [depth][kPanel], so that one way of packing serves either side.
#pragma once

#include "kernels/centred_matrix.h"
#include "kernels/cpu/statistics_level.h"

namespace shoal::SHOAL_LEVEL {
namespace {

/// A panel is kVectors vectors wide; the inner product keeps kRows x kVectors of them as accumulators, as
/// many as the registers hold beside the operands.
constexpr int kVectors = 3;
constexpr int kPanel = kVectors * kDoubles;
#if defined(__AVX512F__)
constexpr int kRows = 8;
#elif defined(__AVX2__)
constexpr int kRows = 4;
#else
constexpr int kRows = 3;
#endif
static_assert(kPanel % kRows == 0);

SHOAL_INLINE int panels_of(int extent) { return (extent + kPanel - 1) / kPanel; }

/// out[r][j] += sum_k a[k][r] b[k][j] for kRows values of r and a whole panel of j; the sum over k is one
/// chain, added to what is there.
SHOAL_INLINE void add_product(const double* a, const double* b, int depth, double* out, long stride) {
  D sum[kRows][kVectors] = {};
  for (int k = 0; k < depth; ++k, a += kPanel, b += kPanel) {
    D column[kVectors];
    for (int j = 0; j < kVectors; ++j) column[j] = D(b + j * kDoubles, stdx::vector_aligned);
    for (int r = 0; r < kRows; ++r) {
      const D factor = a[r];
      for (int j = 0; j < kVectors; ++j) sum[r][j] += factor * column[j];
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int j = 0; j < kVectors; ++j) {
      double* to = out + r * stride + j * kDoubles;
      D(D(to, stdx::vector_aligned) + sum[r][j]).copy_to(to, stdx::vector_aligned);
    }
}

/// All rows of a panel of A with a panel of B: out [kPanel][stride].
inline void add_panels(const double* a, const double* b, int depth, double* out, long stride) {
  for (int r = 0; r < kPanel; r += kRows) add_product(a + r, b, depth, out + r * stride, stride);
}

/// Columns first .. first + extent of `depth` rows: panel p holds at [k][j] what row row + k has in column
/// first + p kPanel + j, minus that column's mean; 0 behind the extent.
template <class T>
inline void pack_columns_of(const T* values, const CentredMatrix& x, std::int64_t row, int depth, int first,
                            int extent, double* to) {
  const double* means = x.means ? x.means + first : nullptr;
  for (int k = 0; k < depth; ++k) {
    const T* from = values + (row + k) * x.stride + first;
    double* place = to + k * kPanel;
    for (int j = 0; j < extent; j += kPanel, place += static_cast<long>(depth) * kPanel) {
      const int there = smaller(kPanel, extent - j);
      if (there == kPanel) {
        for (int i = 0; i < kPanel; ++i) place[i] = static_cast<double>(from[j + i]);
        if (means)
          for (int i = 0; i < kPanel; ++i) place[i] -= means[j + i];
        continue;
      }
      for (int i = 0; i < kPanel; ++i)
        place[i] = i < there ? static_cast<double>(from[j + i]) - (means ? means[j + i] : 0.0) : 0.0;
    }
  }
}

/// Rows row .. row + extent of columns first .. first + depth: panel p holds at [k][j] what row row + p
/// kPanel + j has in column first + k, minus that column's mean.
template <class T>
inline void pack_rows_of(const T* values, const CentredMatrix& x, std::int64_t row, int extent, int first,
                         int depth, double* to) {
  const double* means = x.means ? x.means + first : nullptr;
  for (int p = 0; p < extent; p += kPanel, to += static_cast<long>(depth) * kPanel)
    for (int j = 0; j < kPanel; ++j) {
      if (p + j >= extent) {
        for (int k = 0; k < depth; ++k) to[k * kPanel + j] = 0.0;
        continue;
      }
      const T* from = values + (row + p + j) * x.stride + first;
      if (means)
        for (int k = 0; k < depth; ++k) to[k * kPanel + j] = static_cast<double>(from[k]) - means[k];
      else
        for (int k = 0; k < depth; ++k) to[k * kPanel + j] = static_cast<double>(from[k]);
    }
}

inline void pack_columns(const CentredMatrix& x, std::int64_t row, int depth, int first, int extent,
                         double* to) {
  if (x.floats) pack_columns_of(x.floats, x, row, depth, first, extent, to);
  else pack_columns_of(x.doubles, x, row, depth, first, extent, to);
}
inline void pack_rows(const CentredMatrix& x, std::int64_t row, int extent, int first, int depth,
                      double* to) {
  if (x.floats) pack_rows_of(x.floats, x, row, extent, first, depth, to);
  else pack_rows_of(x.doubles, x, row, extent, first, depth, to);
}

}  // namespace
}  // namespace shoal::SHOAL_LEVEL
