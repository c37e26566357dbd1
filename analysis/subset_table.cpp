#include "analysis/subset_table.h"

#include <bit>
#include <cmath>
#include <stdexcept>
#include <string>

namespace shoal {
namespace {

constexpr std::size_t kRun = 64;

/// Products over `nodes` nodes: [2^nodes].
std::vector<double> products(std::span<const double> keep) {
  std::vector<double> all{1.0};
  for (const double p : keep) {
    const std::size_t size = all.size();
    for (std::size_t s = 0; s < size; ++s) all.push_back(all[s] * p);
    for (std::size_t s = 0; s < size; ++s) all[s] *= 1 - p;
  }
  return all;
}

/// The sum of term(i) for i < count, in runs.
template <class Term>
double sum_in_runs(std::size_t count, const Term& term) {
  double sum = 0;
  for (std::size_t first = 0; first < count; first += kRun) {
    double run = 0;
    for (std::size_t i = first; i < std::min(first + kRun, count); ++i) run += term(i);
    sum += run;
  }
  return sum;
}

void add_powers(PowerSums& sums, double d, double w) {
  const double first = w * d, second = first * d, third = second * d;
  sums.d1 += first, sums.d2 += second, sums.d3 += third, sums.d4 += third * d;
}

PowerSums powers_in_runs(std::span<const double> values, std::span<const double> weights, double shift) {
  PowerSums sums{};
  for (std::size_t first = 0; first < values.size(); first += kRun) {
    PowerSums run{};
    for (std::size_t i = first; i < std::min(first + kRun, values.size()); ++i)
      add_powers(run, values[i] - shift, weights[i]);
    sums.d1 += run.d1, sums.d2 += run.d2, sums.d3 += run.d3, sums.d4 += run.d4;
  }
  return sums;
}

}  // namespace

int table_nodes(std::span<const double> table) {
  if (!std::has_single_bit(table.size()) || table.size() == 1)
    throw std::invalid_argument("a table of subsets has 2^n values for n >= 1: there are " +
                                std::to_string(table.size()));
  const int nodes = std::countr_zero(table.size());
  if (nodes > kTableNodes)
    throw std::invalid_argument("tables have at most 2^" + std::to_string(kTableNodes) + " subsets, not 2^" +
                                std::to_string(nodes));
  for (std::size_t s = 0; s < table.size(); ++s)
    if (!std::isfinite(table[s]))
      throw std::invalid_argument("the value of subset " + std::to_string(s) + " is not finite");
  return nodes;
}

std::vector<double> log_table(const Calculator& calculator, std::span<const double> table) {
  table_nodes(table);
  const auto lowest = std::ranges::min_element(table);
  if (!(*lowest > 0))
    throw std::invalid_argument("the value of subset " + std::to_string(lowest - table.begin()) + " is " +
                                std::to_string(*lowest) + ": it has no logarithm");
  std::vector<double> logs(table.size());
  over_chunks<char>(calculator, static_cast<std::int64_t>(table.size()),
                    [&](std::int64_t first, std::int64_t last) {
                      std::transform(table.begin() + first, table.begin() + last, logs.begin() + first,
                                     [](double x) { return std::log(x); });
                      return char{};
                    });
  return logs;
}

KeepWeights::KeepWeights(std::span<const double> keep) : nodes_(static_cast<int>(keep.size())) {
  if (keep.empty() || keep.size() > kTableNodes)
    throw std::invalid_argument("subsets of 1 to " + std::to_string(kTableNodes) +
                                " nodes have weights, not of " + std::to_string(keep.size()));
  for (const double p : keep)
    if (!(p >= 0 && p <= 1))
      throw std::invalid_argument("the probability of keeping a node is between 0 and 1, not " +
                                  std::to_string(p));
  low_bits_ = (nodes_ + 1) / 2;
  low_mask_ = (Subset{1} << low_bits_) - 1;
  low_ = products(keep.first(static_cast<std::size_t>(low_bits_)));
  high_ = products(keep.subspan(static_cast<std::size_t>(low_bits_)));
}

KeepWeights::KeepWeights(int nodes, double keep)
    : KeepWeights(std::vector<double>(static_cast<std::size_t>(std::max(nodes, 0)), keep)) {}

ShapeMoments weighted_shape(std::span<const double> values, std::span<const double> weights) {
  ShapeMoments m = empty_shape();
  double zeros = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (weights[i] == 0) continue;
    m.min = min_or_nan(m.min, values[i]), m.max = max_or_nan(m.max, values[i]);
    if (values[i] == 0) zeros += weights[i];
  }
  const double total = sum_in_runs(values.size(), [&](std::size_t i) { return weights[i]; });
  if (!(total > 0)) return empty_shape();
  // About its middle first, so that an offset is gone before anything is summed.
  const double middle = 0.5 * m.min + 0.5 * m.max;
  const double mean = middle + sum_in_runs(values.size(), [&](std::size_t i) {
                                 return weights[i] * (values[i] - middle);
                               }) / total;
  ShapeMoments shape = shape_of_sums(total, mean, powers_in_runs(values, weights, mean));
  shape.zeros = zeros, shape.min = m.min, shape.max = m.max;
  return shape;
}

ShapeMoments merge_all(std::vector<ShapeMoments> parts) {
  if (parts.empty()) return empty_shape();
  while (parts.size() > 1) {
    const std::size_t half = (parts.size() + 1) / 2;
    for (std::size_t i = 0; i + half < parts.size(); ++i) parts[i] = merge(parts[i], parts[i + half]);
    parts.resize(half);
  }
  return parts.front();
}

}  // namespace shoal
