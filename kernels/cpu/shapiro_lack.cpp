// ShapiroLack on the CPU (kernels/shapiro_lack.h).
#include "kernels/shapiro_lack.h"
#include "kernels/cpu/statistics_level.h"

namespace shoal::SHOAL_LEVEL {
namespace {

constexpr int kSums = 4;  // vectors of partial sums: enough that none waits for the one before

struct SampleSums {
  double d1, d2, cd;
};

/// Sums over d = (x - shift) * scale. The order depends on n and nothing else.
SampleSums sums_of(const double* x, const double* c, std::int64_t n, double shift, double scale) {
  D d1[kSums] = {}, d2[kSums] = {}, cd[kSums] = {};
  std::int64_t i = 0;
  for (; i + kSums * kDoubles <= n; i += kSums * kDoubles)
    for (int k = 0; k < kSums; ++k) {
      const D d = (D(x + i + k * kDoubles, stdx::element_aligned) - D(shift)) * D(scale);
      d1[k] += d;
      d2[k] += d * d;
      cd[k] += d * D(c + i + k * kDoubles, stdx::element_aligned);
    }
  SampleSums s{};
  for (; i < n; ++i) {
    const double d = (x[i] - shift) * scale;
    s.d1 += d;
    s.d2 += d * d;
    s.cd += d * c[i];
  }
  s.d1 += stdx::reduce((d1[0] + d1[1]) + (d1[2] + d1[3]));
  s.d2 += stdx::reduce((d2[0] + d2[1]) + (d2[2] + d2[3]));
  s.cd += stdx::reduce((cd[0] + cd[1]) + (cd[2] + cd[3]));
  return s;
}

}  // namespace

void shapiro_lack(const ShapiroLack& op, void*) {
  for (std::int64_t s = 0; s < op.samples; ++s) {
    const double* x = op.values + op.offsets[s];
    const std::int64_t n = op.offsets[s + 1] - op.offsets[s];
    const double range = n > 0 ? x[n - 1] - x[0] : __builtin_nan("");
    op.range[s] = range;
    op.lack[s] = __builtin_nan("");
    if (!(range > 0.0 && range <= __DBL_MAX__)) continue;
    const SampleSums sums =
        sums_of(x, op.coefficients + op.coefficient_begin[s], n, x[n / 2], shapiro_scale(range));
    op.lack[s] =
        shapiro_lack_of(static_cast<double>(n), sums.d1, sums.d2, sums.cd, op.coefficient_squares[s]);
  }
}

}  // namespace shoal::SHOAL_LEVEL
