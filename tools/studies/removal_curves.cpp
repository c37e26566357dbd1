#include "tools/studies/removal_curves.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "analysis/normal.h"

namespace shoal {
namespace {

constexpr int kPoints = 401;

void add_normal(RemovalShape& shape, double mean, double sd) {
  if (!(sd > 0)) return;
  shape.normal_density.x = shape.normal_share.x = shape.density.x;
  for (const double x : shape.density.x) {
    const double z = (x - mean) / sd;
    shape.normal_density.y.push_back(std::exp(-0.5 * z * z) / (sd * std::sqrt(2 * std::numbers::pi)));
    shape.normal_share.y.push_back(normal_upper_tail(-z));
  }
}

/// A quantity's three distributions on one common range.
std::array<RemovalShape, 3> shapes_of(const Calculator& calculator, std::span<const double> table, int nodes,
                                      const std::array<RemovalSpread, 3>& spreads) {
  constexpr double kMargin = 4 * kRemovalBandwidth, kTail = 0.001;
  const SubsetOrder order = subset_order(calculator, table);
  std::array<SubsetDistribution, 3> distributions;
  double from = INFINITY, to = -INFINITY;
  for (std::size_t k = 0; k < 3; ++k) {
    distributions[k] = subset_distribution(order, KeepWeights(nodes, kRemovalKeeps[k]));
    from = std::min(from, quantile_of(distributions[k], kTail) - kMargin);
    to = std::max(to, quantile_of(distributions[k], 1 - kTail) + kMargin);
  }
  std::array<RemovalShape, 3> shapes;
  for (std::size_t k = 0; k < 3; ++k) {
    const Density d =
        subset_density(calculator, table, KeepWeights(nodes, kRemovalKeeps[k]),
                       {.from = from, .to = to, .points = kPoints, .bandwidth = kRemovalBandwidth});
    shapes[k].density = {d.x, d.y}, shapes[k].share.x = d.x;
    for (const double x : d.x) shapes[k].share.y.push_back(share_below(distributions[k], x));
    add_normal(shapes[k], spreads[k].moments.mean, spreads[k].moments.sd);
  }
  return shapes;
}

/// Share of the weight up to each x.
RemovalCurve share_of(const WeightedHistogram& h, const std::vector<double>& x) {
  RemovalCurve curve{x, {}};
  const double total = h.total(), width = h.bin_width();
  double sum = h.below;
  std::size_t bin = 0;
  for (const double at : x) {
    while (bin < h.weights.size() && h.from + static_cast<double>(bin + 1) * width <= at)
      sum += h.weights[bin++];
    curve.y.push_back(sum / total);
  }
  return curve;
}

RemovalShape shape_of_gradients(const WeightedHistogram& h, const ShapeMoments& m) {
  RemovalShape shape;
  const Density d = gradient_density(h, m);
  if (d.y.empty()) return shape;
  shape.density = {d.x, d.y}, shape.share = share_of(h, d.x);
  add_normal(shape, m.mean, std::sqrt(variance(m)));
  return shape;
}

ShapeMoments alive_moments(const RemovalNetwork& net, const GradientStatistics& g, GradientOf of, int keep,
                           NodeState state) {
  std::vector<ShapeMoments> parts;
  for (int n = 0; n < net.nodes; ++n)
    if (net.node[static_cast<std::size_t>(n)].alive())
      parts.push_back(g.moments({.of = of, .keep = keep, .node = n, .state = state}));
  return merge_all(std::move(parts));
}

/// Twenty equal crowds by length of the subsets of half of the nodes.
void add_balance(RemovalCurves& curves, const RemovalNetwork& net, const RemovalTables& tables) {
  constexpr std::size_t kCrowds = 20;
  std::vector<std::pair<double, double>> found;  // length, quantity
  const auto half = static_cast<unsigned>(net.nodes / 2);
  for (std::size_t s = 0; s < tables.loss.size(); ++s)
    if (static_cast<unsigned>(std::popcount(s)) == half)
      found.emplace_back(tables.lengths[s], tables.log_loss[s]);
  std::ranges::sort(found);
  if (found.size() < kCrowds) return;
  for (std::size_t c = 0; c < kCrowds; ++c) {
    const std::size_t first = found.size() * c / kCrowds, last = found.size() * (c + 1) / kCrowds;
    double length = 0, mean = 0;
    std::vector<double> values;
    for (std::size_t i = first; i < last; ++i)
      length += found[i].first, mean += found[i].second, values.push_back(found[i].second);
    std::ranges::sort(values);
    length /= static_cast<double>(values.size());
    for (RemovalCurve* curve : {&curves.balance_mean, &curves.balance_low, &curves.balance_high})
      curve->x.push_back(length);
    curves.balance_mean.y.push_back(mean / static_cast<double>(values.size()));
    curves.balance_low.y.push_back(values[values.size() / 4]);
    curves.balance_high.y.push_back(values[values.size() * 3 / 4]);
  }
}

}  // namespace

WeightedHistogram alive_histogram(const RemovalNetwork& net, const GradientStatistics& g, GradientOf of,
                                  int keep, NodeState state) {
  WeightedHistogram all;
  for (int n = 0; n < net.nodes; ++n) {
    if (!net.node[static_cast<std::size_t>(n)].alive()) continue;
    WeightedHistogram h = g.histogram({.of = of, .keep = keep, .node = n, .state = state});
    if (all.weights.empty()) {
      all = std::move(h);
      continue;
    }
    for (std::size_t i = 0; i < all.weights.size(); ++i) all.weights[i] += h.weights[i];
    all.below += h.below, all.above += h.above;
  }
  return all;
}

Density gradient_density(const WeightedHistogram& h, const ShapeMoments& m) {
  constexpr double kStep = kRemovalBandwidth / 6;
  const double reach = std::abs(m.mean) + std::max(4 * std::sqrt(variance(m)), 4 * kRemovalBandwidth);
  if (!std::isfinite(reach)) return {};
  const double steps = std::clamp(std::ceil(reach / kStep), 1.0, 2000.0);
  return smoothed(h, {.from = -steps * kStep,
                      .to = steps * kStep,
                      .points = 2 * static_cast<int>(steps) + 1,
                      .bandwidth = kRemovalBandwidth});
}

RemovalCurves removal_curves(const Calculator& calculator, const RemovalNetwork& net,
                             const RemovalTables& tables, const GradientStatistics& g) {
  RemovalCurves curves;
  curves.loss = shapes_of(calculator, tables.loss, net.nodes, net.loss);
  curves.log_loss = shapes_of(calculator, tables.log_loss, net.nodes, net.log_loss);
  for (int keep = 0; keep < 3; ++keep)
    for (const GradientOf of : {GradientOf::loss, GradientOf::log_loss})
      (of == GradientOf::loss ? curves.gradient : curves.log_gradient)[static_cast<std::size_t>(keep)] =
          shape_of_gradients(alive_histogram(net, g, of, keep),
                             alive_moments(net, g, of, keep, NodeState::either));
  curves.by_node.resize(static_cast<std::size_t>(net.nodes));
  for (const bool on : {false, true}) {
    const NodeState state = on ? NodeState::on : NodeState::off;
    curves.state[on] = shape_of_gradients(alive_histogram(net, g, GradientOf::log_loss, kMiddleKeep, state),
                                          alive_moments(net, g, GradientOf::log_loss, kMiddleKeep, state));
    for (int n = 0; n < net.nodes; ++n) {
      const GradientChoice choice{GradientOf::log_loss, kMiddleKeep, n, state};
      if (net.node[static_cast<std::size_t>(n)].alive())
        curves.by_node[static_cast<std::size_t>(n)][on] =
            shape_of_gradients(g.histogram(choice), g.moments(choice));
    }
  }
  for (std::size_t d = 0; d < tables.covariances.size(); ++d)
    curves.covariance.x.push_back(static_cast<double>(d)),
        curves.covariance.y.push_back(tables.covariances[d]);
  add_balance(curves, net, tables);
  return curves;
}

}  // namespace shoal
