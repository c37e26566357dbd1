// What single nodes are worth, and which subsets are best: exact, from the table of all subsets.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/subset_table.h"

namespace shoal {

/// Of every node: means over the subsets S without it of f(S with it) - f(S). So where f is a loss, a node
/// that lowers it has a negative value.
///   shapley  sum over S of |S|! (n - 1 - |S|)! / n! times the difference (Shapley 1953): the mean over all
///            orders in which nodes are added. The values of all nodes add up to f(all) - f(none).
///   banzhaf  the mean over all 2^(n-1) subsets S (Banzhaf 1965): E[f | on] - E[f | off] at keep 1/2.
struct NodeValues {
  std::vector<double> shapley, banzhaf;  // [node]
};
NodeValues node_values(const Calculator&, std::span<const double> table);

/// Subsets of one size: mean, and the lowest and the highest value with the first subset that has it.
struct SizeRecord {
  int size = 0;  // nodes that are kept
  double mean = 0;
  double lowest = 0, highest = 0;
  Subset lowest_subset = 0, highest_subset = 0;
};
std::vector<SizeRecord> size_records(const Calculator&, std::span<const double> table);  // size 0 .. n

/// How many subsets have a value below this one's, and how many the same, itself included. With losses the
/// best subset has none below; its rank is `below` + 1.
struct SubsetRank {
  std::int64_t below = 0, equal = 0;
};
SubsetRank rank_of(const Calculator&, std::span<const double> table, Subset);

/// All nodes that this one has not.
inline Subset complement_of(Subset s, int nodes) { return ~s & ((Subset{1} << nodes) - 1); }

}  // namespace shoal
