// The vector functions at the level this file is compiled for, callable from a test.
#include "kernels/cpu/exp.h"
#include "kernels/cpu/exp_floats.h"
#include "kernels/cpu/log1p.h"

namespace shoal::SHOAL_LEVEL {

/// count must be a multiple of 8.
void test_exp(const double* x, double* y, long count) {
  for (long i = 0; i < count; i += kDoubles)
    exp_of_negative(D(x + i, stdx::element_aligned)).copy_to(y + i, stdx::element_aligned);
}

/// count must be a multiple of 16.
void test_exp(const float* x, float* y, long count) {
  for (long i = 0; i < count; i += kLanes)
    exp_nonpositive(V(x + i, stdx::element_aligned)).copy_to(y + i, stdx::element_aligned);
}
void test_log1p(const double* x, double* y, long count) {
  for (long i = 0; i < count; i += kDoubles)
    log1p_of<double>(D(x + i, stdx::element_aligned)).copy_to(y + i, stdx::element_aligned);
}
void test_log1p(const float* x, float* y, long count) {
  for (long i = 0; i < count; i += kLanes)
    log1p_of<float>(V(x + i, stdx::element_aligned)).copy_to(y + i, stdx::element_aligned);
}

}  // namespace shoal::SHOAL_LEVEL
