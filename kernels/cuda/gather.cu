// Gather (kernels/ops.h): a block fills 8 rows of one batch, a thread four neighbouring features at a time: a
// warp reads 128 bytes of pixels and writes 512 bytes of floats. When the number of features is no multiple
// of 4, samples are not aligned and are read one by one.
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kThreads = 256;
constexpr int kRows = 8;

template <class T>
__device__ __forceinline__ float4 read_one_by_one(const T* sample, int f, int features) {
  return make_float4(static_cast<float>(sample[f]),
                     f + 1 < features ? static_cast<float>(sample[f + 1]) : 0.0f,
                     f + 2 < features ? static_cast<float>(sample[f + 2]) : 0.0f,
                     f + 3 < features ? static_cast<float>(sample[f + 3]) : 0.0f);
}

__device__ __forceinline__ float4 read_four(const std::uint8_t* p) {
  const uchar4 v = *reinterpret_cast<const uchar4*>(p);
  return make_float4(v.x, v.y, v.z, v.w);
}
__device__ __forceinline__ float4 read_four(const float* p) { return load4(p); }

template <class T>
__device__ __forceinline__ float4 read_features(const T* sample, int f, int features) {
  return features % 4 == 0 ? read_four(sample + f) : read_one_by_one(sample, f, features);
}

/// blocks_per_batch: ceil(max_rows / kRows).
__global__ void __launch_bounds__(kThreads) gather_kernel(Gather op, int blocks_per_batch) {
  const Batch& batch = op.workspace.batches[blockIdx.x / blocks_per_batch];
  const int first = static_cast<int>(blockIdx.x) % blocks_per_batch * kRows,
            stride = op.workspace.input_stride;
  const int left = batch.rows - first, rows = left < kRows ? left : kRows;
  float* out = op.workspace.inputs + batch.inputs + static_cast<std::int64_t>(first) * stride;
  for (int i = threadIdx.x; i < rows * (stride / 4); i += kThreads) {
    const int row = i / (stride / 4), f = i % (stride / 4) * 4;
    const std::int64_t place = batch.first + first + row;
    const std::int64_t sample = op.order ? op.order[place] : place;
    float4 x = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    if (f < op.features) {
      x = op.bytes ? read_features(op.bytes + sample * op.features, f, op.features)
                   : read_features(op.values + sample * op.features, f, op.features);
      x.x = fmaf(x.x, op.scale, op.shift);
      x.y = f + 1 < op.features ? fmaf(x.y, op.scale, op.shift) : 0.0f;
      x.z = f + 2 < op.features ? fmaf(x.z, op.scale, op.shift) : 0.0f;
      x.w = f + 3 < op.features ? fmaf(x.w, op.scale, op.shift) : 0.0f;
    }
    store4(out + static_cast<std::int64_t>(row) * stride + f, x);
  }
}

}  // namespace

void gather(const Gather& op, void* stream) {
  const int per_batch = static_cast<int>(blocks_for(op.max_rows, kRows));
  if (op.batch_count == 0 || per_batch == 0) return;
  const dim3 grid(static_cast<unsigned>(op.batch_count) * per_batch);
  check(simt::launch(grid, dim3(kThreads), 0, stream_of(stream), gather_kernel, op, per_batch), "gather");
}

}  // namespace shoal::KERNEL_NS
