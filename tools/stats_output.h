// What `shoal stats` prints: a JSON object a column and a table for people.
#pragma once

#include <span>
#include <string>

#include "tools/report.h"
#include "tools/stats_columns.h"

namespace shoal {

/// An object of type "column" each, and the tables. Returns whether every statistic that was asked for has a
/// value in some column; what has none anywhere is warned about.
bool print_columns(Report&, std::span<const ColumnStatistics>, const ColumnRequest&);

}  // namespace shoal
