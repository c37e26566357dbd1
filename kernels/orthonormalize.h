// Orthonormalize: rows of length 1 at right angles, each in the span of the rows given up to it, by
// Householder's QR decomposition: LAPACK's dgeqrf and dorgqr on the CPU, cuSOLVER's on a GPU.
#pragma once

namespace shoal {

/// Where a row is (nearly) a combination of those before it, its direction is anybody's, but still at right
/// angles. Signs may change. Ended when it returns; DeviceError as for Eigen.
struct Orthonormalize {
  double* rows;  // [count][length] on the machine, in place
  int count;     // <= length
  int length;
};

}  // namespace shoal
