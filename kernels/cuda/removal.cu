// Removal (kernels/ops.h): first the softmax of every row, a warp a row, into the deltas of the output slab;
// then a block takes 64 neurons of a model: 4 threads a neuron, each every fourth row in order, and a tree
// over the 4. Always the same tree, so always the same bits.
//
// Letters: b row, c class, t label of the row, y output of the neuron, v its outgoing weights.
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kRowLanes = 4;
constexpr int kThreads = kPanelWidth * kRowLanes;
constexpr int kSoftmaxThreads = 256;
constexpr int kSoftmaxRows = kSoftmaxThreads / 32;  // rows of a block
constexpr int kStagedClasses = 64;                  // with more classes the weights stay in global memory
constexpr unsigned kAll = 0xffffffffu;

/// A head's rows: class c of row b.
struct Rows {
  float* base;
  std::int64_t panel;
  int row;
  __device__ __forceinline__ float& at(int b, int c) const {
    return base[static_cast<std::int64_t>(b) * row + c / kPanelWidth * panel + c % kPanelWidth];
  }
};

__device__ __forceinline__ Rows rows_of(float* values, const Slab& s) {
  return {values + panel_rows(s, 0), panel_stride(s), row_stride(s)};
}

__global__ void __launch_bounds__(kSoftmaxThreads) softmax_kernel(Removal op) {
  const Head head = op.heads[blockIdx.x];
  const Slab& s = op.slabs[head.slab];
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int rows = batch_of(op.workspace, s).rows;
  const Rows logits = rows_of(op.workspace.outputs, s), p = rows_of(op.workspace.deltas, s);
  for (int b = warp; b < rows; b += kSoftmaxRows) {
    float largest = -__builtin_huge_valf();
    for (int c = lane; c < head.classes; c += 32) largest = fmaxf(largest, logits.at(b, c));
    for (int distance = 16; distance > 0; distance /= 2)
      largest = fmaxf(largest, __shfl_xor_sync(kAll, largest, distance));
    float sum = 0.0f;
    for (int c = lane; c < head.classes; c += 32) {
      const float e = expf(logits.at(b, c) - largest);
      p.at(b, c) = e;
      sum += e;
    }
    for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_xor_sync(kAll, sum, distance);
    for (int c = lane; c < head.classes; c += 32) p.at(b, c) /= sum;
  }
}

/// One neuron's outgoing weights: staged in shared memory, or where they are.
struct Weights {
  const float* staged;  // [class][64], from this neuron's column on; or null
  const float* parameters;
  const Slab* slab;
  int k;
  __device__ __forceinline__ float operator[](int c) const {
    if (staged) return staged[c * kPanelWidth];
    const int panel = c / kPanelWidth;
    return parameters[panel_weights(*slab, panel) + static_cast<std::int64_t>(k) * panel_width(*slab, panel) +
                      c % kPanelWidth];
  }
};

/// Adds row b without the neuron, and the derivatives at the row.
__device__ __forceinline__ void add_row(RemovalSums& sums, const Rows& logits, const Rows& p,
                                        const Weights& v, int classes, int t, float y, int b) {
  // `before` ends as the largest of the classes before the label, `most` as the largest of all.
  float before = -__builtin_huge_valf(), most = -__builtin_huge_valf();
  for (int c = 0; c < classes; ++c) {
    const float z = fmaf(-y, v[c], logits.at(b, c));
    most = z > most ? z : most;
    before = c < t ? most : before;
  }
  const float own = fmaf(-y, v[t], logits.at(b, t)), own_weight = v[t];
  float sum = 0.0f, d = 0.0f, q = 0.0f;
  for (int c = 0; c < classes; ++c) {
    const float weight = v[c];
    sum += expf(fmaf(-y, weight, logits.at(b, c)) - most);
    d = fmaf(p.at(b, c), weight - own_weight, d);
  }
  for (int c = 0; c < classes; ++c) {
    const float e = (v[c] - own_weight) - d;
    q = fmaf(p.at(b, c), e * e, q);
  }
  const float slope = y * d;
  sums.loss += static_cast<double>(logf(sum)) + static_cast<double>(most) - static_cast<double>(own);
  sums.slope += static_cast<double>(slope);
  sums.curvature += static_cast<double>(y * y * q);
  sums.squared_slope += static_cast<double>(slope * slope);
  sums.correct += own == most && own > before;
}

__global__ void __launch_bounds__(kThreads) removal_kernel(Removal op) {
  __shared__ RemovalSums part[kRowLanes][kPanelWidth];
  __shared__ float staged[kStagedClasses][kPanelWidth];
  const RemovalTile tile = op.tiles[blockIdx.x];
  const Head head = op.heads[tile.head];
  const Slab& s = op.slabs[head.slab];
  const Slab& below = op.slabs[s.input];
  const Workspace& w = op.workspace;
  const Batch& batch = batch_of(w, s);
  const int column = static_cast<int>(threadIdx.x) % kPanelWidth,
            lane = static_cast<int>(threadIdx.x) / kPanelWidth;
  if (batch.rows == 0) return;
  // The tile of the whole model removes a neuron that is silent.
  const bool whole = tile.panel < 0;
  const int k = whole ? 0 : tile.panel * kPanelWidth + column;
  const bool inside = whole ? column == 0 : k < s.fan_in;
  const bool stage = head.classes <= kStagedClasses;
  const Weights from{nullptr, op.parameters, &s, k};
  if (stage && inside)
    for (int c = lane; c < head.classes; c += kRowLanes) staged[c][column] = from[c];
  // Without it a thread would read weights that another lane of its neuron has not copied yet.
  __syncthreads();
  RemovalSums sums = no_removal();
  const int neuron = s.input_column + k;
  if (inside) {
    const Weights v{stage ? &staged[0][column] : nullptr, op.parameters, &s, k};
    const Rows logits = rows_of(w.outputs, s), p = rows_of(w.deltas, s), r = rows_of(w.outputs, below);
    const float gate = op.gates ? op.gates[below.neuron + neuron] : 1.0f;
    for (int b = lane; b < batch.rows; b += kRowLanes)
      add_row(sums, logits, p, v, head.classes, op.labels[batch.first + b],
              whole ? 0.0f : gate * r.at(b, neuron), b);
  }
  part[lane][column] = sums;
  for (int half = kRowLanes / 2; half > 0; half /= 2) {
    // Without it a lane would merge a partner that is not written yet.
    __syncthreads();
    if (lane < half) part[lane][column] = merge(part[lane][column], part[lane + half][column]);
  }
  if (lane != 0 || !inside) return;
  RemovalSums& kept = whole ? op.whole[head.model] : op.neurons[below.neuron + neuron];
  kept = merge(kept, part[0][column]);
}

}  // namespace

void removal(const Removal& op, void* stream) {
  if (op.tile_count == 0) return;
  check(simt::launch(dim3(op.head_count), dim3(kSoftmaxThreads), 0, stream_of(stream), softmax_kernel, op),
        "removal");
  check(simt::launch(dim3(op.tile_count), dim3(kThreads), 0, stream_of(stream), removal_kernel, op),
        "removal");
}

}  // namespace shoal::KERNEL_NS
