#include "tools/stats_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/stats_format.h"
#include "tools/table.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

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

bool has_answer(const ShapiroWilk& t) {
  return t.status == ShapiroStatus::ok || t.status == ShapiroStatus::beyond_5000;
}

std::string note_of(const ShapiroWilk& t) {
  return t.status == ShapiroStatus::ok ? "" : std::string(to_text(t.status));
}
std::string note_of(const MixtureFit& f) {
  if (f.status == MixtureStatus::ok) return "";
  std::string left_out;
  if (f.status == MixtureStatus::too_few && f.zeros > 0)
    left_out = fmt::format("; {} exact zero{} left out", grouped(f.zeros), f.zeros == 1 ? " is" : "s are");
  return to_text(f.status) + left_out;
}

Json fields_of(const ShapiroWilk& t) {
  Json fields = {{"w", t.w}, {"p", t.p}};
  if (const std::string note = note_of(t); !note.empty()) fields["note"] = note;
  return fields;
}

/// What MixtureFit::parameters are called.
std::span<const char* const> parameter_names(MixtureKind kind) {
  static constexpr const char* kExpNormal[] = {"scale", "mean", "sd"};
  static constexpr const char* kGammas[] = {"shape1", "scale1", "shape2", "scale2"};
  static constexpr const char* kNormals[] = {"mean1", "sd1", "mean2", "sd2"};
  switch (kind) {
    case MixtureKind::exp_normal: return kExpNormal;
    case MixtureKind::gamma_gamma: return kGammas;
    case MixtureKind::normal_normal: break;
  }
  return kNormals;
}

const char* word_of(MixtureStatus status) {
  switch (status) {
    case MixtureStatus::ok: return "ok";
    case MixtureStatus::one_component: return "one-component";
    case MixtureStatus::not_converged: return "not-converged";
    case MixtureStatus::too_few: return "too-few";
    case MixtureStatus::no_range: return "no-range";
    case MixtureStatus::not_finite: return "not-finite";
    case MixtureStatus::negative: return "negative";
    case MixtureStatus::zeros: break;
  }
  return "zeros";
}

Json fields_of(const MixtureFit& f) {
  Json fields = {{"kind", name_of(f.kind)}, {"weight", f.weight}, {"parameters", Json::object()}};
  const std::span<const char* const> names = parameter_names(f.kind);
  for (std::size_t i = 0; i < names.size(); ++i) fields["parameters"][names[i]] = f.parameters[i];
  fields.update({{"loglik", f.log_likelihood},
                 {"iterations", f.iterations},
                 {"converged", f.converged},
                 {"status", word_of(f.status)},
                 {"n", f.count},
                 {"zeros_left_out", f.zeros},
                 {"aic", f.aic},
                 {"bic", f.bic},
                 {"single_loglik", f.single_log_likelihood},
                 {"crossing", f.crossing}});
  if (const std::string note = note_of(f); !note.empty()) fields["note"] = note;
  return fields;
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
  if (c.shapiro) fields["shapiro"] = fields_of(*c.shapiro);
  if (c.mixture) fields["mixture"] = fields_of(*c.mixture);
  if (request.bootstrap) {
    fields["bootstrap"] = fields_of(*request.bootstrap);
    fields["bootstrap"]["mean"] = fields_of(c.mean);
    fields["bootstrap"]["sd"] = fields_of(c.sd);
  }
  if (const std::string note = note_of(c); !note.empty()) fields["note"] = note;
  return fields;
}

Table moments_table(std::span<const ColumnStatistics> columns, const ColumnRequest& request) {
  std::vector<std::string> headings{"column", "n",     "mean",     "sd",      "min",
                                    "max",    "zeros", "skewness", "kurtosis"};
  for (const double share : request.quantiles) headings.push_back("q" + to_text(share));
  if (request.shapiro) headings.insert(headings.end(), {"W", "p"});
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
    if (c.shapiro) cells.insert(cells.end(), {number(c.shapiro->w), number(c.shapiro->p)});
    table.add(cells);
  }
  return table;
}

Table mixture_table(std::span<const ColumnStatistics> columns, MixtureKind kind) {
  std::vector<std::string> headings{"column", "weight"};
  const std::span<const char* const> names = parameter_names(kind);
  headings.insert(headings.end(), names.begin(), names.end());
  headings.insert(headings.end(), {"loglik", "AIC", "BIC", "crossing", "iterations", "status"});
  Table table(headings);
  for (const ColumnStatistics& c : columns) {
    const MixtureFit& f = *c.mixture;
    std::vector<std::string> cells{c.name, number(f.weight)};
    for (std::size_t i = 0; i < names.size(); ++i) cells.push_back(number(f.parameters[i]));
    for (const double value : {f.log_likelihood, f.aic, f.bic, f.crossing}) cells.push_back(number(value));
    cells.insert(cells.end(), {grouped(f.iterations), word_of(f.status)});
    table.add(cells);
  }
  return table;
}

/// One sentence for all columns that have a note, naming the first. `note` gives a column's own.
template <class Note>
void warn_about(Report& report, std::span<const ColumnStatistics> columns, std::string_view what, Note note) {
  std::size_t count = 0;
  const ColumnStatistics* first = nullptr;
  for (const ColumnStatistics& c : columns)
    if (!note(c).empty() && ++count == 1) first = &c;
  if (count == 0) return;
  report.warn(fmt::format("{}column {}: {}{}", what, first->name, note(*first),
                          count == 1   ? ""
                          : count == 2 ? " (and another column)"
                                       : fmt::format(" (and {} columns more)", grouped(count - 1))));
}

}  // namespace

bool print_columns(Report& report, std::span<const ColumnStatistics> columns, const ColumnRequest& request) {
  for (const ColumnStatistics& c : columns) report.event("column", fields_of(c, request));
  report.print(moments_table(columns, request).text(report.colour()));
  if (request.mixture) {
    const std::string title =
        fmt::format("\nmixture {} (weight: of the first component)\n", name_of(*request.mixture));
    report.print(title + mixture_table(columns, *request.mixture).text(report.colour()));
  }
  if (request.bootstrap) {
    Table table = bootstrap_table();
    for (const ColumnStatistics& c : columns) {
      add_bootstrap(table, c.name, "mean", c.mean);
      add_bootstrap(table, c.name, "sd", c.sd);
    }
    report.print(bootstrap_title(*request.bootstrap) + table.text(report.colour()));
  }
  warn_about(report, columns, "", [](const ColumnStatistics& c) { return note_of(c); });
  bool answered = std::ranges::any_of(columns, [](const auto& c) { return c.not_finite == 0; });
  if (request.shapiro) {
    warn_about(report, columns, "Shapiro-Wilk, ", [](const auto& c) { return note_of(*c.shapiro); });
    answered = answered && std::ranges::any_of(columns, [](const auto& c) { return has_answer(*c.shapiro); });
  }
  if (request.mixture) {
    warn_about(report, columns, "mixture, ", [](const auto& c) { return note_of(*c.mixture); });
    answered =
        answered && std::ranges::any_of(columns, [](const auto& c) { return has_fit(c.mixture->status); });
  }
  return answered;
}

}  // namespace shoal
