// Covariance: the Gram matrix of a centred matrix, in double precision. Divided by rows - 1 it is the
// covariance of the columns.
#pragma once

#include "kernels/centred_matrix.h"

namespace shoal {

/// gram[i][j] = sum_r c[r][i] c[r][j] over the rows, columns x columns; or, by_rows, gram[i][j] = sum_k
/// c[i][k] c[j][k] over the columns, rows x rows. Both have the same eigenvalues apart from zeros, so a
/// caller takes the smaller.
struct GramTask {
  CentredMatrix x;
  double* gram;  // [size][size], written whole: one triangle is computed and mirrored
  int size;      // columns, or rows when by_rows
  int by_rows;
};

/// A square block of one task's Gram matrix: `edge` of the op rows and columns from (row, column) on, row >=
/// column, both multiples of edge.
struct GramTile {
  int task;
  int row;
  int column;
};

/// Every tile of every task of a batch: one launch serves many matrices. Sums are taken in runs of kGramRun
/// terms, each a chain in ascending order, and the runs are added in ascending order: an element has the same
/// bits whatever the tiles and whoever computes them.
struct Covariance {
  const GramTask* tasks;
  const GramTile* tiles;
  int tile_count;
  double* scratch;  // CPU only: kGramScratch doubles, aligned to 64 bytes
};

constexpr int kGramRun = 128;
/// Edges of the tiles, per machine.
constexpr int kGramEdgeCpu = 192;
constexpr int kGramEdgeDevice = 64;
constexpr int kGramScratch = kGramEdgeCpu * kGramEdgeCpu + 2 * kGramEdgeCpu * kGramRun;

}  // namespace shoal
