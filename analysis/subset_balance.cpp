#include "analysis/subset_balance.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "analysis/long_sum.h"
#include "analysis/subset_interactions.h"
#include "analysis/subset_values.h"

namespace shoal {
namespace {

std::size_t size_of(std::size_t s) { return static_cast<std::size_t>(std::popcount(s)); }

/// Values less the mean of their size.
std::vector<double> within_sizes(const Calculator& calculator, std::span<const double> table) {
  const std::vector<SizeRecord> records = size_records(calculator, table);
  std::vector<double> left(table.size());
  for (std::size_t s = 0; s < table.size(); ++s) left[s] = table[s] - records[size_of(s)].mean;
  return left;
}

/// Sum of x[s] y[other(s)].
template <class Other>
double product(const Calculator& calculator, std::span<const double> x, std::span<const double> y,
               const Other& other) {
  LongSum all;
  for (const double part : over_chunks<double>(
           calculator, static_cast<std::int64_t>(x.size()), [&](std::int64_t first, std::int64_t last) {
             LongSum sum;
             for (auto s = static_cast<std::size_t>(first); s < static_cast<std::size_t>(last); ++s)
               sum.add(x[s] * y[other(s)]);
             return sum.value();
           }))
    all.add(part);
  return all.value();
}

const auto kSame = [](std::size_t s) { return s; };

/// A centred table's correlation with its complements.
double complement_correlation(const Calculator& calculator, std::span<const double> centred) {
  const std::size_t last = centred.size() - 1;
  return product(calculator, centred, centred, [=](std::size_t s) { return last - s; }) /
         product(calculator, centred, centred, kSame);
}

double mean_of(const Calculator& calculator, std::span<const double> table) {
  const std::vector<double> ones(table.size(), 1.0);
  return product(calculator, table, ones, kSame) / static_cast<double>(table.size());
}

/// Mean length of the best subsets of `size` nodes over that of all of them.
double best_length(std::span<const double> table, std::span<const double> lengths, std::size_t size) {
  std::vector<std::pair<double, double>> found;  // quantity, length
  for (std::size_t s = 0; s < table.size(); ++s)
    if (size_of(s) == size) found.emplace_back(table[s], lengths[s]);
  std::ranges::sort(found);
  LongSum all, best;
  const std::size_t count = std::max<std::size_t>(1, found.size() / 100);
  for (std::size_t i = 0; i < found.size(); ++i) {
    all.add(found[i].second);
    if (i < count) best.add(found[i].second);
  }
  return best.value() / static_cast<double>(count) / (all.value() / static_cast<double>(found.size()));
}

}  // namespace

std::vector<double> resultant_lengths(const Calculator& calculator, std::span<const double> vectors) {
  const std::size_t nodes = vectors.size() / 2;
  if (vectors.size() % 2 != 0 || nodes < 1 || nodes > kTableNodes)
    throw std::invalid_argument("resultants need two coordinates for each of 1 to " +
                                std::to_string(kTableNodes) + " nodes: there are " +
                                std::to_string(vectors.size()) + " numbers");
  if (!std::ranges::all_of(vectors, [](double x) { return std::isfinite(x); }))
    throw std::invalid_argument("a node's vector is not finite");
  std::vector<double> lengths(std::size_t{1} << nodes);
  over_chunks<char>(
      calculator, static_cast<std::int64_t>(lengths.size()), [&](std::int64_t first, std::int64_t last) {
        for (auto s = static_cast<std::size_t>(first); s < static_cast<std::size_t>(last); ++s) {
          double x = 0, y = 0;
          for (std::size_t rest = s; rest != 0; rest &= rest - 1) {
            const auto node = static_cast<std::size_t>(std::countr_zero(rest));
            x += vectors[2 * node], y += vectors[2 * node + 1];
          }
          lengths[s] = std::hypot(x, y);
        }
        return char{};
      });
  return lengths;
}

SubsetBalance subset_balance(const Calculator& calculator, std::span<const double> table,
                             std::span<const double> lengths) {
  const int nodes = table_nodes(table);
  if (table_nodes(lengths) != nodes)
    throw std::invalid_argument("balance needs as many lengths as values: there are " +
                                std::to_string(lengths.size()) + " and " + std::to_string(table.size()));
  const std::vector<double> quantity = within_sizes(calculator, table),
                            length = within_sizes(calculator, lengths);
  SubsetBalance b;
  b.within_sizes =
      product(calculator, quantity, length, kSame) /
      std::sqrt(product(calculator, quantity, quantity, kSame) * product(calculator, length, length, kSame));
  const std::vector<SizeRecord> sizes = size_records(calculator, lengths);
  const auto half = static_cast<std::size_t>(nodes / 2);
  b.best_length = best_length(table, lengths, half);
  b.full_length = lengths.back() / sizes[half].mean;
  std::vector<double> left(table.begin(), table.end());
  const double mean = mean_of(calculator, table);
  for (double& x : left) x -= mean;
  b.complement = complement_correlation(calculator, left);
  b.complement_within_sizes = complement_correlation(calculator, quantity);
  std::vector<double> squared(lengths.size());
  std::ranges::transform(lengths, squared.begin(), [](double x) { return x * x; });
  squared = within_sizes(calculator, squared);
  const double slope =
      product(calculator, quantity, squared, kSame) / product(calculator, squared, squared, kSame);
  for (std::size_t s = 0; s < left.size(); ++s) left[s] = quantity[s] - slope * squared[s];
  b.complement_left = complement_correlation(calculator, left);
  return b;
}

}  // namespace shoal
