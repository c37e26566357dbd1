// Op: moments of the columns of a matrix.
#pragma once

#include <cstdint>

#include "kernels/shape_moments.h"

namespace shoal {

/// The rows of a row-major matrix are cut into parts of part_rows (the last may be shorter), and
///   moments[part][column] = merge(moments[part][column], moments of that column's values in that part).
/// Values are widened to double first. The sum over a part has one fixed tree on a machine, and parts are
/// independent of each other: who merges them in a fixed order has the same bits on any number of threads.
struct FoldColumns {
  const float* floats;    // [rows][stride]; null when `doubles` is given
  const double* doubles;  // [rows][stride]; null when `floats` is given
  std::int64_t rows;
  std::int64_t stride;     // values from one row to the next, >= columns
  std::int64_t part_rows;  // > 0
  int columns;
  ShapeMoments* moments;  // [ceil(rows / part_rows)][columns]
};

}  // namespace shoal
