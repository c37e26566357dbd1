#include "tools/stats_whole.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <vector>

#include "datasets/error.h"
#include "tools/stats_format.h"
#include "tools/table.h"

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

RankStatistics rank_statistics(const Calculator& calculator, const NumberTable& table,
                               const std::optional<BootstrapSpec>& spec) {
  const auto rows = static_cast<std::size_t>(table.rows);
  std::vector<double> values(2 * rows);
  copy_columns(table, 0, values);
  const auto x = std::span<const double>(values).first(rows), y = std::span<const double>(values).last(rows);
  RankStatistics ranks{
      .x = table.names[0], .y = table.names[1], .correlations = rank_correlations(x, y), .note = {}};
  const auto constant = [](std::span<const double> v) {
    return std::ranges::all_of(v, [&](double value) { return value == v.front(); });
  };
  if (std::isnan(ranks.correlations.spearman)) {
    ranks.note = table.rows < 2 ? "one pair has no rank correlation"
                 : constant(x)  ? fmt::format("all values of {} are equal: no rank correlation", ranks.x)
                 : constant(y)  ? fmt::format("all values of {} are equal: no rank correlation", ranks.y)
                                : "values that are NaN have no rank";
  } else if (spec) {
    ranks.spearman = bootstrap_spearman(calculator, x, y, *spec);
    ranks.kendall = bootstrap_kendall(calculator, x, y, *spec);
  }
  return ranks;
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
    fields["bootstrap"]["spearman"] = fields_of(ranks.spearman);
    fields["bootstrap"]["kendall_tau_b"] = fields_of(ranks.kendall);
  }
  if (!ranks.note.empty()) fields["note"] = ranks.note;
  report.event("rank", fields);

  Table table({"ranks of " + ranks.x + " and " + ranks.y, "value", "p"});
  table.add({"Spearman's rho", number(r.spearman), number(r.spearman_p)});
  table.add({"Kendall's tau-b", number(r.kendall_tau_b), number(r.kendall_p)});
  report.print(fmt::format("{}({} pairs)\n", table.text(report.colour()), grouped(r.n)));
  if (spec) {
    Table intervals = bootstrap_table();
    add_bootstrap(intervals, ranks.x + ", " + ranks.y, "Spearman's rho", ranks.spearman);
    add_bootstrap(intervals, ranks.x + ", " + ranks.y, "Kendall's tau-b", ranks.kendall);
    report.print(bootstrap_title(*spec) + intervals.text(report.colour()));
  }
  if (!ranks.note.empty()) report.warn(ranks.note);
  return ranks.note.empty();
}

Pca pca_of_table(const Calculator& calculator, const NumberTable& table) {
  if (const auto place = first_not_finite(table))
    throw DataError(
        fmt::format("{}: row {} (from 0) of column {} is {}; principal components need finite numbers",
                    table.source, place->row, table.names[place->column], place->value));
  const auto view = [&]<class T>(std::span<const T> values) {
    const auto width = static_cast<std::int64_t>(table.names.size());
    return MatrixView<T>{values.data(), table.rows, static_cast<int>(width), width};
  };
  constexpr PcaSpec kSpec{.components = false};
  try {
    if (const auto floats = rows_in_place<float>(table); !floats.empty())
      return pca(calculator, view(floats), kSpec);
    if (const auto doubles = rows_in_place<double>(table); !doubles.empty())
      return pca(calculator, view(doubles), kSpec);
    return pca(calculator, view(std::span<const double>(rows_of(table))), kSpec);
  } catch (const std::invalid_argument& e) { throw DataError(fmt::format("{}: {}", table.source, e.what())); }
}

bool print_pca(Report& report, const Pca& pca) {
  const std::string note =
      pca.total_variance > 0 ? "" : "the columns are constant: there is no variance to explain";
  Json fields = {{"n", pca.samples},
                 {"variables", pca.variables},
                 {"explained_variance", pca.explained_variance},
                 {"explained_variance_ratio", pca.explained_variance_ratio},
                 {"reconstruction_mse", pca.reconstruction_mse},
                 {"reconstruction_error", pca.reconstruction_error},
                 {"total_variance", pca.total_variance},
                 {"participation_ratio", pca.participation_ratio},
                 {"effective_rank", pca.effective_rank},
                 {"rank", pca.rank}};
  if (!note.empty()) fields["note"] = note;
  report.event("pca", fields);

  constexpr std::size_t kMost = 20;
  Table table({"components", "variance", "share %", "sum of shares %", "mean squared error", "mean error"});
  double sum = 0;
  for (std::size_t k = 0; k <= std::min(kMost, pca.explained_variance.size()); ++k) {
    const double share = k == 0 ? 0 : pca.explained_variance_ratio[k - 1];
    sum += share;
    table.add({std::to_string(k), k == 0 ? "" : number(pca.explained_variance[k - 1]),
               k == 0 ? "" : percent(share), percent(sum), number(pca.reconstruction_mse[k]),
               number(pca.reconstruction_error[k])});
  }
  const std::size_t count = pca.explained_variance.size();
  report.print(fmt::format(
      "principal components of {} samples of {} variables{}\n{}", grouped(pca.samples),
      grouped(pca.variables),
      count > kMost ? fmt::format(": the first {} of {}", kMost, grouped(static_cast<long long>(count))) : "",
      table.text(report.colour())));
  report.print(fmt::format("total variance {}, participation ratio {}, effective rank {}, rank {}\n",
                           number(pca.total_variance), number(pca.participation_ratio),
                           number(pca.effective_rank), pca.rank));
  if (!note.empty()) report.warn(note);
  return note.empty();
}

}  // namespace shoal
