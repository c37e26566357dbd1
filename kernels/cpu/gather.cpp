// Gather on the CPU: see kernels/ops.h.
#include <type_traits>

#include "kernels/cpu/level.h"
#include "kernels/cpu/simd.h"

namespace shoal::SHOAL_LEVEL {
namespace {

// A plain loop: the compiler makes better vectors of it than of any conversion that can be written with
// std::experimental::simd in g++ 12.
template <class T>
SHOAL_INLINE void scale_row(float* __restrict__ out, const T* __restrict__ in, int features, int stride,
                            float scale, float shift) {
  for (int f = 0; f < features; ++f)
    out[f] =
        static_cast<float>(static_cast<std::conditional_t<sizeof(T) == 1, int, T>>(in[f])) * scale + shift;
  for (int f = features; f < stride; ++f) out[f] = 0.0f;
}

/// Rows of a batch lie anywhere in the data: the next ones are asked for while this one is converted.
template <class T>
SHOAL_INLINE void prefetch_row(const T* row, int features) {
  for (std::size_t byte = 0; byte < features * sizeof(T); byte += 64)
    __builtin_prefetch(reinterpret_cast<const char*>(row) + byte);
}

template <class T>
void gather_batch(const Gather& op, const Batch& batch, const T* data) {
  constexpr int kAhead = 3;
  const int stride = op.workspace.input_stride;
  const auto row_of = [&](int row) {
    const std::int64_t place = batch.first + row;
    return data + (op.order ? op.order[place] : place) * op.features;
  };
  float* out = op.workspace.inputs + batch.inputs;
  for (int row = 0; row < batch.rows; ++row, out += stride) {
    if (row + kAhead < batch.rows) prefetch_row(row_of(row + kAhead), op.features);
    scale_row(out, row_of(row), op.features, stride, op.scale, op.shift);
  }
}

}  // namespace

void gather(const Gather& op, void*) {
  for (int g = 0; g < op.batch_count; ++g) {
    const Batch& batch = op.workspace.batches[g];
    if (op.bytes) {
      gather_batch(op, batch, op.bytes);
    } else {
      gather_batch(op, batch, op.values);
    }
  }
}

}  // namespace shoal::SHOAL_LEVEL
