// ShapiroLack (kernels/shapiro_lack.h): a block a sample; a thread adds every 128th value in order, then a
// tree over the threads: the same bits wherever the sample stands.
#include "kernels/cuda/device.h"
#include "kernels/shapiro_lack.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kThreads = 128;

struct SampleSums {
  double d1, d2, cd;
};

__global__ void __launch_bounds__(kThreads) shapiro_lack_kernel(ShapiroLack op) {
  __shared__ SampleSums part[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t s = blockIdx.x, n = op.offsets[s + 1] - op.offsets[s];
  const double* x = op.values + op.offsets[s];
  const double range = n > 0 ? x[n - 1] - x[0] : __builtin_nan("");
  if (!(range > 0.0 && range <= 1.7976931348623157e308)) {
    if (thread == 0) op.range[s] = range, op.lack[s] = __builtin_nan("");
    return;  // the whole block: nobody waits at a barrier below
  }
  const double* c = op.coefficients + op.coefficient_begin[s];
  const double shift = x[n / 2], scale = shapiro_scale(range);
  SampleSums sum{};
  for (std::int64_t i = thread; i < n; i += kThreads) {
    const double d = (x[i] - shift) * scale;
    sum.d1 += d;
    sum.d2 += d * d;
    sum.cd += d * c[i];
  }
  part[thread] = sum;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    // Without it a thread would add a partner's sums before they are written.
    __syncthreads();
    if (thread < half) {
      part[thread].d1 += part[thread + half].d1;
      part[thread].d2 += part[thread + half].d2;
      part[thread].cd += part[thread + half].cd;
    }
  }
  if (thread != 0) return;
  op.range[s] = range;
  op.lack[s] =
      shapiro_lack_of(static_cast<double>(n), part[0].d1, part[0].d2, part[0].cd, op.coefficient_squares[s]);
}

}  // namespace

void shapiro_lack(const ShapiroLack& op, void* stream) {
  if (op.samples == 0) return;
  check(simt::launch(dim3(static_cast<unsigned>(op.samples)), dim3(kThreads), 0, stream_of(stream),
                     shapiro_lack_kernel, op),
        "shapiro_lack");
}

}  // namespace shoal::KERNEL_NS
