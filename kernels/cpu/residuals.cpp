// Residuals of projections on the CPU: see kernels/residuals.h. The scores of a block of rows stand as
// [direction][row], so that the sum over directions runs over vectors of rows.
#include "kernels/residuals.h"

#include "kernels/cpu/double_product.h"

namespace shoal::SHOAL_LEVEL {
namespace {

constexpr int kRowsOfBlock = kResidualRowsCpu;
static_assert(kRowsOfBlock % kPanel == 0 && kMostPanel % kPanel == 0);

void pack_directions(const ResidualTask& task, int first, int extent, int k0, int depth, double* to) {
  CentredMatrix directions{nullptr, task.directions, nullptr, 0, 0, 0};
  if (task.by_columns) {
    directions.stride = task.count;
    pack_columns(directions, k0, depth, first, extent, to);
  } else {
    directions.stride = task.x.columns;
    pack_rows(directions, first, extent, k0, depth, to);
  }
}

/// scores[i][r] of `rows` rows from `row` on.
void scores_of(const ResidualTask& task, std::int64_t row, int rows, double* scores, double* left,
               double* right) {
  const int panels = panels_of(task.count), row_panels = panels_of(rows);
  for (long i = 0; i < static_cast<long>(panels) * kPanel * kRowsOfBlock; ++i) scores[i] = 0.0;
  for (int k0 = 0; k0 < task.x.columns; k0 += kResidualRun) {
    const int depth = smaller(kResidualRun, task.x.columns - k0);
    pack_rows(task.x, row, rows, k0, depth, right);
    for (int p = 0; p < panels; ++p) {
      const int first = p * kPanel;
      pack_directions(task, first, smaller(kPanel, task.count - first), k0, depth, left);
      for (int q = 0; q < row_panels; ++q)
        add_panels(left, right + static_cast<long>(q) * depth * kPanel, depth,
                   scores + static_cast<long>(first) * kRowsOfBlock + q * kPanel, kRowsOfBlock);
    }
  }
}

double sum_of(D v) {
  double sum = 0.0;
  for (int i = 0; i < kDoubles; ++i) sum += v[i];
  return sum;
}

void residual_block(const ResidualTask& task, std::int64_t row, double* scratch) {
  const std::int64_t left_over = task.x.rows - row;
  const int rows = static_cast<int>(left_over < kRowsOfBlock ? left_over : kRowsOfBlock);
  double* scores = scratch;
  double* right = scores + static_cast<long>(panels_of(task.count)) * kPanel * kRowsOfBlock;
  double *left = right + kRowsOfBlock * kResidualRun, *rest = left + kMostPanel * kResidualRun;
  for (int r = 0; r < kRowsOfBlock; ++r) rest[r] = 0.0;
  scores_of(task, row, rows, scores, left, right);
  const std::int64_t block = row / kRowsOfBlock;
  double *squares = task.partials + block * 2 * (task.count + 1), *distances = squares + task.count + 1;
  squares[task.count] = distances[task.count] = 0.0;
  // Rows behind the last one are zeros in every score, and add nothing.
  const int padded = panels_of(rows) * kPanel;
  for (int i = task.count - 1; i >= 0; --i) {
    const double* t = scores + static_cast<long>(i) * kRowsOfBlock;
    D square = 0.0, distance = 0.0;
    for (int r = 0; r < padded; r += kDoubles) {
      const D score(t + r, stdx::vector_aligned);
      D s(rest + r, stdx::vector_aligned);
      s += score * score;
      s.copy_to(rest + r, stdx::vector_aligned);
      square += s;
      distance += stdx::sqrt(s);
    }
    squares[i] = sum_of(square);
    distances[i] = sum_of(distance);
  }
}

}  // namespace

void residuals(const Residuals& op, void*) {
  for (int i = 0; i < op.block_count; ++i)
    residual_block(op.tasks[op.blocks[i].task], op.blocks[i].row, op.scratch);
}

}  // namespace shoal::SHOAL_LEVEL
