#include "analysis/subset_values.h"

#include <array>
#include <bit>
#include <limits>
#include <stdexcept>
#include <string>

#include "analysis/long_sum.h"
#include "analysis/subset_interactions.h"

namespace shoal {
namespace {

using BySize = std::array<double, kTableNodes>;

/// Sums of f(s with the node) - f(s), by the size of s, over the subsets first .. last - 1 without it.
BySize differences(std::span<const double> table, int node, std::int64_t first, std::int64_t last) {
  const Subset bit = Subset{1} << node;
  BySize sums{};
  for (auto s = static_cast<Subset>(first); s < static_cast<Subset>(last); ++s)
    if (!(s & bit)) sums[static_cast<std::size_t>(std::popcount(s))] += table[s | bit] - table[s];
  return sums;
}

/// Sizes' records and sums of a chunk; count 0: none there.
struct ChunkRecords {
  struct Of {
    LongSum sum;
    double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
    Subset lowest_subset = 0, highest_subset = 0;
  };
  std::array<Of, kTableNodes + 1> sizes;
};

ChunkRecords chunk_records(std::span<const double> table, std::int64_t first, std::int64_t last) {
  ChunkRecords r;
  for (auto s = static_cast<Subset>(first); s < static_cast<Subset>(last); ++s) {
    auto& of = r.sizes[static_cast<std::size_t>(std::popcount(s))];
    of.sum.add(table[s]);
    if (table[s] < of.lowest) of.lowest = table[s], of.lowest_subset = s;
    if (table[s] > of.highest) of.highest = table[s], of.highest_subset = s;
  }
  return r;
}

}  // namespace

NodeValues node_values(const Calculator& calculator, std::span<const double> table) {
  const int nodes = table_nodes(table);
  NodeValues values;
  for (int node = 0; node < nodes; ++node) {
    const auto parts = over_chunks<BySize>(
        calculator, static_cast<std::int64_t>(table.size()),
        [&](std::int64_t first, std::int64_t last) { return differences(table, node, first, last); });
    LongSum shapley, banzhaf;
    for (int size = 0; size < nodes; ++size) {
      LongSum of_size;
      for (const BySize& part : parts) of_size.add(part[static_cast<std::size_t>(size)]);
      // k! (n - 1 - k)! / n! = 1 / (n C(n - 1, k))
      shapley.add(of_size.value() /
                  (static_cast<double>(nodes) * static_cast<double>(binomial(nodes - 1, size))));
      banzhaf.add(of_size.value());
    }
    values.shapley.push_back(shapley.value());
    values.banzhaf.push_back(banzhaf.value() / static_cast<double>(table.size() / 2));
  }
  return values;
}

std::vector<SizeRecord> size_records(const Calculator& calculator, std::span<const double> table) {
  const int nodes = table_nodes(table);
  const auto parts = over_chunks<ChunkRecords>(
      calculator, static_cast<std::int64_t>(table.size()),
      [&](std::int64_t first, std::int64_t last) { return chunk_records(table, first, last); });
  std::vector<SizeRecord> records;
  for (int size = 0; size <= nodes; ++size) {
    ChunkRecords::Of all;
    for (const ChunkRecords& part : parts) {
      const auto& of = part.sizes[static_cast<std::size_t>(size)];
      all.sum.add(of.sum);
      if (of.lowest < all.lowest) all.lowest = of.lowest, all.lowest_subset = of.lowest_subset;
      if (of.highest > all.highest) all.highest = of.highest, all.highest_subset = of.highest_subset;
    }
    records.push_back({size, all.sum.value() / static_cast<double>(binomial(nodes, size)), all.lowest,
                       all.highest, all.lowest_subset, all.highest_subset});
  }
  return records;
}

SubsetRank rank_of(const Calculator& calculator, std::span<const double> table, Subset subset) {
  const int nodes = table_nodes(table);
  if (subset >= table.size())
    throw std::invalid_argument("subset " + std::to_string(subset) + " is not one of " +
                                std::to_string(nodes) + " nodes");
  const double value = table[subset];
  SubsetRank all;
  for (const SubsetRank& part : over_chunks<SubsetRank>(
           calculator, static_cast<std::int64_t>(table.size()), [&](std::int64_t first, std::int64_t last) {
             SubsetRank r;
             for (auto s = static_cast<std::size_t>(first); s < static_cast<std::size_t>(last); ++s)
               r.below += table[s] < value, r.equal += table[s] == value;
             return r;
           }))
    all.below += part.below, all.equal += part.equal;
  return all;
}

}  // namespace shoal
