// The statistics of a table's columns, as `shoal stats` computes them: a group of columns at a time, so that
// memory is the file and a little more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/bootstrap.h"
#include "analysis/calculator.h"
#include "analysis/mixture.h"
#include "analysis/shapiro.h"
#include "datasets/number_table.h"
#include "kernels/shape_moments.h"

namespace shoal {

/// What is asked of every column besides its moments.
struct ColumnRequest {
  std::vector<double> quantiles = {};  // shares, 0 .. 1
  bool shapiro = false;
  std::optional<MixtureKind> mixture = {};
  std::optional<BootstrapSpec> bootstrap = {};
};

struct ColumnStatistics {
  std::string name;
  ShapeMoments moments = {};
  std::int64_t not_finite = 0;         // values that are NaN or infinite
  std::int64_t first_place = 0;        // the row of the first of them, from 0
  std::vector<double> quantiles = {};  // NaN where a value is not finite
  std::optional<ShapiroWilk> shapiro = {};
  std::optional<MixtureFit> mixture = {};
  std::optional<Bootstrap> mean = {}, sd = {};
};

/// Called before each group of columns with how many are done.
using ColumnProgress = std::function<void(std::size_t done)>;

/// In the order of the table.
std::vector<ColumnStatistics> column_statistics(const Calculator&, const NumberTable&, const ColumnRequest&,
                                                const ColumnProgress& progress);

}  // namespace shoal
