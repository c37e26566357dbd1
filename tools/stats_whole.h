// What `shoal stats` says of several columns together: rank correlations of two, principal components of all.
#pragma once

#include <optional>
#include <string>

#include "analysis/bootstrap.h"
#include "analysis/calculator.h"
#include "analysis/pca.h"
#include "analysis/rank.h"
#include "datasets/number_table.h"
#include "tools/report.h"

namespace shoal {

struct RankStatistics {
  std::string x, y;
  RankCorrelations correlations = {};
  std::string note = {};  // why there are none
  std::optional<Bootstrap> spearman = {}, kendall = {};
};

/// Of a table of two columns.
RankStatistics rank_statistics(const Calculator&, const NumberTable&, const std::optional<BootstrapSpec>&);

/// An object of type "rank", or tables. Returns whether there are correlations.
bool print_ranks(Report&, const RankStatistics&, const std::optional<BootstrapSpec>&);

/// Of all columns. DataError: a value that is not finite, with its place; fewer than two rows; too large.
Pca pca_of_table(const Calculator&, const NumberTable&);

/// An object of type "pca", or a table of the first components. Returns whether there is any variance.
bool print_pca(Report&, const Pca&);

}  // namespace shoal
