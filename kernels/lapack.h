// LAPACK, found at run time: the library is opened by whoever asks first, and never linked, so that programs
// which need none of it neither load nor require it.
//
// OpenBLAS (libopenblas.so.0) is taken where it is there, else the system's liblapack.so.3. It runs on the
// calling thread alone: its own threads would compete with ours, and its results would depend on their
// number. OpenBLAS 0.3.21 does not know Zen 4 and later processors and takes its AVX2 kernels for them;
// unless OPENBLAS_CORETYPE is set, it is told to take those for AVX-512 where the processor has it.
#pragma once

#include <string>

namespace shoal::lapack {

/// The library's name, e.g. "OpenBLAS SkylakeX". DeviceError, naming the Debian package, when there is none.
std::string description();
/// Why it cannot be used; empty when it can.
std::string why_not();

/// Eigenvalues (ascending) and eigenvectors of a symmetric matrix [n][n], which is overwritten: row i becomes
/// the vector of length 1 that belongs to values[i]; without vectors it becomes anything. LAPACK's dsyevd.
/// DeviceError when it finds none.
void symmetric_eigen(double* matrix, double* values, int n, bool vectors);

/// Rows [count][length], count <= length, become the orthonormal rows of their QR decomposition. LAPACK's
/// dgeqrf and dorgqr.
void orthonormalize(double* rows, int count, int length);

/// Singular values (descending, min(rows, columns) of them) of a matrix [rows][columns], which is
/// overwritten. LAPACK's dgesdd: not used by the ops, but to judge them.
void singular_values(double* matrix, double* values, int rows, int columns);

}  // namespace shoal::lapack
