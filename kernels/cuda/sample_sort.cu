// SortSamples on a GPU (kernels/sort_samples.h): CUB's segmented radix sort. Not compiled for the emulation.
#include <cub/device/device_segmented_radix_sort.cuh>

#include "kernels/cuda/device.h"

namespace shoal::gpu {
namespace {

/// With `scratch` null it only says how many bytes CUB wants.
template <class T>
void sort(void* scratch, std::size_t& bytes, const T* values, T* sorted, const SortSamples& op,
          void* stream) {
  check(cub::DeviceSegmentedRadixSort::SortKeys(scratch, bytes, values, sorted, op.values, op.samples,
                                                op.offsets, op.offsets + 1, 0,
                                                static_cast<int>(sizeof(T)) * 8, stream_of(stream)),
        "sort_samples");
}

}  // namespace

std::size_t sort_scratch(std::int64_t values, std::int64_t samples, int value_bytes) {
  SortSamples op{};
  op.samples = samples;
  op.values = values;
  std::size_t bytes = 0;
  if (value_bytes == sizeof(float)) sort<float>(nullptr, bytes, nullptr, nullptr, op, nullptr);
  else sort<double>(nullptr, bytes, nullptr, nullptr, op, nullptr);
  return bytes;
}

void sort_samples(const SortSamples& op, void* stream) {
  if (op.samples == 0 || op.values == 0) return;
  std::size_t bytes = op.scratch_bytes;
  if (op.floats) sort(op.scratch, bytes, op.floats, op.sorted_floats, op, stream);
  else sort(op.scratch, bytes, op.doubles, op.sorted_doubles, op, stream);
}

}  // namespace shoal::gpu
