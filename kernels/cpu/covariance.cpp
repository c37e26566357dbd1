// Gram matrices on the CPU: see kernels/covariance.h. A tile is computed in the core's second-level cache:
// 192 x 192 results and two packed operands of 192 x 128, less than 700 KiB.
#include "kernels/covariance.h"

#include "kernels/cpu/double_product.h"

namespace shoal::SHOAL_LEVEL {
namespace {

constexpr int kEdge = kGramEdgeCpu;
static_assert(kEdge % kPanel == 0);

/// Rows (by_rows) or columns first .. first + extent as panels, for terms k0 .. k0 + depth of the sum.
void pack(const GramTask& task, int first, int extent, std::int64_t k0, int depth, double* to) {
  if (task.by_rows) pack_rows(task.x, first, extent, static_cast<int>(k0), depth, to);
  else pack_columns(task.x, k0, depth, first, extent, to);
}

/// results [kEdge][kEdge] to both triangles; of a tile on the diagonal only its lower one is meant.
void place(const GramTask& task, const GramTile& tile, int rows, int columns, const double* results) {
  const std::int64_t size = task.size;
  for (int i = 0; i < rows; ++i) {
    const int wanted = tile.row == tile.column ? i + 1 : columns;
    double* to = task.gram + (tile.row + i) * size + tile.column;
    for (int j = 0; j < wanted; ++j) to[j] = results[i * kEdge + j];
  }
  for (int j = 0; j < columns; ++j) {
    double* to = task.gram + (tile.column + j) * size + tile.row;
    for (int i = tile.row == tile.column ? j : 0; i < rows; ++i) to[i] = results[i * kEdge + j];
  }
}

void gram_tile(const GramTask& task, const GramTile& tile, double* scratch) {
  double *results = scratch, *left = results + kEdge * kEdge, *right = left + kEdge * kGramRun;
  const bool diagonal = tile.row == tile.column;
  const int rows = smaller(kEdge, task.size - tile.row), columns = smaller(kEdge, task.size - tile.column);
  const std::int64_t terms = task.by_rows ? task.x.columns : task.x.rows;
  for (int i = 0; i < kEdge * kEdge; ++i) results[i] = 0.0;
  for (std::int64_t k0 = 0; k0 < terms; k0 += kGramRun) {
    const int depth = static_cast<int>(terms - k0 < kGramRun ? terms - k0 : kGramRun);
    const long panel = static_cast<long>(depth) * kPanel;
    pack(task, tile.row, rows, k0, depth, left);
    if (!diagonal) pack(task, tile.column, columns, k0, depth, right);
    const double* b = diagonal ? left : right;
    for (int q = 0; q < panels_of(columns); ++q)
      for (int p = diagonal ? q : 0; p < panels_of(rows); ++p)
        add_panels(left + p * panel, b + q * panel, depth, results + (p * kEdge + q) * kPanel, kEdge);
  }
  place(task, tile, rows, columns, results);
}

}  // namespace

void covariance(const Covariance& op, void*) {
  for (int i = 0; i < op.tile_count; ++i) gram_tile(op.tasks[op.tiles[i].task], op.tiles[i], op.scratch);
}

}  // namespace shoal::SHOAL_LEVEL
