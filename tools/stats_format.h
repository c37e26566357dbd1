// Pieces that all outputs of `shoal stats` are made of.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "analysis/bootstrap.h"
#include "tools/table.h"

namespace shoal {

/// Six significant digits; "-" where there is no number.
std::string number(double value);

/// {"replicates": ..., "level": ..., "seed": ...}
nlohmann::ordered_json fields_of(const BootstrapSpec&);
/// {"estimate": ..., "standard_error": ..., "percentile": [low, high], "bca": [low, high]}; null for none.
nlohmann::ordered_json fields_of(const std::optional<Bootstrap>&);

/// "bootstrap, 2,000 replicates, intervals at level 0.95", and a table with a line a statistic: the estimate,
/// its error and both intervals.
std::string bootstrap_title(const BootstrapSpec&);
Table bootstrap_table();
void add_bootstrap(Table&, const std::string& column, const std::string& statistic,
                   const std::optional<Bootstrap>&);

}  // namespace shoal
