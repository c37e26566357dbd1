// What `shoal stats` prints: a JSON object a column and a table for people.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "analysis/rank.h"
#include "tools/report.h"
#include "tools/stats_columns.h"

namespace shoal {

/// An object of type "column" each, and the tables. Returns whether every statistic that was asked for has a
/// value in some column; what has none anywhere is warned about.
bool print_columns(Report&, std::span<const ColumnStatistics>, const ColumnRequest&);

/// Rank correlations of two columns.
struct RankStatistics {
  std::string x, y;
  RankCorrelations correlations;
  std::string note;  // why there are none
  std::optional<Bootstrap> spearman = {}, kendall = {};
};

/// An object of type "rank". Returns whether there are correlations.
bool print_ranks(Report&, const RankStatistics&, const std::optional<BootstrapSpec>&);

}  // namespace shoal
