// Moments of many samples: count, mean, central moments to the fourth, exact zeros, extremes.
#pragma once

#include <span>
#include <vector>

#include "analysis/calculator.h"
#include "analysis/samples.h"
#include "kernels/shape_moments.h"

namespace shoal {

/// Moments of every column, over the rows. One pass over the matrix; the results have the same bits on any
/// number of threads, and can be merged with those of further rows (merge in kernels/shape_moments.h).
/// std::invalid_argument for a negative size or a stride below the columns.
std::vector<ShapeMoments> column_moments(const Calculator&, MatrixView<float>);
std::vector<ShapeMoments> column_moments(const Calculator&, MatrixView<double>);

/// Moments of every sample, in order; a device is asked sample by sample. std::invalid_argument for offsets
/// that are none.
std::vector<ShapeMoments> sample_moments(const Calculator&, Samples<float>);
std::vector<ShapeMoments> sample_moments(const Calculator&, Samples<double>);

}  // namespace shoal
