// FitMixtures on the CPU: see kernels/mixture.h. An E-step is one pass over the sample, a value a lane. It
// needs one exp and one division a value, and a logarithm only every thousand values, because
//   sum log1p(e) = log prod (1 + e),  1 < 1 + e <= 2.
#include "kernels/cpu/exp.h"

namespace shoal::SHOAL_LEVEL {
namespace {

static_assert(kMixtureAlignment % kDoubles == 0);
/// Vectors after which the product of all lanes, at most 2^(kDoubles * kRun), is turned into a logarithm.
constexpr std::int64_t kRun = 960 / kDoubles;

template <MixtureKind kind>
struct EStep {
  static constexpr bool kGammas = kind == MixtureKind::gamma_gamma;
  static constexpr bool kFirstIsNormal = kind == MixtureKind::normal_normal;

  D offset[2], a[2], b[2], c[2];
  D count[2] = {}, u[2] = {}, v[2] = {}, larger = 0.0, product = 1.0;

  explicit SHOAL_INLINE EStep(const MixtureTerms& t) {
    for (int j = 0; j < 2; ++j) offset[j] = t.offset[j], a[j] = t.a[j], b[j] = t.b[j], c[j] = t.c[j];
  }

  SHOAL_INLINE D log_density(int j, D x, D log_x, D* uj, D* vj) const {
    if constexpr (kGammas) {
      *uj = x;
      *vj = log_x;
      return a[j] + b[j] * x + c[j] * log_x;
    } else if (j == 1 || kFirstIsNormal) {
      *uj = x - offset[j];
      *vj = *uj * *uj;
      return a[j] + c[j] * *vj;
    } else {
      *uj = x;
      *vj = 0.0;
      return a[j] + b[j] * x;
    }
  }

  /// `inside` is 1 for values of the sample and 0 behind its end.
  template <bool whole>
  SHOAL_INLINE void add(D x, D log_x, D inside) {
    D u0, u1, v0, v1;
    const D l0 = log_density(0, x, log_x, &u0, &v0), l1 = log_density(1, x, log_x, &u1, &v1);
    D e = exp_of_negative(-stdx::abs(l0 - l1));
    D q = D(1.0) / (D(1.0) + e);
    D high = stdx::max(l0, l1), low = e * q;
    if constexpr (!whole) {
      e *= inside;
      high *= inside;
      low *= inside;
      q *= inside;
    }
    D r0 = q, r1 = low;
    stdx::where(l0 < l1, r0) = low;
    stdx::where(l0 < l1, r1) = q;
    larger += high;
    product *= D(1.0) + e;
    count[0] += r0;
    count[1] += r1;
    u[0] += r0 * u0;
    u[1] += r1 * u1;
    v[0] += r0 * v0;
    v[1] += r1 * v1;
  }
};

/// Lanes in ascending order.
SHOAL_INLINE double sum_of(D x) {
  double sum = 0.0;
  for (int i = 0; i < kDoubles; ++i) sum += x[i];
  return sum;
}

template <MixtureKind kind>
inline MixtureSums e_step(const MixtureTerms& terms, const double* values, const double* log_values,
                          std::int64_t count) {
  EStep<kind> step(terms);
  double logs = 0.0;
  const auto end_of_run = [&] {
    double product = 1.0;
    for (int i = 0; i < kDoubles; ++i) product *= step.product[i];
    logs += log(product);
    step.product = 1.0;
  };
  const auto load = [](const double* p) { return D(p, stdx::vector_aligned); };
  const std::int64_t whole = count / kDoubles;
  for (std::int64_t run = 0; run < whole; run += kRun) {
    const std::int64_t end = run + kRun < whole ? run + kRun : whole;
    for (std::int64_t i = run * kDoubles; i < end * kDoubles; i += kDoubles)
      step.template add<true>(load(values + i), EStep<kind>::kGammas ? load(log_values + i) : D(0.0), D(1.0));
    if (end < whole) end_of_run();
  }
  if (const std::int64_t i = whole * kDoubles; i < count) {
    const D lane([](int l) { return static_cast<double>(l); });
    D inside = 0.0;
    stdx::where(lane < D(static_cast<double>(count - i)), inside) = D(1.0);
    step.template add<false>(load(values + i), EStep<kind>::kGammas ? load(log_values + i) : D(0.0), inside);
  }
  end_of_run();
  MixtureSums sums;
  for (int j = 0; j < 2; ++j) {
    sums.count[j] = sum_of(step.count[j]);
    sums.u[j] = sum_of(step.u[j]);
    sums.v[j] = sum_of(step.v[j]);
  }
  sums.log_likelihood = sum_of(step.larger) + logs;
  return sums;
}

template <MixtureKind kind>
void fit_all(const FitMixtures& op) {
  for (int i = 0; i < op.task_count; ++i) {
    const MixtureTask& task = op.tasks[i];
    const double* values = op.values + task.begin;
    const double* log_values = op.log_values ? op.log_values + task.begin : nullptr;
    double* trace = op.trace ? op.trace + static_cast<std::int64_t>(i) * op.max_iterations : nullptr;
    MixtureWalk walk = begin_walk(task.start);
    bool more = true;
    for (int pass = 0; pass < op.max_iterations; ++pass) {
      if (more) {
        const MixtureSums sums =
            e_step<kind>(mixture_terms(kind, walk.current), values, log_values, task.count);
        more = advance_mixture(kind, task.bounds, sums, op.tolerance, op.accelerate, &walk);
        if (trace) trace[pass] = accepted_value(walk);
      } else if (trace) {
        trace[pass] = __builtin_nan("");
      } else {
        break;
      }
    }
    op.results[i] = {accepted_parameters(walk), accepted_value(walk), walk.iterations, walk.converged};
  }
}

}  // namespace

void fit_mixtures(const FitMixtures& op, void*) {
  switch (op.kind) {
    case MixtureKind::exp_normal: fit_all<MixtureKind::exp_normal>(op); break;
    case MixtureKind::gamma_gamma: fit_all<MixtureKind::gamma_gamma>(op); break;
    case MixtureKind::normal_normal: fit_all<MixtureKind::normal_normal>(op); break;
  }
}

}  // namespace shoal::SHOAL_LEVEL
