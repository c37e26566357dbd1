// exp_of_negative at the level this file is compiled for, callable from a test.
#include "kernels/cpu/exp.h"

namespace shoal::SHOAL_LEVEL {

/// count must be a multiple of 8.
void test_exp(const double* x, double* y, long count) {
  for (long i = 0; i < count; i += kDoubles)
    exp_of_negative(D(x + i, stdx::element_aligned)).copy_to(y + i, stdx::element_aligned);
}

}  // namespace shoal::SHOAL_LEVEL
