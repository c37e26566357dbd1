// Residuals: how far samples are from what the first k principal components keep of them, for every k at
// once.
#pragma once

#include "kernels/centred_matrix.h"

namespace shoal {

/// Directions are orthonormal and span the samples' differences from the mean: then the squared distance
/// between a sample and its projection on the first k of them is the sum of the squares of its scores on all
/// others. Those are added from the last to the k-th, so nothing cancels, however small the rest is.
///
///   score t[r][i] = <x[r] - mean, direction i>,   squares[k] = sum_r sum_{i >= k} t[r][i]^2,
///   distances[k] = sum_r sqrt(sum_{i >= k} t[r][i]^2),   k = 0 .. count (there both are 0)
struct ResidualTask {
  CentredMatrix x;
  const double* directions;  // [count][columns]; by_columns: [columns][count]
  int count;
  int by_columns;    // 1: direction i is column i of the array
  double* partials;  // [blocks][2][count + 1] squares and distances of each block of rows
  double* totals;    // [2][count + 1]
};

/// A block of rows of one task, beginning with `row`: a multiple of the machine's kResidualRows.
struct ResidualBlock {
  int task;
  std::int64_t row;
};

/// Writes the partials of its blocks. Sums over the rows of a block have one order.
struct Residuals {
  const ResidualTask* tasks;
  const ResidualBlock* blocks;
  int block_count;
  double* scratch;  // CPU only: residual_scratch(largest count, largest columns) doubles, aligned to 64 bytes
};

/// totals = the sum of the partials over a task's blocks, in ascending order; after all blocks are done.
struct ResidualSums {
  const ResidualTask* tasks;
  int task_count;
  int rows_of_block;
};

constexpr int kResidualRowsCpu = 384;
constexpr int kResidualRowsDevice = 32;
constexpr int kResidualRun = 128;  // terms of a score that are added at a time
constexpr int kMostPanel = 24;     // directions that the CPU takes at a time, at the level that takes most
SHOAL_INLINE std::int64_t residual_scratch(int count) {
  const std::int64_t directions = (count + kMostPanel - 1) / kMostPanel * kMostPanel;
  return directions * kResidualRowsCpu + (kResidualRowsCpu + kMostPanel) * kResidualRun + kResidualRowsCpu;
}

}  // namespace shoal
