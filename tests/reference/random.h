// Random test data that is the same everywhere (the distributions of the standard library are not).
#pragma once

#include <cstdint>
#include <random>

namespace reference {

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : engine_(seed) {}
  double uniform(double low, double high) {
    return low + (high - low) * (static_cast<double>(engine_() >> 11) * 0x1p-53);
  }
  int below(int limit) { return static_cast<int>(uniform(0.0, limit)); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace reference
