// Eigen: eigenvalues and eigenvectors of symmetric matrices, by LAPACK's dsyevd on the CPU and by cuSOLVER on
// a GPU.
#pragma once

namespace shoal {

struct EigenTask {
  double* matrix;  // [size][size] symmetric, on the machine; becomes the eigenvectors (or anything, without
                   // vectors): row i belongs to values[i] and has length 1, its sign is anybody's
  double* values;  // [size] on the machine: ascending
  int size;
};

/// Sizes may differ from task to task. `tasks` is in host memory on every machine, and the op has ended when
/// it returns: the libraries want to know sizes, and say how it went. DeviceError when the library is not
/// there or finds no solution (a matrix with a NaN in it).
struct Eigen {
  const EigenTask* tasks;
  int task_count;
  int vectors;  // 0: values only
};

}  // namespace shoal
