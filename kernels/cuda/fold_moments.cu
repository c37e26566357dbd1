// FoldMoments (kernels/ops.h): a block merges the batch of one panel: 8 threads a neuron, each every eighth
// sample in order, then a tree over the 8, then the moments kept so far. Always the same tree, so always the
// same bits.
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kLanes = 8;
constexpr int kThreads = kPanelWidth * kLanes;

__global__ void __launch_bounds__(kThreads) fold_moments_kernel(FoldMoments op) {
  __shared__ Moments part[kLanes][kPanelWidth];
  const Tile tile = op.tiles[blockIdx.x];
  const Slab& s = op.slabs[tile.slab];
  const Workspace& w = op.workspace;
  const int column = static_cast<int>(threadIdx.x) % kPanelWidth,
            lane = static_cast<int>(threadIdx.x) / kPanelWidth;
  const int rows = batch_of(w, s).rows;
  if (rows == 0) return;
  const bool inside = column < panel_width(s, tile.panel);
  Moments m = empty_moments();
  if (inside) {
    const float* values =
        (op.before_relu ? w.preactivations : w.outputs) + panel_rows(s, tile.panel) + column;
    for (int b = lane; b < rows; b += kLanes)
      m = merge(m, moments_of(values[static_cast<std::int64_t>(b) * row_stride(s)]));
  }
  part[lane][column] = m;
  for (int half = kLanes / 2; half > 0; half /= 2) {
    // Without it a lane would merge a partner that is not written yet.
    __syncthreads();
    if (lane < half) part[lane][column] = merge(part[lane][column], part[lane + half][column]);
  }
  if (lane == 0 && inside) {
    Moments& kept = op.moments[s.neuron + tile.panel * kPanelWidth + column];
    kept = merge(kept, part[0][column]);
  }
}

}  // namespace

void fold_moments(const FoldMoments& op, void* stream) {
  if (op.tile_count == 0) return;
  check(simt::launch(dim3(op.tile_count), dim3(kThreads), 0, stream_of(stream), fold_moments_kernel, op),
        "fold_moments");
}

}  // namespace shoal::KERNEL_NS
