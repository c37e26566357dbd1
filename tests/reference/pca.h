// Principal components from their definition, in long double: the covariance by two plain loops, its
// eigenvalues by Jacobi's rotations, reconstructions by projecting. Slow, and for small matrices.
#pragma once

#include <vector>

namespace reference {

using Real = long double;

/// Row-major [rows][columns].
struct Matrix {
  int rows = 0, columns = 0;
  std::vector<Real> values;
  Real at(int r, int c) const { return values[static_cast<std::size_t>(r) * columns + c]; }
  Real& at(int r, int c) { return values[static_cast<std::size_t>(r) * columns + c]; }
};
Matrix zeros(int rows, int columns);

std::vector<Real> column_means(const Matrix&);
Matrix minus(const Matrix&, const std::vector<Real>& means);
Matrix transposed(const Matrix&);
Matrix times(const Matrix&, const Matrix&);

/// Descending; row i of `vectors` belongs to values[i].
struct Eigenpairs {
  std::vector<Real> values;
  Matrix vectors;
};
/// Cyclic Jacobi: Golub & Van Loan, section 8.5.
Eigenpairs jacobi(Matrix symmetric);

/// Of `centred` rows and what the first k `directions` (rows, orthonormal) keep of them: the mean of the
/// squared distances, and of the distances.
struct Distances {
  Real squared = 0, plain = 0;
};
Distances residuals(const Matrix& centred, const Matrix& directions, int k);

}  // namespace reference
