// FitMixtures (kernels/mixture.h): a block walks one fit to its end. Its threads share an E-step, every
// kThreads-th value each, then a tree over the threads; the first thread takes the M-step and chooses the
// next parameters. Always the same tree, so always the same bits.
#include "kernels/cuda/device.h"
#include "kernels/mixture.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kThreads = 128;
/// Factors of at most 2 that a product takes before it is turned into a logarithm.
constexpr int kRun = 512;
/// count, u and v of both components, and the log-likelihood.
constexpr int kSums = 7;

template <MixtureKind kind>
__device__ __forceinline__ double log_density(const MixtureTerms& t, int j, double x, double log_x, double* u,
                                              double* v) {
  *u = x - t.offset[j];
  *v = kind == MixtureKind::gamma_gamma ? log_x : *u * *u;
  return t.a[j] + t.b[j] * *u + t.c[j] * *v;
}

/// This thread's part of an E-step: sum log1p(e) = log prod (1 + e), so that a value needs one exponential
/// and no logarithm.
template <MixtureKind kind>
__device__ __forceinline__ void partial_sums(const MixtureTerms& t, const double* values,
                                             const double* log_values, std::int64_t count, double* sum) {
  double larger = 0.0, product = 1.0, logs = 0.0;
  int factors = 0;
  for (int i = 0; i < kSums; ++i) sum[i] = 0.0;
  for (std::int64_t i = threadIdx.x; i < count; i += kThreads) {
    double u0, u1, v0, v1;
    const double x = values[i], log_x = kind == MixtureKind::gamma_gamma ? log_values[i] : 0.0;
    const double l0 = log_density<kind>(t, 0, x, log_x, &u0, &v0),
                 l1 = log_density<kind>(t, 1, x, log_x, &u1, &v1);
    const double e = exp(-fabs(l0 - l1)), q = 1.0 / (1.0 + e), low = e * q;
    const double r0 = l0 < l1 ? low : q, r1 = l0 < l1 ? q : low;
    larger += l0 < l1 ? l1 : l0;
    product *= 1.0 + e;
    if (++factors == kRun) {
      logs += log(product);
      product = 1.0;
      factors = 0;
    }
    sum[0] += r0;
    sum[1] += r1;
    sum[2] += r0 * u0;
    sum[3] += r1 * u1;
    sum[4] += r0 * v0;
    sum[5] += r1 * v1;
  }
  sum[6] = larger + (logs + log(product));
}

template <MixtureKind kind>
__global__ void __launch_bounds__(kThreads) fit_mixtures_kernel(FitMixtures op) {
  __shared__ double part[kSums][kThreads];
  __shared__ MixtureTerms terms;
  __shared__ MixtureWalk walk;
  __shared__ int more;
  const int thread = static_cast<int>(threadIdx.x), i = static_cast<int>(blockIdx.x);
  const MixtureTask& task = op.tasks[i];
  const double* values = op.values + task.begin;
  const double* log_values = kind == MixtureKind::gamma_gamma ? op.log_values + task.begin : nullptr;
  double* trace = op.trace ? op.trace + static_cast<std::int64_t>(i) * op.max_iterations : nullptr;
  if (thread == 0) {
    walk = begin_walk(task.start);
    terms = mixture_terms(kind, walk.current);
    more = 1;
  }
  for (int pass = 0; pass < op.max_iterations; ++pass) {
    // Without it a thread would read the terms of the pass before, or write its part while the first thread
    // still reads the sums of that pass.
    __syncthreads();
    if (!more) break;
    double sum[kSums];
    partial_sums<kind>(terms, values, log_values, task.count, sum);
    for (int s = 0; s < kSums; ++s) part[s][thread] = sum[s];
    for (int half = kThreads / 2; half > 0; half /= 2) {
      // Without it a thread would add a partner's part that is not written yet.
      __syncthreads();
      if (thread < half)
        for (int s = 0; s < kSums; ++s) part[s][thread] += part[s][thread + half];
    }
    if (thread == 0) {
      const MixtureSums sums{
          {part[0][0], part[1][0]}, {part[2][0], part[3][0]}, {part[4][0], part[5][0]}, part[6][0]};
      more = advance_mixture(kind, task.bounds, sums, op.tolerance, op.accelerate, &walk);
      if (more) terms = mixture_terms(kind, walk.current);
      if (trace) trace[pass] = accepted_value(walk);
    }
  }
  if (thread != 0) return;
  op.results[i] = {accepted_parameters(walk), accepted_value(walk), walk.iterations, walk.converged};
  if (trace)
    for (int pass = walk.iterations; pass < op.max_iterations; ++pass) trace[pass] = nan("");
}

}  // namespace

void fit_mixtures(const FitMixtures& op, void* stream) {
  if (op.task_count == 0) return;
  const dim3 grid(static_cast<unsigned>(op.task_count)), block(kThreads);
  const simt::Stream s = stream_of(stream);
  switch (op.kind) {
    case MixtureKind::exp_normal:
      check(simt::launch(grid, block, 0, s, fit_mixtures_kernel<MixtureKind::exp_normal>, op),
            "fit_mixtures");
      break;
    case MixtureKind::gamma_gamma:
      check(simt::launch(grid, block, 0, s, fit_mixtures_kernel<MixtureKind::gamma_gamma>, op),
            "fit_mixtures");
      break;
    case MixtureKind::normal_normal:
      check(simt::launch(grid, block, 0, s, fit_mixtures_kernel<MixtureKind::normal_normal>, op),
            "fit_mixtures");
      break;
  }
}

}  // namespace shoal::KERNEL_NS
