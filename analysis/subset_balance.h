// Whether subsets whose nodes balance one another are good ones. Every node has a vector (where in the plane
// of the inputs it pushes the output, and how strongly); the resultant of a subset is the sum over its nodes,
// and its length 0 where they are balanced. Uniform over all subsets (keep 1/2).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/subset_table.h"

namespace shoal {

/// Lengths of the resultants of all subsets: |sum over the nodes kept of (x_i, y_i)|, vectors [node][2]. Each
/// right to some roundings of the sum of the nodes' lengths. std::invalid_argument for more than 24 nodes,
/// none, an odd number of coordinates or numbers that are not finite.
std::vector<double> resultant_lengths(const Calculator&, std::span<const double> vectors);

/// What lengths have to do with a quantity (a log loss), n being the number of nodes.
struct SubsetBalance {
  /// Pearson's correlation of length and quantity, both as differences from the mean of their size: more
  /// nodes are better and have longer resultants, whether balanced or not. Positive: the balanced ones are
  /// lower.
  double within_sizes = 0;
  /// Mean length of the lowest 1 % (at least one) of the subsets of n / 2 nodes, as a share of the mean of
  /// all of that size.
  double best_length = 0;
  double full_length = 0;  // of the set of all nodes, in the same unit
  /// Correlation of a subset's quantity with its complement's; and of what is left of it after its mean by
  /// size, and the line in squared length about that, are taken away. Where balance is why complements
  /// resemble each other, nothing positive is left.
  double complement = 0, complement_within_sizes = 0, complement_left = 0;
};
/// NaN where nothing varies. std::invalid_argument unless both are tables of one size.
SubsetBalance subset_balance(const Calculator&, std::span<const double> table,
                             std::span<const double> lengths);

}  // namespace shoal
