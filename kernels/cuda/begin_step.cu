// BeginStep (kernels/ops.h): one block; its threads share groups and models.
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) begin_step_kernel(BeginStep op) {
  const std::int64_t epoch = op.position[0], step = op.position[1];
  for (int g = threadIdx.x; g < op.group_count; g += kThreads) {
    const std::int64_t size = op.batch_sizes[g], done = step * size, left = op.samples - done;
    op.batches[g].first = g * op.samples + done;
    op.batches[g].rows = static_cast<int>(left <= 0 ? 0 : left < size ? left : size);
  }
  for (int m = threadIdx.x; m < op.model_count; m += kThreads) {
    const std::int64_t size = op.batch_sizes[op.model_group[m]], steps = (op.samples + size - 1) / size;
    op.coefficients[m] =
        step_coefficients(op.settings[m], static_cast<double>(epoch * steps + step + 1), op.frozen[m] == 0);
  }
  // Without it thread 0 could advance the step before another warp has read it.
  __syncthreads();
  if (threadIdx.x == 0) op.position[1] = step + 1;
}

}  // namespace

void begin_step(const BeginStep& op, void* stream) {
  check(simt::launch(dim3(1), dim3(kThreads), 0, stream_of(stream), begin_step_kernel, op), "begin_step");
}

}  // namespace shoal::KERNEL_NS
