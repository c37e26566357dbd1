// Gather on the CPU: see kernels/ops.h.
#include "kernels/cpu/level.h"
#include "kernels/cpu/simd.h"

namespace shoal::SHOAL_LEVEL {
namespace {

template <class T>
void scale_row(float* out, const T* in, int features, int stride, float scale, float shift) {
  for (int f = 0; f < features; ++f) out[f] = static_cast<float>(in[f]) * scale + shift;
  for (int f = features; f < stride; ++f) out[f] = 0.0f;
}

}  // namespace

void gather(const Gather& op, void*) {
  const Workspace& w = op.workspace;
  for (int g = 0; g < op.batch_count; ++g) {
    const Batch& batch = w.batches[g];
    for (int row = 0; row < batch.rows; ++row) {
      const std::int64_t place = batch.first + row, sample = op.order ? op.order[place] : place;
      float* out = w.inputs + batch.inputs + static_cast<std::int64_t>(row) * w.input_stride;
      if (op.bytes) {
        scale_row(out, op.bytes + sample * op.features, op.features, w.input_stride, op.scale, op.shift);
      } else {
        scale_row(out, op.values + sample * op.features, op.features, w.input_stride, op.scale, op.shift);
      }
    }
  }
}

}  // namespace shoal::SHOAL_LEVEL
