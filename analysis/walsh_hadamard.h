// The Walsh-Hadamard transform of a table.
#pragma once

#include <span>

#include "analysis/calculator.h"

namespace shoal {

/// values[t] becomes sum_s (-1)^popcount(s & t) values[s], not normalised: kernels/walsh_hadamard.h. The same
/// bits on every machine and any number of threads. std::invalid_argument unless there are 2^n values, n >=
/// 0.
void walsh_hadamard(const Calculator&, std::span<double> values);

}  // namespace shoal
