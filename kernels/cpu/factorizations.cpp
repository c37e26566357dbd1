// What LAPACK computes for the CPU machine: see kernels/eigen.h and kernels/orthonormalize.h; and the sums of
// residuals, which have no inner loop worth a vector.
#include "kernels/eigen.h"
#include "kernels/lapack.h"
#include "kernels/orthonormalize.h"
#include "kernels/residuals.h"

namespace shoal::cpu {

void eigen(const Eigen& op, void*) {
  for (int i = 0; i < op.task_count; ++i) {
    const EigenTask& t = op.tasks[i];
    lapack::symmetric_eigen(t.matrix, t.values, t.size, op.vectors != 0);
  }
}

void orthonormalize(const Orthonormalize& op, void*) { lapack::orthonormalize(op.rows, op.count, op.length); }

void residual_sums(const ResidualSums& op, void*) {
  for (int i = 0; i < op.task_count; ++i) {
    const ResidualTask& t = op.tasks[i];
    const std::int64_t blocks = (t.x.rows + op.rows_of_block - 1) / op.rows_of_block;
    const std::int64_t width = 2 * (static_cast<std::int64_t>(t.count) + 1);
    for (std::int64_t j = 0; j < width; ++j) t.totals[j] = 0.0;
    for (std::int64_t b = 0; b < blocks; ++b)
      for (std::int64_t j = 0; j < width; ++j) t.totals[j] += t.partials[b * width + j];
  }
}

}  // namespace shoal::cpu
