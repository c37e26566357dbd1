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

/// Bytes of scratch memory that SortSamples needs on this calculator's machine.
std::size_t sort_scratch(const Calculator&, std::int64_t values, std::int64_t samples, int value_bytes);

}  // namespace shoal
