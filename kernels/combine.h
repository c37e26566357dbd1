// Combine: weighted sums of the rows of a centred matrix, in double precision. Takes eigenvectors of the
// rows' Gram matrix to the principal components.
#pragma once

#include "kernels/centred_matrix.h"

namespace shoal {

/// sums[i][j] = sum_r weights[i][r] c[r][j].
struct CombineTask {
  CentredMatrix x;
  const double* weights;  // [count][x.rows]
  double* sums;           // [count][x.columns]
  int count;
};

/// A block of one task's sums from (row, column) on, both multiples of the machine's edge.
struct CombineTile {
  int task;
  int row;
  int column;
};

/// Sums have the order that covariance.h describes.
struct Combine {
  const CombineTask* tasks;
  const CombineTile* tiles;
  int tile_count;
  double* scratch;  // CPU only: kGramScratch doubles, aligned to 64 bytes
};

}  // namespace shoal
