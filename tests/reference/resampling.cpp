#include "tests/reference/resampling.h"

#include <algorithm>
#include <cmath>

namespace reference {
namespace {

long double below(long double z) { return std::erfc(-z / std::sqrt(2.0L)) / 2; }

/// The z with that share of a normal distribution below it, by halving.
long double normal_quantile(long double share) {
  long double low = -40, high = 40;
  for (int i = 0; i < 200; ++i) {
    const long double middle = (low + high) / 2;
    (below(middle) < share ? low : high) = middle;
  }
  return low;
}

int sign(double d) { return (d > 0) - (d < 0); }

}  // namespace

std::vector<long double> midranks(std::span<const double> sample) {
  std::vector<long double> ranks;
  for (const double value : sample) {
    long double rank = 0.5L;  // the value itself is one of its equals
    for (const double other : sample) rank += other < value ? 1.0L : other == value ? 0.5L : 0.0L;
    ranks.push_back(rank);
  }
  return ranks;
}

double spearman(std::span<const double> x, std::span<const double> y) {
  const std::vector<long double> a = midranks(x), b = midranks(y);
  const long double mean = (static_cast<long double>(a.size()) + 1) / 2;
  long double aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += (a[i] - mean) * (a[i] - mean);
    bb += (b[i] - mean) * (b[i] - mean);
    ab += (a[i] - mean) * (b[i] - mean);
  }
  return static_cast<double>(ab / std::sqrt(aa) / std::sqrt(bb));
}

double kendall_tau_b(std::span<const double> x, std::span<const double> y) {
  long double agreement = 0, in_x = 0, in_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const int a = sign(x[i] - x[j]), b = sign(y[i] - y[j]);
      agreement += a * b;
      in_x += a * a;
      in_y += b * b;
    }
  return static_cast<double>(agreement / std::sqrt(in_x) / std::sqrt(in_y));
}

Limits bca(std::vector<double> replicates, double estimate, std::span<const double> left_out, double level) {
  std::sort(replicates.begin(), replicates.end());
  const auto count = static_cast<long double>(replicates.size());
  long double lower = 0, mean = 0, squares = 0, cubes = 0;
  for (const double value : replicates) lower += value < estimate ? 1.0L : value == estimate ? 0.5L : 0.0L;
  for (const double value : left_out) mean += value / static_cast<long double>(left_out.size());
  for (const double value : left_out) {
    squares += std::pow(mean - value, 2.0L);
    cubes += std::pow(mean - value, 3.0L);
  }
  const long double bias = normal_quantile(lower / count), a = cubes / (6 * std::pow(squares, 1.5L));
  const auto limit = [&](long double share) {
    const long double z = bias + normal_quantile(share);
    const long double at = below(bias + z / (1 - a * z)) * (count - 1);
    const auto place = static_cast<std::size_t>(at);
    const std::size_t next = std::min(place + 1, replicates.size() - 1);
    const long double part = at - static_cast<long double>(place);
    return static_cast<double>((1 - part) * replicates[place] + part * replicates[next]);
  };
  return {limit((1 - level) / 2), limit((1 + level) / 2)};
}

}  // namespace reference
