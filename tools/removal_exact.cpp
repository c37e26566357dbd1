#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/subset_gradients.h"
#include "analysis/subset_interactions.h"
#include "datasets/error.h"
#include "tools/removal_answer.h"

namespace shoal {
namespace {

/// Bins of gradients serve studies; here only their moments are read.
constexpr int kBins = 1;

std::vector<RemovalMoments> moments_of(const Calculator& calculator, std::span<const double> table,
                                       const std::string& quantity, int nodes, const RemovalSettings& s) {
  const SubsetOrder order = subset_order(calculator, table);
  std::vector<RemovalMoments> rows;
  for (const double keep : s.keep) {
    const KeepWeights weights(nodes, keep);
    const SubsetMoments m = subset_moments(calculator, table, weights);
    const SubsetDistribution d = subset_distribution(order, weights);
    RemovalMoments row{quantity, keep, {m.mean, 0}, {m.sd, 0}, {}, m.skewness, m.kurtosis, {}};
    row.normal = normal_fit(calculator, d, m);
    for (const double share : s.quantiles) row.quantiles.push_back({quantile_of(d, share), 0});
    rows.push_back(std::move(row));
  }
  return rows;
}

double sd_of(const ShapeMoments& m) { return m.count > 0 ? std::sqrt(m.m2 / m.count) : NAN; }

std::vector<RemovalNode> nodes_of(const GradientStatistics& gradients, const NodeValues& values) {
  std::vector<RemovalNode> nodes;
  for (std::size_t i = 0; i < values.shapley.size(); ++i) {
    const auto moments = [&](GradientOf of) {
      return gradients.moments({.of = of, .keep = 0, .node = static_cast<int>(i)});
    };
    const ShapeMoments loss = moments(GradientOf::loss), logs = moments(GradientOf::log_loss);
    nodes.push_back({{loss.mean, 0},
                     {sd_of(loss), 0},
                     {logs.mean, 0},
                     {sd_of(logs), 0},
                     {values.shapley[i], 0},
                     {values.banzhaf[i], 0}});
  }
  return nodes;
}

}  // namespace

std::optional<RemovalAnswer> enumerate_removals(const RemovalProblem& problem, const RemovalSettings& s) {
  const Calculator calculator(s.machine);
  const EnumeratedNetwork e = enumerated_network(problem, s.machine.threads);
  const int nodes = e.network.nodes;
  GradientStatistics gradients(
      {.nodes = nodes, .keep = {0.5}, .loss_bins = {-1, 1, kBins}, .log_loss_bins = {-1, 1, kBins}});
  SubsetSpec spec{.precision = s.precision, .stop = s.stop};
  if (s.progress)
    spec.progress = [&](std::int64_t done, std::int64_t all) {
      s.progress(static_cast<double>(done) / static_cast<double>(all));
    };
  RemovalAnswer answer;
  answer.exact = true;
  answer.table = for_subset_gradients(calculator, e.network, spec, [&](const SubsetGradientRange& range) {
    const double least = *std::min_element(range.losses.begin(), range.losses.end());
    if (!(least > 0))
      throw DataError(
          fmt::format("{}: without some of the nodes the loss is 0, which has no logarithm: the "
                      "model's margins are beyond what doubles hold",
                      problem.data));
    gradients.add(calculator, range.first, range.losses, range.gradients);
  });
  const SubsetTable& table = answer.table;
  if (table.loss.empty()) return std::nullopt;
  const auto points = static_cast<double>(table.points);
  answer.full_loss = table.loss.back(), answer.none_loss = table.loss.front();
  answer.full_accuracy = table.hits.back() / points, answer.none_accuracy = table.hits.front() / points;

  const std::vector<double> logs = log_table(calculator, table.loss);
  answer.moments = moments_of(calculator, table.loss, "loss", nodes, s);
  for (RemovalMoments& row : moments_of(calculator, logs, "log_loss", nodes, s))
    answer.moments.push_back(std::move(row));
  answer.nodes = nodes_of(gradients, node_values(calculator, table.loss));
  answer.interactions = interaction_variances(calculator, logs);
  for (const double value : distance_covariances(answer.interactions))
    answer.covariance.push_back({value, 0});
  answer.sizes = size_records(calculator, table.loss);
  answer.change = expected_change(calculator, table.loss, 0.25, 0.75);
  return answer;
}

}  // namespace shoal
