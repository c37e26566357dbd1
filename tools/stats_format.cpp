#include "tools/stats_format.h"

#include <fmt/format.h>

#include <cmath>

#include "tools/value_list.h"

namespace shoal {
namespace {

std::string number(const Interval& i) {
  return std::isfinite(i.low) && std::isfinite(i.high) ? fmt::format("{:.6g} .. {:.6g}", i.low, i.high) : "-";
}

}  // namespace

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : "-"; }

nlohmann::ordered_json fields_of(const BootstrapSpec& spec) {
  return {{"replicates", spec.replicates}, {"level", spec.level}, {"seed", spec.seed}};
}

nlohmann::ordered_json fields_of(const std::optional<Bootstrap>& b) {
  if (!b) return nullptr;
  nlohmann::ordered_json fields = {{"estimate", b->estimate},
                                   {"standard_error", b->standard_error},
                                   {"percentile", {b->percentile.low, b->percentile.high}},
                                   {"bca", {b->bca.low, b->bca.high}}};
  if (b->undefined > 0) fields["undefined_replicates"] = b->undefined;
  return fields;
}

std::string bootstrap_title(const BootstrapSpec& spec) {
  return fmt::format("\nbootstrap, {} replicates, intervals at level {}\n", grouped(spec.replicates),
                     to_text(spec.level));
}

Table bootstrap_table() {
  return Table({"column", "statistic", "estimate", "standard error", "percentile", "BCa"});
}

void add_bootstrap(Table& table, const std::string& column, const std::string& statistic,
                   const std::optional<Bootstrap>& b) {
  if (!b) return table.add({column, statistic, "", "", "", ""});
  table.add({column, statistic, number(b->estimate), number(b->standard_error), number(b->percentile),
             number(b->bca)});
}

}  // namespace shoal
