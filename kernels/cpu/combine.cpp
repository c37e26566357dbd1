// Weighted sums of rows on the CPU: see kernels/combine.h.
#include "kernels/combine.h"

#include "kernels/covariance.h"
#include "kernels/cpu/double_product.h"

namespace shoal::SHOAL_LEVEL {
namespace {

constexpr int kEdge = kGramEdgeCpu;

void combine_tile(const CombineTask& task, const CombineTile& tile, double* scratch) {
  double *results = scratch, *left = results + kEdge * kEdge, *right = left + kEdge * kGramRun;
  const int rows = smaller(kEdge, task.count - tile.row),
            columns = smaller(kEdge, task.x.columns - tile.column);
  const CentredMatrix weights{nullptr, task.weights, nullptr, task.count, task.x.rows, 0};
  for (int i = 0; i < kEdge * kEdge; ++i) results[i] = 0.0;
  for (std::int64_t k0 = 0; k0 < task.x.rows; k0 += kGramRun) {
    const int depth = static_cast<int>(task.x.rows - k0 < kGramRun ? task.x.rows - k0 : kGramRun);
    const long panel = static_cast<long>(depth) * kPanel;
    pack_rows(weights, tile.row, rows, static_cast<int>(k0), depth, left);
    pack_columns(task.x, k0, depth, tile.column, columns, right);
    for (int q = 0; q < panels_of(columns); ++q)
      for (int p = 0; p < panels_of(rows); ++p)
        add_panels(left + p * panel, right + q * panel, depth, results + (p * kEdge + q) * kPanel, kEdge);
  }
  for (int i = 0; i < rows; ++i) {
    double* to = task.sums + static_cast<std::int64_t>(tile.row + i) * task.x.columns + tile.column;
    for (int j = 0; j < columns; ++j) to[j] = results[i * kEdge + j];
  }
}

}  // namespace

void combine(const Combine& op, void*) {
  for (int i = 0; i < op.tile_count; ++i) combine_tile(op.tasks[op.tiles[i].task], op.tiles[i], op.scratch);
}

}  // namespace shoal::SHOAL_LEVEL
