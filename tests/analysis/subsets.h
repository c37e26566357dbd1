// Tables of subsets, and what is asked of them, by definition: plain loops over all subsets, in long double.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/reference/random.h"

namespace shoal::test {

using Real = long double;

/// Positive values with a spread like that of losses: the more nodes the lower, and noise.
inline std::vector<double> made_up_table(int nodes, std::uint64_t seed = 1) {
  reference::Draws draws(seed);
  std::vector<double> table, effect;
  for (int i = 0; i < nodes; ++i) effect.push_back(draws.uniform(-0.4, 0.1));
  for (unsigned s = 0; s < 1u << nodes; ++s) {
    double log_loss = draws.uniform(-0.3, 0.3);
    for (int i = 0; i < nodes; ++i)
      if (s >> i & 1) log_loss += effect[static_cast<std::size_t>(i)];
    table.push_back(std::exp(log_loss));
  }
  return table;
}

inline std::vector<double> made_up_keep(int nodes, std::uint64_t seed = 2) {
  reference::Draws draws(seed);
  std::vector<double> keep;
  for (int i = 0; i < nodes; ++i) keep.push_back(draws.uniform(0.0, 1.0));
  return keep;
}

inline int size_of(unsigned s) {
  int size = 0;
  for (; s != 0; s /= 2) size += static_cast<int>(s % 2);
  return size;
}

inline Real weight_of(unsigned s, const std::vector<double>& keep) {
  Real w = 1;
  for (std::size_t i = 0; i < keep.size(); ++i)
    w *= s >> i & 1 ? static_cast<Real>(keep[i]) : 1 - static_cast<Real>(keep[i]);
  return w;
}

/// E[(f - about)^power]
inline Real power_mean(const std::vector<double>& table, const std::vector<double>& keep, Real about,
                       int power) {
  Real sum = 0;
  for (unsigned s = 0; s < table.size(); ++s)
    sum += weight_of(s, keep) * std::pow(static_cast<Real>(table[s]) - about, static_cast<Real>(power));
  return sum;
}

/// Both within some roundings of `scale`.
inline bool near(double actual, Real expected, Real scale, double roundings = 64) {
  return std::isfinite(actual) &&
         std::abs(static_cast<Real>(actual) - expected) <= roundings * 0x1p-53L * scale;
}

}  // namespace shoal::test
