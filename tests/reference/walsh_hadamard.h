// The Walsh-Hadamard transform by its definition, all 4^n terms of it.
#pragma once

#include <vector>

namespace reference {

/// W[t] = sum_s (-1)^popcount(s & t) f(s)
std::vector<long double> walsh_hadamard(const std::vector<double>& f);

}  // namespace reference
