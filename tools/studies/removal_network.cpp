#include "tools/studies/removal_network.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/subset_interactions.h"
#include "engine/exact_outputs.h"
#include "tools/studies/removal_curves.h"

namespace shoal {
namespace {

/// A bin a tenth of the bandwidth wide blurs a density by less than 0.1 %.
constexpr double kBinWidth = kRemovalBandwidth / 10;
constexpr double kMostLogGradient = 6;

/// d loss / d b_i of the whole network at every point: [point][node]; and the loss at every point.
struct PointGradients {
  std::vector<double> losses, gradients;
};

PointGradients point_gradients(const RemovalTask& t) {
  PointGradients p;
  const auto nodes = static_cast<std::size_t>(t.nodes), classes = static_cast<std::size_t>(t.classes);
  std::vector<double> logits(classes);
  for (std::size_t i = 0; i < t.labels.size(); ++i) {
    const double* y = t.outputs.data() + i * nodes;
    for (std::size_t c = 0; c < classes; ++c) {
      logits[c] = t.base[i * classes + c];
      for (std::size_t n = 0; n < nodes; ++n) logits[c] += y[n] * t.weights[n * classes + c];
    }
    const double most = *std::ranges::max_element(logits);
    double sum = 0;
    for (const double z : logits) sum += std::exp(z - most);
    const auto label = static_cast<std::size_t>(t.labels[i]);
    p.losses.push_back(std::log(sum) + most - logits[label]);
    for (std::size_t n = 0; n < nodes; ++n) {
      double slope = 0;
      for (std::size_t c = 0; c < classes; ++c)
        slope += (std::exp(logits[c] - most) / sum - (c == label ? 1.0 : 0.0)) * t.weights[n * classes + c];
      p.gradients.push_back(y[n] * slope);
    }
  }
  return p;
}

RemovalRing ring_of(const RemovalTask& t) {
  constexpr double kBin = 0.1;
  constexpr std::size_t kBins = 14;
  const PointGradients p = point_gradients(t);
  const auto nodes = static_cast<std::size_t>(t.nodes);
  RemovalRing ring;
  double all_loss = 0, all_gradient = 0;
  std::vector<double> count(kBins), loss(kBins), gradient(kBins);
  for (std::size_t i = 0; i < t.labels.size(); ++i) {
    const double r = std::hypot(t.points[2 * i], t.points[2 * i + 1]);
    double size = 0;
    for (std::size_t n = 0; n < nodes; ++n) size += std::abs(p.gradients[i * nodes + n]);
    all_loss += p.losses[i], all_gradient += size;
    if (std::abs(r - t.radius) <= kRingWidth)
      ring.points += 1, ring.loss += p.losses[i], ring.gradient += size;
    const auto bin = std::min(static_cast<std::size_t>(r / kBin), kBins - 1);
    count[bin] += 1, loss[bin] += p.losses[i], gradient[bin] += size;
  }
  ring.points /= static_cast<double>(t.labels.size()), ring.loss /= all_loss, ring.gradient /= all_gradient;
  for (std::size_t b = 0; b < kBins; ++b) {
    if (count[b] == 0) continue;
    ring.distance.push_back((static_cast<double>(b) + 0.5) * kBin);
    ring.mean_loss.push_back(loss[b] / count[b]), ring.mean_gradient.push_back(gradient[b] / count[b]);
  }
  return ring;
}

/// Where a node pushes the output, and how strongly: the mean over the points of its part of the margin
/// (class 1 less class 0) times the point.
std::vector<double> node_vectors(const RemovalTask& t) {
  const auto nodes = static_cast<std::size_t>(t.nodes), classes = static_cast<std::size_t>(t.classes);
  std::vector<double> vectors(2 * nodes);
  for (std::size_t i = 0; i < t.labels.size(); ++i)
    for (std::size_t n = 0; n < nodes; ++n) {
      const double part = t.outputs[i * nodes + n] * (t.weights[n * classes + 1] - t.weights[n * classes]) /
                          static_cast<double>(t.count());
      vectors[2 * n] += part * t.points[2 * i], vectors[2 * n + 1] += part * t.points[2 * i + 1];
    }
  return vectors;
}

/// No gradient of a node is larger: analysis/subset_gradients.h, bins_for.
double largest_gradient(const RemovalTask& t) {
  const auto nodes = static_cast<std::size_t>(t.nodes), classes = static_cast<std::size_t>(t.classes);
  double largest = 0;
  for (std::size_t n = 0; n < nodes; ++n) {
    const auto row = std::span(t.weights).subspan(n * classes, classes);
    double mean = 0;
    for (std::size_t i = 0; i < t.labels.size(); ++i) mean += t.outputs[i * nodes + n];
    mean /= static_cast<double>(t.count());
    largest = std::max(largest, mean * (*std::ranges::max_element(row) - *std::ranges::min_element(row)));
  }
  return largest;
}

GradientStatistics statistics_for(const RemovalTask& t) {
  // A network all of whose nodes are dead has no gradient but 0.
  const double largest = std::max(largest_gradient(t), kRemovalBandwidth);
  GradientStatisticsSpec spec;
  spec.nodes = t.nodes, spec.keep.assign(kRemovalKeeps.begin(), kRemovalKeeps.end());
  spec.loss_bins = bins_for(largest, kBinWidth);
  spec.log_loss_bins = bins_for(kMostLogGradient, kBinWidth);
  return GradientStatistics(std::move(spec));
}

std::array<RemovalSpread, 3> spreads_of(const Calculator& calculator, std::span<const double> table,
                                        int nodes) {
  const SubsetOrder order = subset_order(calculator, table);
  std::array<RemovalSpread, 3> spreads{};
  for (std::size_t k = 0; k < kRemovalKeeps.size(); ++k) {
    const KeepWeights weights(nodes, kRemovalKeeps[k]);
    const SubsetDistribution d = subset_distribution(order, weights);
    spreads[k].moments = subset_moments(calculator, table, weights);
    spreads[k].fit = normal_fit(calculator, d, spreads[k].moments);
    for (std::size_t q = 0; q < kRemovalQuantiles.size(); ++q)
      spreads[k].quantiles[q] = quantile_of(d, kRemovalQuantiles[q]);
  }
  return spreads;
}

std::vector<double> correlations(std::vector<double> covariances) {
  const double variance = covariances[0];
  for (double& c : covariances) c /= variance;
  return covariances;
}

void set_nodes(RemovalNetwork& net, const RemovalTask& t, const NodeValues& values,
               const GradientStatistics& g) {
  const auto nodes = static_cast<std::size_t>(t.nodes);
  for (int n = 0; n < t.nodes; ++n) {
    const auto at = static_cast<std::size_t>(n);
    StudiedNode node;
    for (std::size_t i = 0; i < t.labels.size(); ++i) node.active += t.outputs[i * nodes + at] > 0;
    node.active /= static_cast<double>(t.count());
    node.shapley = values.shapley[at], node.banzhaf = values.banzhaf[at];
    const ShapeMoments of_loss = g.moments({.of = GradientOf::loss, .keep = kMiddleKeep, .node = n}),
                       of_log = g.moments({.of = GradientOf::log_loss, .keep = kMiddleKeep, .node = n});
    node.mean_gradient = of_loss.mean, node.sd_gradient = std::sqrt(variance(of_loss));
    node.mean_log_gradient = of_log.mean, node.sd_log_gradient = std::sqrt(variance(of_log));
    net.alive += node.alive(), net.bias_nodes += node.active >= kBiasActive;
    net.node.push_back(node);
  }
}

RemovalSlopes slopes_of(const RemovalNetwork& net, const GradientStatistics& g, GradientOf of, int keep) {
  std::vector<ShapeMoments> parts;
  for (int n = 0; n < net.nodes; ++n)
    if (net.node[static_cast<std::size_t>(n)].alive())
      parts.push_back(g.moments({.of = of, .keep = keep, .node = n}));
  const ShapeMoments m = merge_all(std::move(parts));
  if (m.count == 0) return {NAN, NAN, NAN, {}};
  return {m.mean, std::sqrt(variance(m)), kurtosis(m),
          trough_of(gradient_density(alive_histogram(net, g, of, keep), m))};
}

}  // namespace

RemovalTask removal_task(const Layers& layers, const Task& task, const DataView& data, double radius,
                         const MachineSpec& machine) {
  RemovalTask t;
  const LayerWeights& last = layers.back();
  t.nodes = last.inputs, t.classes = last.outputs, t.layers = static_cast<int>(layers.size()) - 1,
  t.radius = radius;
  t.outputs = exact_outputs(std::span(layers).first(layers.size() - 1), LastLayer::relu, data, task.scale,
                            task.shift, machine.threads);
  for (int n = 0; n < t.nodes; ++n)
    for (int c = 0; c < t.classes; ++c)
      t.weights.push_back(last.weight[static_cast<std::size_t>(c) * static_cast<std::size_t>(t.nodes) +
                                      static_cast<std::size_t>(n)]);
  for (std::int64_t i = 0; i < data.count; ++i) {
    t.base.insert(t.base.end(), last.bias.begin(), last.bias.end());
    t.points.insert(t.points.end(), data.values + 2 * i, data.values + 2 * i + 2);
    t.labels.push_back(data.labels[i]);
  }
  return t;
}

Trough trough_of(const Density& d) {
  std::size_t left = d.x.size(), right = d.x.size();
  for (std::size_t i = 0; i < d.x.size(); ++i) {
    if (d.x[i] < 0 && (left == d.x.size() || d.y[i] > d.y[left])) left = i;
    if (d.x[i] > 0 && (right == d.x.size() || d.y[i] > d.y[right])) right = i;
  }
  if (left == d.x.size() || right == d.x.size()) return {};
  const auto begin = d.y.begin() + static_cast<std::ptrdiff_t>(left),
             end = d.y.begin() + static_cast<std::ptrdiff_t>(right) + 1;
  const auto lowest = std::min_element(begin, end);
  const double peak = std::min(d.y[left], d.y[right]);
  if (!(peak > 0)) return {};
  return {1 - *lowest / peak, d.x[static_cast<std::size_t>(lowest - d.y.begin())]};
}

double flips_until_unrelated(std::span<const double> correlation) {
  for (std::size_t d = 1; d < correlation.size(); ++d)
    if (correlation[d] < kUnrelated)
      return static_cast<double>(d - 1) +
             (correlation[d - 1] - kUnrelated) / (correlation[d - 1] - correlation[d]);
  return static_cast<double>(correlation.size()) - 1;
}

std::optional<RemovalMeasured> measure_removal(
    const Calculator& calculator, const RemovalTask& t, bool curves,
    const std::function<void(std::int64_t, std::int64_t)>& progress, const std::atomic<bool>* stop) {
  GradientStatistics gradients = statistics_for(t);
  SubsetSpec spec;
  spec.hits = false, spec.progress = progress, spec.stop = stop;
  const SubsetTable table = for_subset_gradients(
      calculator, t.network(), spec,
      [&](const SubsetGradientRange& r) { gradients.add(calculator, r.first, r.losses, r.gradients); });
  if (table.loss.empty()) return std::nullopt;
  const std::vector<double>& loss = table.loss;
  const std::vector<double> logs = log_table(calculator, loss);

  RemovalMeasured measured;
  RemovalNetwork& net = measured.network;
  net.layers = t.layers, net.nodes = t.nodes, net.full_loss = loss.back(), net.empty_loss = loss.front();
  net.loss = spreads_of(calculator, loss, t.nodes), net.log_loss = spreads_of(calculator, logs, t.nodes);
  set_nodes(net, t, node_values(calculator, loss), gradients);
  for (int keep = 0; keep < 3; ++keep) {
    net.gradient[static_cast<std::size_t>(keep)] = slopes_of(net, gradients, GradientOf::loss, keep);
    net.log_gradient[static_cast<std::size_t>(keep)] = slopes_of(net, gradients, GradientOf::log_loss, keep);
  }
  net.change = expected_change(calculator, loss, kRemovalKeeps.front(), kRemovalKeeps.back());
  for (const StudiedNode& node : net.node)
    net.gradient_change += node.mean_gradient * (kRemovalKeeps.back() - kRemovalKeeps.front());
  std::vector<double> orders = interaction_variances(calculator, logs);
  const std::vector<double> covariances = distance_covariances(orders);
  net.correlation = correlations(covariances);
  net.loss_correlation = correlations(distance_covariances(interaction_variances(calculator, loss)));
  orders.erase(orders.begin());
  for (double& v : orders) v /= covariances[0];
  net.orders = std::move(orders);
  const std::vector<double> lengths = resultant_lengths(calculator, node_vectors(t));
  net.balance = subset_balance(calculator, logs, lengths);
  net.ring = ring_of(t);
  net.sizes = size_records(calculator, loss);
  const Subset all = static_cast<Subset>(loss.size() - 1);
  const auto best = std::ranges::min_element(net.sizes, {}, &SizeRecord::lowest);
  net.full_rank = rank_of(calculator, loss, all);
  net.best_complement_rank = rank_of(calculator, loss, complement_of(best->lowest_subset, t.nodes));
  if (curves)
    measured.curves = removal_curves(calculator, net, {loss, logs, lengths, covariances}, gradients);
  return measured;
}

}  // namespace shoal
