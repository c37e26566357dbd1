// Summary of a small sample, such as one number from each of eleven seeds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace shoal {

/// NaN stands for what a sample does not have: everything of an empty one, sd and standard_error of a single
/// value. A sample that holds a NaN has a NaN mean.
struct Summary {
  std::int64_t count = 0;
  double mean = 0;
  double sd = 0;              // divided by count - 1
  double standard_error = 0;  // of the mean: sd / sqrt(count)
  double min = 0, max = 0;
};

/// Two passes: the mean, then the squared deviations from it.
Summary summarize(std::span<const double> sample);

/// Quantile p of an ascending sample, linear between order statistics: definition 7 of Hyndman & Fan 1996,
/// R's and NumPy's default. p in [0, 1]; NaN for an empty sample.
double quantile(std::span<const double> sorted, double p);

/// A sorted copy.
std::vector<double> sorted(std::span<const double> sample);

}  // namespace shoal
