// A matrix of samples whose columns' means are known: what the ops of a principal component analysis read.
// It is centred value by value as it is read, in double precision, and never stored.
#pragma once

#include <cstdint>

#include "kernels/portable.h"

namespace shoal {

struct CentredMatrix {
  const float* floats;    // [rows][stride], or null
  const double* doubles;  // [rows][stride], or null: exactly one of the two
  const double* means;    // [columns], or null: 0 each
  std::int64_t rows;
  std::int64_t stride;  // values between rows
  int columns;
};

/// x[row][column] - mean[column].
SHOAL_INLINE double centred(const CentredMatrix& x, std::int64_t row, int column) {
  const std::int64_t at = row * x.stride + column;
  const double value = x.floats ? static_cast<double>(x.floats[at]) : x.doubles[at];
  return x.means ? value - x.means[column] : value;
}

}  // namespace shoal
