// Principal component analysis of a matrix whose rows are samples and whose columns are variables, such as
// the activations of a layer [samples][neurons]: Jolliffe 2002, chapters 2 and 3.
//
// The covariance is computed in double precision from centred values and never squared by hand: the Gram
// matrix of the columns, or that of the rows where they are fewer, and its eigenvalues by LAPACK (on a GPU:
// cuSOLVER). The bits do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/calculator.h"
#include "analysis/samples.h"

namespace shoal {

/// How well the first k components describe the samples, for k = 0 .. min(n, d): of the Euclidean distance
/// between a sample and what k components keep of it,
struct Reconstruction {
  std::vector<double> mse;    // [min(n, d) + 1] the mean over the samples of its square
  std::vector<double> error;  // [min(n, d) + 1] the mean over the samples
};

/// n samples of d variables. Everything is in the data's own units.
struct Pca {
  std::int64_t samples = 0;
  int variables = 0;
  std::vector<double> mean;                      // [d]
  std::vector<double> explained_variance;        // [min(n, d)] descending, divided by n - 1
  std::vector<double> explained_variance_ratio;  // of their sum
  std::vector<double> components;  // [min(n, d)][d] rows of length 1 at right angles, in the order of the
                                   // variances; of each the entry that is largest in absolute value (the
                                   // first of equal ones) is positive. Empty unless asked for.
  std::vector<double> reconstruction_mse,
      reconstruction_error;  // see Reconstruction. Empty unless asked for.
  double total_variance = 0;
  /// (sum of the variances)^2 / sum of their squares: 1 where one direction has all the variance, d where all
  /// have the same.
  double participation_ratio = 0;
  /// exp of the entropy of the shares of the variances: Roy & Vetterli 2007, "The effective rank", of the
  /// covariance matrix (whose singular values the variances are). From 1 to d, like the participation ratio.
  double effective_rank = 0;
  /// Variances above max(n, d) 2^-52 times the largest: those that rounding alone does not explain. Values
  /// rounded to float beforehand are data like others: their rounding is a variance, too.
  int rank = 0;
  /// Eigenvalues that rounding had made negative, and that are 0 in explained_variance.
  int clamped = 0;
};

struct PcaSpec {
  bool components = true;
  bool reconstruction = true;
};

/// Of data without any variance, ratios, participation ratio and effective rank are NaN, and components any
/// orthonormal directions. std::invalid_argument with a sentence: fewer than 2 rows, no columns, a value that
/// is not finite, more than 16,384 of both rows and columns. DeviceError without LAPACK (cuSOLVER), or when
/// memory runs out.
Pca pca(const Calculator&, MatrixView<float>, const PcaSpec& = {});
Pca pca(const Calculator&, MatrixView<double>, const PcaSpec& = {});
/// Many matrices of any sizes at once: one launch an op for as many of them as fit into memory. Each has the
/// bits that it has alone on the CPU; a GPU's eigenvalues may differ in their last digits.
std::vector<Pca> pca(const Calculator&, std::span<const MatrixView<float>>, const PcaSpec& = {});
std::vector<Pca> pca(const Calculator&, std::span<const MatrixView<double>>, const PcaSpec& = {});

enum class PcaProcedure {
  principal,  // what k components keep of a sample x: mean + sum_{i < k} <x - mean, v_i> v_i, with v_i row i
              // of the components
  /// The same sum with v_i column i of the components' matrix: a mistake of the journal that the studies
  /// repeat. The columns are orthonormal, too, but have nothing to do with the data, so a share of about
  /// 1 - k / d of the error is left. Needs n >= d: the matrix must be square.
  journal_columns,
};

/// Reconstruction of any samples with given components (all of them: Pca::components). With directions that
/// do not span the samples, what is outside of them is not counted. std::invalid_argument when sizes do not
/// fit.
Reconstruction reconstruct(const Calculator&, MatrixView<float>, const Pca&,
                           PcaProcedure = PcaProcedure::principal);
Reconstruction reconstruct(const Calculator&, MatrixView<double>, const Pca&,
                           PcaProcedure = PcaProcedure::principal);

/// P M, with P the projection on the first k of these v_i: sum_{i < k} v_i v_i^T. M: [variables][columns],
/// row-major, and so is the result. What keeping k components of a layer does to weights in front of it or
/// behind it. 0 <= k <= number of components, else std::invalid_argument.
std::vector<double> keep_components(const Calculator&, const Pca&, int k, MatrixView<double> m,
                                    PcaProcedure = PcaProcedure::principal);

}  // namespace shoal
