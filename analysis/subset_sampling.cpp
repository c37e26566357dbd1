#include "analysis/subset_sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "analysis/summary.h"
#include "kernels/philox.h"

namespace shoal {
namespace {

/// Streams of the designs.
enum class Design : std::uint64_t { moments = 0, flips = 1, growth = 2 };

/// Uniform numbers of one sample of a design.
class SampleStream {
 public:
  SampleStream(std::uint64_t seed, Design design, std::int64_t sample)
      : seed_(seed), stream_(static_cast<std::uint64_t>(sample) << 2 | static_cast<std::uint64_t>(design)) {}
  /// In [0, 1), 32 bits.
  double uniform() { return philox_word(seed_, stream_, next_++) * 0x1p-32; }
  bool coin() { return (philox_word(seed_, stream_, next_++) & 1) != 0; }
  /// Fisher & Yates.
  std::vector<int> order(int n) {
    std::vector<int> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    for (int i = n - 1; i > 0; --i)
      std::swap(order[static_cast<std::size_t>(i)],
                order[static_cast<std::size_t>(uniform() * static_cast<double>(i + 1))]);
    return order;
  }

 private:
  std::uint64_t seed_, stream_, next_ = 0;
};

void check(const SamplingSpec& spec) {
  if (spec.nodes < 1) throw std::invalid_argument("sampling: there are no nodes");
  if (spec.samples < 2 * kSamplingGroups)
    throw std::invalid_argument("sampling: at least " + std::to_string(2 * kSamplingGroups) +
                                " samples are needed");
}

/// P(K <= k) of the Binomial(n, p), k = 0 .. n.
std::vector<double> binomial_distribution(int n, double p) {
  std::vector<double> below;
  double sum = 0;
  for (int k = 0; k <= n; ++k) {
    const double ways = std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
    const double logs = (k ? k * std::log(p) : 0.0) + (n - k ? (n - k) * std::log1p(-p) : 0.0);
    sum += std::exp(ways + logs);
    below.push_back(sum);
  }
  for (double& share : below) share /= sum;
  return below;
}

Estimate estimate_of(std::span<const double> groups) {
  const Summary s = summarize(groups);
  return {s.mean, s.standard_error};
}

/// One statistic of each group of equally many values, as an estimate.
template <class Statistic>
Estimate over_groups(std::span<const double> values, const Statistic& statistic) {
  const std::size_t size = values.size() / kSamplingGroups;
  std::vector<double> groups;
  for (std::size_t g = 0; g < kSamplingGroups; ++g)
    groups.push_back(statistic(values.subspan(g * size, size)));
  return estimate_of(groups);
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Of the distribution, as close as its groups allow: the sd of all values, its error from leaving out one
/// group at a time (the jackknife; Wolter, chapter 4).
Estimate sd_of(std::span<const double> values) {
  const std::size_t size = values.size() / kSamplingGroups;
  std::vector<double> means, squares;
  const double centre = mean_of(values);
  for (std::size_t g = 0; g < kSamplingGroups; ++g) {
    double sum = 0, square = 0;
    for (const double v : values.subspan(g * size, size))
      sum += v - centre, square += (v - centre) * (v - centre);
    means.push_back(sum / static_cast<double>(size));
    squares.push_back(square / static_cast<double>(size));
  }
  const double all = mean_of(means), all_squares = mean_of(squares);
  const auto sd = [](double mean, double square) { return std::sqrt(std::max(0.0, square - mean * mean)); };
  constexpr double kGroups = kSamplingGroups;
  std::vector<double> left;
  for (std::size_t g = 0; g < kSamplingGroups; ++g)
    left.push_back(
        sd((kGroups * all - means[g]) / (kGroups - 1), (kGroups * all_squares - squares[g]) / (kGroups - 1)));
  const double middle = mean_of(left);
  double spread = 0;
  for (const double v : left) spread += (v - middle) * (v - middle);
  return {sd(all, all_squares), std::sqrt(spread * (kGroups - 1) / kGroups)};
}

}  // namespace

std::vector<NodeMask> moment_masks(const SamplingSpec& spec, double keep) {
  check(spec);
  if (!(keep >= 0 && keep <= 1))
    throw std::invalid_argument("sampling: a keep probability is outside of 0 to 1");
  const std::vector<double> below = binomial_distribution(spec.nodes, keep);
  const auto size_at = [&](double share) {
    const auto found = std::upper_bound(below.begin(), below.end(), share);
    return std::min(spec.nodes, static_cast<int>(found - below.begin()));
  };
  // A group is a number of mirrored pairs.
  const std::int64_t pairs = (spec.samples + 2 * kSamplingGroups - 1) / (2 * kSamplingGroups);
  const auto strata = static_cast<double>(2 * pairs);
  std::vector<NodeMask> masks;
  for (std::int64_t i = 0; i < kSamplingGroups * pairs; ++i) {
    SampleStream stream(spec.seed, Design::moments, i);
    const double j = static_cast<double>(i % pairs), u = stream.uniform();
    const int first = size_at((j + u) / strata), second = size_at((strata - 1 - j + (1 - u)) / strata);
    const std::vector<int> order = stream.order(spec.nodes);
    NodeMask a(order.size()), b(order.size());
    for (int k = 0; k < first; ++k) a[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])] = 1;
    for (int k = 0; k < second; ++k)
      b[static_cast<std::size_t>(order[order.size() - 1 - static_cast<std::size_t>(k)])] = 1;
    masks.push_back(std::move(a));
    masks.push_back(std::move(b));
  }
  return masks;
}

