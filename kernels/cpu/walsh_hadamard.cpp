// The Walsh-Hadamard transform on the CPU: see kernels/walsh_hadamard.h. Up to three levels at a time stay in
// registers, so a value is read and written once for three bits.
#include "kernels/walsh_hadamard.h"

#include "kernels/cpu/statistics_level.h"

namespace shoal::SHOAL_LEVEL {
namespace {

constexpr int kLevels = 3;  // 8 vectors, of the 16 that the lower levels have

SHOAL_INLINE void read(double& x, const double* p) { x = *p; }
SHOAL_INLINE void read(D& x, const double* p) { x.copy_from(p, stdx::element_aligned); }
SHOAL_INLINE void write(double* p, double x) { *p = x; }
SHOAL_INLINE void write(double* p, D x) { x.copy_to(p, stdx::element_aligned); }

/// kBits levels of the 2^kBits values (double) or vectors (D) that stand `stride` apart.
template <int kBits, class T>
SHOAL_INLINE void butterflies(double* p, long stride) {
  constexpr int kRows = 1 << kBits;
  T x[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) read(x[r], p + r * stride);
#pragma GCC unroll 3
  for (int level = 0; level < kBits; ++level)
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const int half = 1 << level;
      if (r & half) continue;
      const T a = x[r], b = x[r + half];
      x[r] = a + b, x[r + half] = a - b;
    }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) write(p + r * stride, x[r]);
}

/// Levels bit .. bit + kBits - 1 of a tile.
template <int kBits>
void tile_levels(const WalshHadamard& op, double* tile, int bit) {
  // Where the strip is all there is below the first bit, the rows below `bit` are neighbours, too.
  const bool dense = op.strip == op.first_bit;
  const long width = 1L << (dense ? bit : op.strip), rows_below = dense ? 1 : 1L << (bit - op.first_bit),
             rows_above = 1L << (op.last_bit - bit - kBits), stride = 1L << bit;
  for (long above = 0; above < rows_above; ++above)
    for (long below = 0; below < rows_below; ++below) {
      double* p = tile + (above << (bit + kBits)) + (below << op.first_bit);
      long i = 0;
      for (; i + kDoubles <= width; i += kDoubles) butterflies<kBits, D>(p + i, stride);
      for (; i < width; ++i) butterflies<kBits, double>(p + i, stride);
    }
}

}  // namespace

void walsh_hadamard(const WalshHadamard& op, void*) {
  for (std::int64_t t = op.first; t < op.last; ++t) {
    double* tile = op.values + walsh_tile_begin(op, t);
    int bit = op.first_bit;
    for (; bit + kLevels <= op.last_bit; bit += kLevels) tile_levels<kLevels>(op, tile, bit);
    if (op.last_bit - bit == 2) tile_levels<2>(op, tile, bit);
    if (op.last_bit - bit == 1) tile_levels<1>(op, tile, bit);
  }
}

}  // namespace shoal::SHOAL_LEVEL
