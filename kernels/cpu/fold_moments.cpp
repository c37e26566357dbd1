// Moments of neurons on the CPU: see kernels/ops.h.
#include "kernels/cpu/level.h"
#include "kernels/cpu/simd.h"

namespace shoal::SHOAL_LEVEL {
namespace {

/// Moments of 16 columns over the rows of a batch. Sums are taken in double around the first row's values:
/// what a float can hold of a deviation, a double sum of squares of it keeps.
void block_moments(const float* x, int stride, int rows, Moments* out) {
  double shift[kBlockWidth], sum[kBlockWidth] = {}, square[kBlockWidth] = {};
  float zeros[kBlockWidth] = {}, low[kBlockWidth],
        high[kBlockWidth];  // counts up to 2^24 are exact in a float
  for (int j = 0; j < kBlockWidth; ++j) shift[j] = low[j] = high[j] = x[j];
  for (int row = 0; row < rows; ++row, x += stride) {
    for (int j = 0; j < kBlockWidth; ++j) {
      const double d = static_cast<double>(x[j]) - shift[j];
      sum[j] += d;
      square[j] += d * d;
    }
    for (int j = 0; j < kBlockWidth; ++j) {
      zeros[j] += x[j] == 0.0f ? 1.0f : 0.0f;
      low[j] = x[j] < low[j] ? x[j] : low[j];
      high[j] = x[j] > high[j] ? x[j] : high[j];
    }
  }
  for (int j = 0; j < kBlockWidth; ++j) {
    const double mean = sum[j] / rows, squares = square[j] - sum[j] * mean;
    const Moments batch{
        static_cast<double>(rows), shift[j] + mean, squares < 0.0 ? 0.0 : squares, zeros[j], low[j], high[j]};
    out[j] = merge(out[j], batch);
  }
}

}  // namespace

void fold_moments(const FoldMoments& op, void*) {
  const Workspace& w = op.workspace;
  const float* values = op.before_relu ? w.preactivations : w.outputs;
  for (int i = 0; i < op.slab_count; ++i) {
    const Slab& s = op.slabs[i];
    const int rows = batch_of(w, s).rows;
    if (rows == 0) continue;
    for (int column = 0; column < s.columns; column += kBlockWidth) {
      const int panel = column / kPanelWidth;
      const float* x = values + s.outputs + panel * panel_stride(s) + column % kPanelWidth;
      block_moments(x, row_stride(s), rows, op.moments + s.neuron + column);
    }
  }
}

}  // namespace shoal::SHOAL_LEVEL
