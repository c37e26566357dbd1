// Eigen and Orthonormalize for the emulation, where device memory is host memory: LAPACK in cuSOLVER's place.
#include "kernels/cuda/launchers.h"
#include "kernels/lapack.h"
#include "kernels/simt/host.h"

namespace shoal::emu {

void eigen(const Eigen& op, void*) {
  for (int i = 0; i < op.task_count; ++i) {
    const EigenTask& t = op.tasks[i];
    lapack::symmetric_eigen(t.matrix, t.values, t.size, op.vectors != 0);
    simt::mark_initialised(t.values, static_cast<std::size_t>(t.size) * sizeof(double));
  }
}

void orthonormalize(const Orthonormalize& op, void*) { lapack::orthonormalize(op.rows, op.count, op.length); }

}  // namespace shoal::emu