SampledMoments sampled_moments(std::span<const double> values, std::span<const double> shares) {
  SampledMoments m{over_groups(values, mean_of), sd_of(values), {}};
  for (const double share : shares) {
    const std::vector<double> all = sorted(values);
    Estimate e =
        over_groups(values, [&](std::span<const double> group) { return quantile(sorted(group), share); });
    e.value = quantile(all, share);
    m.quantiles.push_back(e);
  }
  return m;
}

ColumnEstimates grouped_columns(std::span<const double> values, int columns) {
  ColumnEstimates all;
  const std::size_t width = static_cast<std::size_t>(columns), rows = values.size() / width;
  for (std::size_t c = 0; c < width; ++c) {
    std::vector<double> column;
    for (std::size_t r = 0; r < rows; ++r) column.push_back(values[r * width + c]);
    all.mean.push_back(over_groups(column, mean_of));
    all.sd.push_back(sd_of(column));
  }
  return all;
}

namespace {

/// Paths of one group, as masks one behind the other: n + 1 a path.
struct Paths {
  std::vector<NodeMask> masks;
  std::vector<std::vector<int>> orders;  // [path] the node that each step changes
};

void add_path(Paths& paths, NodeMask mask, std::vector<int> order) {
  paths.masks.push_back(mask);
  for (const int node : order) {
    mask[static_cast<std::size_t>(node)] ^= 1;
    paths.masks.push_back(mask);
  }
  paths.orders.push_back(std::move(order));
}

Paths flip_paths(const SamplingSpec& spec, std::int64_t group, std::int64_t count) {
  Paths paths;
  for (std::int64_t i = 0; i < count; ++i) {
    SampleStream stream(spec.seed, Design::flips, group * count + i);
    NodeMask start(static_cast<std::size_t>(spec.nodes));
    for (auto& kept : start) kept = stream.coin();
    add_path(paths, std::move(start), stream.order(spec.nodes));
  }
  return paths;
}

Paths growth_paths(const SamplingSpec& spec, std::int64_t group, std::int64_t pairs) {
  Paths paths;
  for (std::int64_t i = 0; i < pairs; ++i) {
    SampleStream stream(spec.seed, Design::growth, group * pairs + i);
    std::vector<int> order = stream.order(spec.nodes);
    const NodeMask none(static_cast<std::size_t>(spec.nodes));
    add_path(paths, none, order);
    std::reverse(order.begin(), order.end());
    add_path(paths, none, std::move(order));
  }
  return paths;
}

/// Mean over the paths of what having a node changes, [node].
std::vector<double> differences(const Paths& paths, std::span<const double> losses, int nodes) {
  std::vector<double> sum(static_cast<std::size_t>(nodes));
  std::size_t at = 0;
  for (const std::vector<int>& order : paths.orders) {
    for (const int node : order) {
      const auto i = static_cast<std::size_t>(node);
      const double change = losses[at + 1] - losses[at];
      sum[i] += paths.masks[at + 1][i] ? change : -change;
      ++at;
    }
    ++at;  // from the end of a path to the next one's beginning there is no step
  }
  for (double& value : sum) value /= static_cast<double>(paths.orders.size());
  return sum;
}

/// Sums over the paths of (x_i - centre) (x_(i + d) - centre), by d, divided by how many they are.
std::vector<double> products(std::span<const double> values, int nodes, double centre) {
  const auto length = static_cast<std::size_t>(nodes) + 1;
  std::vector<double> sum(length);
  for (std::size_t path = 0; path < values.size(); path += length)
    for (std::size_t d = 0; d < length; ++d)
      for (std::size_t i = 0; i + d < length; ++i)
        sum[d] += (values[path + i] - centre) * (values[path + i + d] - centre);
  for (std::size_t d = 0; d < length; ++d)
    sum[d] /= static_cast<double>(values.size() / length * (length - d));
  return sum;
}

std::vector<Estimate> estimates_by_column(const std::vector<std::vector<double>>& groups) {
  std::vector<Estimate> all;
  for (std::size_t c = 0; c < groups.front().size(); ++c) {
    std::vector<double> column;
    for (const auto& group : groups) column.push_back(group[c]);
    all.push_back(estimate_of(column));
  }
  return all;
}

}  // namespace

PathValues sampled_paths(const SamplingSpec& spec, const LossesOf& losses_of) {
  check(spec);
  const std::int64_t length = spec.nodes + 1,
                     flips = std::max<std::int64_t>(1, spec.samples / (kSamplingGroups * length)),
                     pairs = std::max<std::int64_t>(1, spec.samples / (2 * kSamplingGroups * length));
  std::vector<std::vector<double>> banzhaf, shapley, logs;
  for (std::int64_t g = 0; g < kSamplingGroups; ++g) {
    const Paths flip = flip_paths(spec, g, flips), growth = growth_paths(spec, g, pairs);
    std::vector<double> values = losses_of(flip.masks);
    const std::vector<double> grown = values.empty() ? values : losses_of(growth.masks);
    if (grown.empty()) return {};
    banzhaf.push_back(differences(flip, values, spec.nodes));
    shapley.push_back(differences(growth, grown, spec.nodes));
    for (double& value : values) {
      if (!(value > 0 && std::isfinite(value)))
        throw std::invalid_argument("sampling: a loss is not a number above 0");
      value = std::log(value);
    }
    logs.push_back(std::move(values));
  }
  // One centre for all groups: with a mean of its own a small group would be off by that mean's variance.
  std::vector<double> all;
  for (const auto& group : logs) all.insert(all.end(), group.begin(), group.end());
  const double centre = mean_of(all);
  std::vector<std::vector<double>> covariances;
  for (const auto& group : logs) covariances.push_back(products(group, spec.nodes, centre));
  return {estimates_by_column(covariances), estimates_by_column(banzhaf), estimates_by_column(shapley)};
}

}  // namespace shoal
