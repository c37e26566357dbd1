// The sort of Shuffle on a GPU: CUB's segmented radix sort, which is stable, so equal keys stay in the order
// of their samples. Not compiled for the emulation.
//
// The scratch memory holds, one after another: sorted keys, sample numbers before sorting, CUB's own scratch.
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>
#include <cub/device/device_segmented_radix_sort.cuh>

#include "kernels/cuda/device.h"

namespace shoal::gpu {
namespace {

constexpr int kThreads = 256;
constexpr std::size_t kAlignment = 256;

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

struct SegmentStart {
  std::int64_t samples;
  __host__ __device__ std::int64_t operator()(std::int64_t segment) const { return segment * samples; }
};

__global__ void __launch_bounds__(kThreads)
    number_samples_kernel(std::int32_t* out, std::int64_t samples, std::int64_t count) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) out[i] = static_cast<std::int32_t>(i % samples);
}

/// With `scratch` null it only says how many bytes CUB wants.
cudaError_t sort(void* scratch, std::size_t& bytes, const Shuffle& op, std::uint32_t* sorted,
                 const std::int32_t* numbers, cudaStream_t stream) {
  const auto starts =
      thrust::make_transform_iterator(thrust::counting_iterator<std::int64_t>(0), SegmentStart{op.samples});
  return cub::DeviceSegmentedRadixSort::SortPairs(scratch, bytes, op.keys, sorted, numbers, op.order,
                                                  op.group_count * op.samples, op.group_count, starts,
                                                  starts + 1, 0, 32, stream);
}

std::size_t library_scratch(const Shuffle& op) {
  std::size_t bytes = 0;
  check(sort(nullptr, bytes, op, nullptr, nullptr, nullptr), "shuffle (size of the sort's scratch memory)");
  return bytes;
}

}  // namespace

std::size_t shuffle_scratch(int groups, std::int64_t samples) {
  Shuffle op{};
  op.group_count = groups;
  op.samples = samples;
  return 2 * aligned(static_cast<std::size_t>(groups) * samples * sizeof(std::uint32_t)) +
         library_scratch(op);
}

void sort_by_key(const Shuffle& op, void* stream) {
  const std::int64_t count = op.group_count * op.samples;
  const std::size_t array = aligned(static_cast<std::size_t>(count) * sizeof(std::uint32_t));
  char* scratch = static_cast<char*>(op.scratch);
  auto* sorted = reinterpret_cast<std::uint32_t*>(scratch);
  auto* numbers = reinterpret_cast<std::int32_t*>(scratch + array);
  std::size_t bytes = static_cast<std::size_t>(op.scratch_bytes) - 2 * array;
  check(simt::launch(dim3(blocks_for(count, kThreads)), dim3(kThreads), 0, stream_of(stream),
                     number_samples_kernel, numbers, op.samples, count),
        "shuffle (numbers)");
  check(sort(scratch + 2 * array, bytes, op, sorted, numbers, stream_of(stream)), "shuffle (sort)");
}

}  // namespace shoal::gpu
