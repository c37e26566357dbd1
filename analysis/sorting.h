// Many samples sorted in one call.
#pragma once

#include <vector>

#include "analysis/calculator.h"
#include "analysis/samples.h"

namespace shoal {

/// The values with every sample ascending, at the same offsets; what belongs to no sample is 0. NaN stands
/// outside (kernels/sort_samples.h). std::invalid_argument for offsets that are none.
std::vector<float> sort_samples(const Calculator&, Samples<float>);
std::vector<double> sort_samples(const Calculator&, Samples<double>);

/// Quantiles of every sample, [sample][share]: linear between order statistics, as quantile() in
/// analysis/summary.h. Shares lie in [0, 1]. NaN for an empty sample, and for one that holds a NaN.
/// std::invalid_argument for offsets that are none, or a share outside.
std::vector<double> sample_quantiles(const Calculator&, Samples<double>, std::span<const double> shares);

/// Bytes of scratch memory that SortSamples needs on this calculator's machine.
std::size_t sort_scratch(const Calculator&, std::int64_t values, std::int64_t samples, int value_bytes);

}  // namespace shoal
