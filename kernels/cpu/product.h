// The one matrix product under forward, backward and update: rows of A times a panel of B, accumulated in
// registers.
//
//   out[r][j] = sum_k A(r, k) * B[k][j],   k ascending, one fused multiply-add chain an element
//
// A chain does not depend on the tile it is computed in, so neither do the bits.
#pragma once

#include "kernels/cpu/simd.h"

namespace shoal::SHOAL_LEVEL {
namespace {

/// A(r, k) = base[r * row + (k / segment) * segment_stride + (k % segment) * step]: the inputs of a layer
/// stand in panels of 64.
struct Factor {
  const float* base;
  long row, step;
  int segment;
  long segment_stride;
};

/// Vectors a tile is wide, and rows of a tile: as many accumulators as the registers hold beside the
/// operands.
#if defined(__AVX512F__)
constexpr int kMaxVectors = 4;
constexpr int rows_for(int vectors) { return vectors == 4 ? 6 : vectors == 3 ? 8 : vectors == 2 ? 12 : 16; }
#elif defined(__AVX2__)
constexpr int kMaxVectors = 2;
constexpr int rows_for(int vectors) { return vectors == 2 ? 6 : 8; }
#else
constexpr int kMaxVectors = 2;
constexpr int rows_for(int vectors) { return vectors == 2 ? 5 : 8; }
#endif

template <int rows, int vectors, class Out>
SHOAL_INLINE void tile(const Factor& a, const float* b, long b_stride, int depth, int row, Out out) {
  V sum[rows][vectors] = {};
  const float* x = a.base + row * a.row;
  for (int left = depth; left > 0; left -= a.segment, x += a.segment_stride) {
    const int count = smaller(left, a.segment);
    for (int k = 0; k < count; ++k, b += b_stride) {
      V column[vectors];
      for (int j = 0; j < vectors; ++j) column[j] = load(b + j * kLanes);
      for (int r = 0; r < rows; ++r) {
        const V factor = x[r * a.row + k * a.step];
        for (int j = 0; j < vectors; ++j) sum[r][j] += factor * column[j];
      }
    }
  }
  // Through memory, so that `out` exists once in the code of a tile and not rows * vectors times.
  alignas(64) float done[rows * vectors * kLanes];
  for (int r = 0; r < rows; ++r)
    for (int j = 0; j < vectors; ++j) store(done + (r * vectors + j) * kLanes, sum[r][j]);
#pragma GCC unroll 1
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 1
    for (int j = 0; j < vectors; ++j) out(row + r, j, load(done + (r * vectors + j) * kLanes));
}

template <int vectors, class Out>
inline void strip(const Factor& a, const float* b, long b_stride, int depth, int rows, Out out) {
  constexpr int kRows = rows_for(vectors);
  int row = 0;
  for (; row + kRows <= rows; row += kRows) tile<kRows, vectors>(a, b, b_stride, depth, row, out);
  if constexpr (kRows >= 4)
    for (; row + kRows / 2 <= rows; row += kRows / 2)
      tile<kRows / 2, vectors>(a, b, b_stride, depth, row, out);
  for (; row < rows; ++row) tile<1, vectors>(a, b, b_stride, depth, row, out);
}

/// All `width` columns (a multiple of 16) of B [depth][b_stride], for rows 0 .. rows of A. out(row, column,
/// vector) receives each result once.
template <class Out>
inline void product(const Factor& a, const float* b, long b_stride, int depth, int rows, int width, Out out) {
  const int vectors = width / kLanes;
  for (int v = 0; v < vectors; v += kMaxVectors) {
    const float* columns = b + v * kLanes;
    const auto sink = [&](int row, int j, V sum) { out(row, (v + j) * kLanes, sum); };
    switch (smaller(vectors - v, kMaxVectors)) {
      case 1: strip<1>(a, columns, b_stride, depth, rows, sink); break;
#if defined(__AVX512F__)
      case 3: strip<3>(a, columns, b_stride, depth, rows, sink); break;
      case 4: strip<4>(a, columns, b_stride, depth, rows, sink); break;
#endif
      default: strip<2>(a, columns, b_stride, depth, rows, sink); break;
    }
  }
}

/// What a slab reads, as the left factor of its forward product: A(b, k).
SHOAL_INLINE Factor inputs_of(const Workspace& w, const Slab* slabs, const Slab& s) {
  if (s.input < 0) return {w.inputs + batch_of(w, s).inputs, w.input_stride, 1, s.fan_in, 0};
  const Slab& in = slabs[s.input];
  const float* base = w.outputs + in.outputs + (s.input_column / kPanelWidth) * panel_stride(in) +
                      s.input_column % kPanelWidth;
  return {base, row_stride(in), 1, kPanelWidth, static_cast<long>(panel_stride(in))};
}

/// Gates on the inputs of a slab, [fan_in]; null where there are none.
SHOAL_INLINE const float* gates_of(const float* gates, const Slab* slabs, const Slab& s) {
  return gates && s.input >= 0 ? gates + slabs[s.input].neuron + s.input_column : nullptr;
}

}  // namespace
}  // namespace shoal::SHOAL_LEVEL
