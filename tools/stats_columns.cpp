#include "tools/stats_columns.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/moments.h"
#include "analysis/summary.h"

namespace shoal {
namespace {

/// Bytes of doubles that one group of columns may take; at least one column is taken.
constexpr std::size_t kGroupBytes = std::size_t{32} << 20;

double mean_of(std::span<const double> sample) { return summarize(sample).mean; }
double sd_of(std::span<const double> sample) { return summarize(sample).sd; }

void count_not_finite(std::span<const double> values, ColumnStatistics& column) {
  const auto finite = [](double x) { return std::isfinite(x); };
  const auto first = std::ranges::find_if_not(values, finite);
  column.first_place = first - values.begin();
  column.not_finite = std::count_if(first, values.end(), [&](double x) { return !finite(x); });
}

std::vector<double> quantiles_of(std::span<const double> values, std::span<const double> shares) {
  std::vector<double> result;
  const std::vector<double> ascending = sorted(values);
  for (const double share : shares) result.push_back(quantile(ascending, share));
  return result;
}

/// What is computed column by column, each by one thread.
void add_single(std::span<const double> values, const ColumnRequest& request, ColumnStatistics& column) {
  count_not_finite(values, column);
  if (column.not_finite > 0)
    column.quantiles.assign(request.quantiles.size(), std::numeric_limits<double>::quiet_NaN());
  else if (!request.quantiles.empty()) column.quantiles = quantiles_of(values, request.quantiles);
}

void add_group(const Calculator& calculator, Samples<double> samples, const ColumnRequest& request,
               std::span<ColumnStatistics> columns) {
  const std::vector<ShapeMoments> moments = sample_moments(calculator, samples);
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i].moments = moments[i];
  calculator.for_each(static_cast<int>(columns.size()),
                      [&](int i) { add_single(samples[i], request, columns[static_cast<std::size_t>(i)]); });
  if (request.shapiro) {
    const std::vector<ShapiroWilk> tests = shapiro_wilk(calculator, samples);
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i].shapiro = tests[i];
  }
  if (request.mixture) {
    std::vector<MixtureFit> fits = fit_mixtures(calculator, *request.mixture, samples);
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i].mixture = std::move(fits[i]);
  }
  if (!request.bootstrap) return;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].not_finite > 0) continue;
    const std::span<const double> values = samples[static_cast<std::int64_t>(i)];
    columns[i].mean = bootstrap(calculator, values, mean_of, *request.bootstrap);
    columns[i].sd = bootstrap(calculator, values, sd_of, *request.bootstrap);
  }
}

}  // namespace

std::vector<ColumnStatistics> column_statistics(const Calculator& calculator, const NumberTable& table,
                                                const ColumnRequest& request,
                                                const ColumnProgress& progress) {
  const auto rows = static_cast<std::size_t>(table.rows);
  const std::size_t group = std::max<std::size_t>(1, kGroupBytes / sizeof(double) / rows);
  std::vector<ColumnStatistics> columns;
  std::vector<double> values;
  std::vector<std::int64_t> offsets;
  while (columns.size() < table.names.size()) {
    progress(columns.size());
    const std::size_t first = columns.size(), count = std::min(group, table.names.size() - first);
    values.resize(count * rows);
    copy_columns(table, first, values);
    offsets.clear();
    for (std::size_t i = 0; i <= count; ++i) offsets.push_back(static_cast<std::int64_t>(i * rows));
    for (std::size_t i = 0; i < count; ++i) columns.push_back({.name = table.names[first + i]});
    add_group(calculator, {values, offsets}, request, std::span(columns).subspan(first));
  }
  return columns;
}

}  // namespace shoal
