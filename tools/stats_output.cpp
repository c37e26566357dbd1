#include "tools/stats_output.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/table.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

/// Six significant digits; "-" where there is no number.
std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : "-"; }
std::string number(const Interval& i) {
  return std::isfinite(i.low) && std::isfinite(i.high) ? fmt::format("{:.6g} .. {:.6g}", i.low, i.high) : "-";
}

/// Why numbers of a column's moments are missing; empty where none are.
std::string note_of(const ColumnStatistics& c) {
  if (c.not_finite > 0)
    return fmt::format("{} of {} values {} not finite, the first in row {} (from 0)", grouped(c.not_finite),
                       grouped(static_cast<long long>(c.moments.count)), c.not_finite == 1 ? "is" : "are",
                       c.first_place);
  if (c.moments.count < 2) return "one value has no variance, skewness and kurtosis";
  if (c.moments.min == c.moments.max) return "all values are equal: no skewness and kurtosis";
  return "";
}

Json fields_of(const Bootstrap& b) {
  Json fields = {{"estimate", b.estimate},
                 {"standard_error", b.standard_error},
                 {"percentile", {b.percentile.low, b.percentile.high}},
                 {"bca", {b.bca.low, b.bca.high}}};
  if (b.undefined > 0) fields["undefined_replicates"] = b.undefined;
  return fields;
}

Json fields_of(const BootstrapSpec& spec) {
  return {{"replicates", spec.replicates}, {"level", spec.level}, {"seed", spec.seed}};
}

Json fields_of(const ColumnStatistics& c, const ColumnRequest& request) {
  const ShapeMoments& m = c.moments;
  Json fields = {{"name", c.name},
                 {"n", static_cast<std::int64_t>(m.count)},
                 {"mean", m.mean},
                 {"variance", sample_variance(m)},
                 {"sd", std::sqrt(sample_variance(m))},
                 {"population_sd", std::sqrt(variance(m))},
                 {"min", m.min},
                 {"max", m.max},
                 {"zeros", static_cast<std::int64_t>(m.zeros)},
                 {"skewness", skewness(m)},
                 {"kurtosis", kurtosis(m)}};
  for (std::size_t i = 0; i < request.quantiles.size(); ++i)
    fields["quantiles"][to_text(request.quantiles[i])] = c.quantiles[i];
  if (request.bootstrap) {
    fields["bootstrap"] = fields_of(*request.bootstrap);
    fields["bootstrap"]["mean"] = c.mean ? fields_of(*c.mean) : Json();
    fields["bootstrap"]["sd"] = c.sd ? fields_of(*c.sd) : Json();
  }
  if (const std::string note = note_of(c); !note.empty()) fields["note"] = note;
  return fields;
}

Table moments_table(std::span<const ColumnStatistics> columns, const ColumnRequest& request) {
  std::vector<std::string> headings{"column", "n",     "mean",     "sd",      "min",
                                    "max",    "zeros", "skewness", "kurtosis"};
  for (const double share : request.quantiles) headings.push_back("q" + to_text(share));
  Table table(headings);
  for (const ColumnStatistics& c : columns) {
    const ShapeMoments& m = c.moments;
    std::vector<std::string> cells{c.name,
                                   grouped(static_cast<long long>(m.count)),
                                   number(m.mean),
                                   number(std::sqrt(sample_variance(m))),
                                   number(m.min),
                                   number(m.max),
                                   grouped(static_cast<long long>(m.zeros)),
                                   number(skewness(m)),
                                   number(kurtosis(m))};
    for (const double value : c.quantiles) cells.push_back(number(value));
    table.add(cells);
  }
  return table;
}

/// A line a statistic: the estimate, its error and both intervals.
void add_bootstrap(Table& table, const std::string& what, const std::string& name,
                   const std::optional<Bootstrap>& b) {
  if (!b) return table.add({name, what, "", "", "", ""});
  table.add(
      {name, what, number(b->estimate), number(b->standard_error), number(b->percentile), number(b->bca)});
}

std::vector<std::string> bootstrap_headings() {
  return {"column", "statistic", "estimate", "standard error", "percentile", "BCa"};
}

std::string bootstrap_title(const BootstrapSpec& spec) {
  return fmt::format("\nbootstrap, {} replicates, intervals at level {}\n", grouped(spec.replicates),
                     to_text(spec.level));
}

/// One sentence for all columns that lack something, naming the first.
void warn_about_notes(Report& report, std::span<const ColumnStatistics> columns) {
  std::size_t count = 0;
  const ColumnStatistics* first = nullptr;
  for (const ColumnStatistics& c : columns)
    if (!note_of(c).empty() && ++count == 1) first = &c;
  if (count == 0) return;
  const std::string others = count == 1   ? ""
                             : count == 2 ? " (and one column more lacks numbers)"
                                          : fmt::format(" (and {} columns more lack numbers)", count - 1);
  report.warn(fmt::format("column {}: {}{}", first->name, note_of(*first), others));
}

}  // namespace

bool print_columns(Report& report, std::span<const ColumnStatistics> columns, const ColumnRequest& request) {
  for (const ColumnStatistics& c : columns) report.event("column", fields_of(c, request));
  report.print(moments_table(columns, request).text(report.colour()));
  if (request.bootstrap) {
    Table table(bootstrap_headings());
    for (const ColumnStatistics& c : columns) {
      add_bootstrap(table, "mean", c.name, c.mean);
      add_bootstrap(table, "sd", c.name, c.sd);
    }
    report.print(bootstrap_title(*request.bootstrap) + table.text(report.colour()));
  }
  warn_about_notes(report, columns);
  return std::ranges::any_of(columns, [](const ColumnStatistics& c) { return c.not_finite == 0; });
}

bool print_ranks(Report& report, const RankStatistics& ranks, const std::optional<BootstrapSpec>& spec) {
  const RankCorrelations& r = ranks.correlations;
  Json fields = {{"x", ranks.x},
                 {"y", ranks.y},
                 {"n", r.n},
                 {"spearman", r.spearman},
                 {"spearman_p", r.spearman_p},
                 {"kendall_tau_b", r.kendall_tau_b},
                 {"kendall_p", r.kendall_p}};
  if (spec) {
    fields["bootstrap"] = fields_of(*spec);
    fields["bootstrap"]["spearman"] = ranks.spearman ? fields_of(*ranks.spearman) : Json();
    fields["bootstrap"]["kendall_tau_b"] = ranks.kendall ? fields_of(*ranks.kendall) : Json();
  }
  if (!ranks.note.empty()) fields["note"] = ranks.note;
  report.event("rank", fields);

  Table table({"ranks of " + ranks.x + " and " + ranks.y, "value", "p"});
  table.add({"Spearman's rho", number(r.spearman), number(r.spearman_p)});
  table.add({"Kendall's tau-b", number(r.kendall_tau_b), number(r.kendall_p)});
  report.print(fmt::format("{}({} pairs)\n", table.text(report.colour()), grouped(r.n)));
  if (spec) {
    Table intervals(bootstrap_headings());
    add_bootstrap(intervals, "Spearman's rho", ranks.x + ", " + ranks.y, ranks.spearman);
    add_bootstrap(intervals, "Kendall's tau-b", ranks.x + ", " + ranks.y, ranks.kendall);
    report.print(bootstrap_title(*spec) + intervals.text(report.colour()));
  }
  if (!ranks.note.empty()) report.warn(ranks.note);
  return ranks.note.empty();
}

}  // namespace shoal
