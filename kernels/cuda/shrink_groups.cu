// ShrinkGroups (kernels/ops.h): a block per panel, 8 threads a neuron: each sums every eighth weight in
// order, then a tree over the 8, then they share the scaling.
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kLanes = 8;
constexpr int kThreads = kPanelWidth * kLanes;

__global__ void __launch_bounds__(kThreads) shrink_groups_kernel(ShrinkGroups op) {
  __shared__ float part[kLanes][kPanelWidth];
  const Tile tile = op.tiles[blockIdx.x];
  const Slab& s = op.slabs[tile.slab];
  if (s.is_output || batch_of(op.workspace, s).rows == 0) return;
  const int width = panel_width(s, tile.panel), thread = threadIdx.x;
  const int column = thread % kPanelWidth, lane = thread / kPanelWidth;
  float shrink = 0.0f;
  if (column < width) {
    const int block = s.block + (tile.panel * kPanelWidth + column) / kBlockWidth;
    const StepCoefficients& c = op.coefficients[op.block_model[block]];
    if (c.active == kTrains) shrink = c.group;
  }
  float* weights = op.parameters + panel_weights(s, tile.panel) + column;
  float* bias = op.parameters + s.bias + tile.panel * kPanelWidth + column;
  float sum = 0.0f;
  if (shrink > 0.0f) {
    if (lane == 0) sum = *bias * *bias;
    for (int k = lane; k < s.fan_in; k += kLanes) {
      const float w = weights[static_cast<std::int64_t>(k) * width];
      sum = fmaf(w, w, sum);
    }
  }
  part[lane][column] = sum;
  for (int half = kLanes / 2; half > 0; half /= 2) {
    // Without it a lane would add a partner's sum that is not written yet.
    __syncthreads();
    if (lane < half) part[lane][column] += part[lane + half][column];
  }
  // Without it a lane would read the whole sum before lane 0 has written it.
  __syncthreads();
  if (!(shrink > 0.0f)) return;
  const float norm = sqrtf(part[0][column]), factor = norm > shrink ? 1.0f - shrink / norm : 0.0f;
  for (int k = lane; k < s.fan_in; k += kLanes) weights[static_cast<std::int64_t>(k) * width] *= factor;
  if (lane == 0) *bias *= factor;
}

}  // namespace

void shrink_groups(const ShrinkGroups& op, void* stream) {
  if (op.tile_count == 0) return;
  check(simt::launch(dim3(op.tile_count), dim3(kThreads), 0, stream_of(stream), shrink_groups_kernel, op),
        "shrink_groups");
}

}  // namespace shoal::KERNEL_NS
