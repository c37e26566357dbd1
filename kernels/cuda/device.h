// What the kernels of this folder share: where things lie, and copies to shared memory. Device code only, and
// so included by the .cu files only.
#pragma once

#include "kernels/simt/simt.h"
//
#include "kernels/cuda/launchers.h"
#include "kernels/cuda/tile_shape.h"
#include "kernels/ops.h"

namespace shoal::KERNEL_NS {
namespace {

__device__ __forceinline__ float4 load4(const float* p) { return *reinterpret_cast<const float4*>(p); }
__device__ __forceinline__ void store4(float* p, float4 v) { *reinterpret_cast<float4*>(p) = v; }

/// Four floats from global to shared memory (both aligned to 16 bytes), or zeros where the tile hangs over an
/// edge. Lands after cp_async_wait and a barrier.
__device__ __forceinline__ void copy4(float* shared, const float* global, bool inside) {
  if (inside) simt::cp_async16(shared, global);
  else store4(shared, make_float4(0.0f, 0.0f, 0.0f, 0.0f));
}

/// NaN stays NaN: a model that diverges must be seen.
__device__ __forceinline__ float relu(float z) { return z < 0.0f ? 0.0f : z; }

/// Where row 0 of a panel lies in outputs, deltas and preactivations.
__device__ __forceinline__ std::int64_t panel_rows(const Slab& s, int panel) {
  return s.outputs + panel * panel_stride(s);
}

/// The matrix that a slab reads: element (b, k) is at base + b * row + (k + first) / 64 * panel + (k + first)
/// % 64. The data are one panel without end.
struct Inputs {
  const float* base;
  std::int64_t panel;
  int row;
  int first;
  const float* gates;  // of input k = 0; null: all 1

  __device__ __forceinline__ const float* at(int b, int k) const {
    if (panel == 0) return base + static_cast<std::int64_t>(b) * row + k;
    const int column = first + k;
    return base + static_cast<std::int64_t>(b) * row + column / kPanelWidth * panel + column % kPanelWidth;
  }
};

__device__ __forceinline__ Inputs inputs_of(const Workspace& w, const Slab* slabs, const Slab& s,
                                            const float* gates) {
  if (s.input < 0) return {w.inputs + batch_of(w, s).inputs, 0, w.input_stride, 0, nullptr};
  const Slab& below = slabs[s.input];
  return {w.outputs + panel_rows(below, 0), panel_stride(below), row_stride(below), s.input_column,
          gates ? gates + below.neuron + s.input_column : nullptr};
}

inline simt::Stream stream_of(void* stream) { return static_cast<simt::Stream>(stream); }
inline unsigned blocks_for(std::int64_t items, int per_block) {
  return static_cast<unsigned>((items + per_block - 1) / per_block);
}

}  // namespace
}  // namespace shoal::KERNEL_NS
