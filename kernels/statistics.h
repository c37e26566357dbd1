// The ops of statistics, for arrays of anybody's. What an op computes is said in the header of its struct,
// kernels/<op>.h; each machine runs it (kernels/cpu/<op>.cpp, kernels/cuda/<op>.cu). analysis/ is their host
// side: it checks shapes, places data and shares out the work of the CPU over threads.
//
// Every sum has one fixed order on a machine: a sample has the same bits alone, in a crowd, and on any number
// of threads.
#pragma once

#include "kernels/combine.h"
#include "kernels/covariance.h"
#include "kernels/eigen.h"
#include "kernels/fold_columns.h"
#include "kernels/mixture.h"
#include "kernels/op_list.h"
#include "kernels/orthonormalize.h"
#include "kernels/residuals.h"
#include "kernels/shapiro_lack.h"
#include "kernels/sort_samples.h"
#include "kernels/subsets.h"
#include "kernels/walsh_hadamard.h"

// One line per op, X(function, struct); every list of them in the program is made from these two. An op
// stands in one: VECTOR when its CPU body is compiled per instruction-set level (shoal::v3::<function> and so
// on, kernels/cpu/statistics_level.h), PLAIN when it is compiled once (shoal::cpu::<function>).
#define SHOAL_VECTOR_STATISTICS(X)     \
  X(fold_columns, FoldColumns)         \
  X(covariance, Covariance)            \
  X(combine, Combine)                  \
  X(residuals, Residuals)              \
  X(shapiro_lack, ShapiroLack)         \
  X(sort_samples, SortSamples)         \
  X(fit_mixtures, FitMixtures)         \
  X(subsets, Subsets)                  \
  X(subset_gradients, SubsetGradients) \
  X(walsh_hadamard, WalshHadamard)
#define SHOAL_PLAIN_STATISTICS(X)   \
  X(eigen, Eigen)                   \
  X(orthonormalize, Orthonormalize) \
  X(residual_sums, ResidualSums)
#define SHOAL_STATISTICS(X)  \
  SHOAL_VECTOR_STATISTICS(X) \
  SHOAL_PLAIN_STATISTICS(X)

namespace shoal {

/// Ops of a device are queued on its stream; the CPU's return when they are done, and run on the calling
/// thread.
struct StatisticsOps {
  SHOAL_STATISTICS(SHOAL_POINT_TO_OP)
};
struct CompleteStatisticsOps {
  SHOAL_STATISTICS(SHOAL_REFER_TO_OP)
};

consteval StatisticsOps check_complete(const CompleteStatisticsOps& ops) {
  return {SHOAL_STATISTICS(SHOAL_TAKE_OP)};
}

}  // namespace shoal
