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
#include "kernels/orthonormalize.h"
#include "kernels/residuals.h"
#include "kernels/shapiro_lack.h"
#include "kernels/sort_samples.h"

// One line per op, X(function, struct); every list of them in the program is made from these two. An op
// stands in one: VECTOR when its CPU body is compiled per instruction-set level (shoal::v3::<function> and so
// on, kernels/cpu/statistics_level.h), PLAIN when it is compiled once (shoal::cpu::<function>).
#define SHOAL_VECTOR_STATISTICS(X) \
  X(fold_columns, FoldColumns)     \
  X(covariance, Covariance)        \
  X(combine, Combine)              \
  X(residuals, Residuals)          \
  X(shapiro_lack, ShapiroLack)     \
  X(sort_samples, SortSamples)     \
  X(fit_mixtures, FitMixtures)
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
#define SHOAL_OP(function, Op) void (*function)(const Op&, void* stream);
  SHOAL_STATISTICS(SHOAL_OP)
#undef SHOAL_OP
};

/// The same by reference: an op left out, or null, does not compile.
struct CompleteStatisticsOps {
#define SHOAL_OP(function, Op) void (&function)(const Op&, void* stream);
  SHOAL_STATISTICS(SHOAL_OP)
#undef SHOAL_OP
};

consteval StatisticsOps check_complete(const CompleteStatisticsOps& ops) {
#define SHOAL_OP(function, Op) ops.function,
  return {SHOAL_STATISTICS(SHOAL_OP)};
#undef SHOAL_OP
}

}  // namespace shoal

/// Declarations of all ops of a list, for the namespace they are put in: SHOAL_STATISTICS(SHOAL_DECLARE_OP)
#define SHOAL_DECLARE_OP(function, Op) void function(const Op&, void* stream);
/// Their names in order, for check_complete({SHOAL_STATISTICS(SHOAL_NAME_OP)})
#define SHOAL_NAME_OP(function, Op) function,
