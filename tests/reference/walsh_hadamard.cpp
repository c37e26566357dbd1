#include "tests/reference/walsh_hadamard.h"

#include <cstddef>

namespace reference {

std::vector<long double> walsh_hadamard(const std::vector<double>& f) {
  std::vector<long double> w;
  for (std::size_t t = 0; t < f.size(); ++t) {
    long double sum = 0;
    for (std::size_t s = 0; s < f.size(); ++s) {
      bool odd = false;
      for (std::size_t both = s & t; both != 0; both /= 2) odd ^= both % 2 == 1;
      sum += odd ? -static_cast<long double>(f[s]) : static_cast<long double>(f[s]);
    }
    w.push_back(sum);
  }
  return w;
}

}  // namespace reference
