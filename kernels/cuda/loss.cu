// Loss (kernels/ops.h): a block per model, a warp per row of its batch. Each warp adds up its own rows in
// order, thread 0 adds up the warps in order: always the same tree. Sums are double.
//
// Letters: b row, c class, t label of the row.
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr unsigned kAll = 0xffffffffu;

/// A row of logits, or of deltas: class c stands in panel c / 64.
struct Row {
  float* base;
  std::int64_t panel;
  __device__ __forceinline__ float& operator[](int c) const {
    return base[c / kPanelWidth * panel + c % kPanelWidth];
  }
};

__device__ __forceinline__ Row row_of(float* values, const Slab& s, int b) {
  return {values + panel_rows(s, 0) + static_cast<std::int64_t>(b) * row_stride(s), panel_stride(s)};
}

struct Largest {
  float value;
  int index;
};

/// The first of the largest; every lane gets it. NaN is never larger than anything.
__device__ __forceinline__ Largest largest_of(const Row& z, int classes, int lane) {
  Largest best{-__builtin_huge_valf(), classes};
  for (int c = lane; c < classes; c += 32)
    if (z[c] > best.value || best.index == classes) best = {z[c], c};
  for (int distance = 16; distance > 0; distance /= 2) {
    const Largest other{__shfl_xor_sync(kAll, best.value, distance),
                        __shfl_xor_sync(kAll, best.index, distance)};
    if (other.value > best.value || (other.value == best.value && other.index < best.index)) best = other;
  }
  return best;
}

/// A fixed tree over the lanes; every lane gets the sum.
__device__ __forceinline__ double sum_over_lanes(double v) {
  for (int distance = 16; distance > 0; distance /= 2) v += __shfl_xor_sync(kAll, v, distance);
  return v;
}

/// Loss of a row, and its deltas where `d.base` is given.
__device__ __forceinline__ double cross_entropy(const Row& z, const Row& d, int classes, int t, float max,
                                                int rows, int lane) {
  double sum = 0.0;
  for (int c = lane; c < classes; c += 32) sum += expf(z[c] - max);
  sum = sum_over_lanes(sum);
  if (d.base) {
    const float total = static_cast<float>(sum), count = static_cast<float>(rows);
    for (int c = lane; c < classes; c += 32)
      d[c] = (expf(z[c] - max) / total - (c == t ? 1.0f : 0.0f)) / count;
  }
  return log(sum) + static_cast<double>(max) - static_cast<double>(z[t]);
}

__device__ __forceinline__ double squared_error(const Row& z, const Row& d, int classes, int t, int rows,
                                                int lane) {
  double sum = 0.0;
  for (int c = lane; c < classes; c += 32) {
    const float e = z[c] - (c == t ? 1.0f : 0.0f);
    sum += static_cast<double>(e) * static_cast<double>(e);
    if (d.base) d[c] = e / static_cast<float>(rows);
  }
  return 0.5 * sum_over_lanes(sum);
}

__global__ void __launch_bounds__(kThreads) loss_kernel(Loss op) {
  __shared__ double losses[kWarps];
  __shared__ int hits[kWarps];
  const Head head = op.heads[blockIdx.x];
  const Slab& s = op.slabs[head.slab];
  const Workspace& w = op.workspace;
  const Batch& batch = batch_of(w, s);
  const int rows = batch.rows, warp = static_cast<int>(threadIdx.x) / 32,
            lane = static_cast<int>(threadIdx.x) % 32;
  if (rows == 0 || op.frozen[head.model]) return;
  double loss = 0.0;
  int correct = 0;
  for (int b = warp; b < rows; b += kWarps) {
    const std::int64_t place = batch.first + b;
    const int t = op.labels[op.order ? op.order[place] : place];
    const Row z = row_of(w.outputs, s, b);
    const Row d = op.write_deltas ? row_of(w.deltas, s, b) : Row{nullptr, 0};
    const Largest best = largest_of(z, head.classes, lane);
    correct += best.index == t;
    loss += op.kind == LossKind::cross_entropy ? cross_entropy(z, d, head.classes, t, best.value, rows, lane)
                                               : squared_error(z, d, head.classes, t, rows, lane);
    if (d.base)
      for (int c = head.classes + lane; c < s.columns; c += 32) d[c] = 0.0f;
  }
  if (lane == 0) losses[warp] = loss, hits[warp] = correct;
  // Without it thread 0 would add up warps that are not done, and could freeze the model before a slow warp
  // has asked whether it is.
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int i = 1; i < kWarps; ++i) loss += losses[i], correct += hits[i];
  if (op.write_deltas && !isfinite(loss)) {
    op.frozen[head.model] = 1;
    if (op.coefficients) op.coefficients[head.model].active = 0;
    return;
  }
  op.loss[head.model] += loss;
  op.correct[head.model] += correct;
}

}  // namespace

void loss(const Loss& op, void* stream) {
  if (op.head_count == 0) return;
  check(simt::launch(dim3(op.head_count), dim3(kThreads), 0, stream_of(stream), loss_kernel, op), "loss");
}

}  // namespace shoal::KERNEL_NS
