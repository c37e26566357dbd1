#include "analysis/subset_distribution.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <string>

#include "analysis/long_sum.h"
#include "analysis/normal.h"

namespace shoal {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

void check_weights(int nodes, const KeepWeights& weights) {
  if (weights.nodes() != nodes)
    throw std::invalid_argument("the table is of " + std::to_string(nodes) +
                                " nodes, the probabilities are of " + std::to_string(weights.nodes()));
}

/// Weights of the subsets first .. last - 1, at most a chunk.
struct ChunkWeights {
  ChunkWeights(const KeepWeights& w, std::int64_t first, std::int64_t last)
      : count(static_cast<std::size_t>(last - first)) {
    for (std::size_t i = 0; i < count; ++i)
      values[i] = w(static_cast<Subset>(first) + static_cast<Subset>(i));
  }
  std::span<const double> span() const { return {values.data(), count}; }

  std::array<double, kTableChunk> values;
  std::size_t count;
};

/// A value and its subset, for sorting.
struct Atom {
  double value;
  Subset subset;
  bool operator<(const Atom& other) const {
    return value != other.value ? value < other.value : subset < other.subset;
  }
};

/// Sorted runs of `run` atoms become sorted runs of twice as many.
void merge_runs(const Calculator& calculator, std::span<const Atom> from, std::span<Atom> to,
                std::size_t run) {
  const std::size_t pairs = (from.size() + 2 * run - 1) / (2 * run);
  calculator.for_each(static_cast<int>(pairs), [&](int pair) {
    const std::size_t first = 2 * run * static_cast<std::size_t>(pair),
                      middle = std::min(first + run, from.size()), last = std::min(middle + run, from.size());
    const auto begin = from.begin();
    std::merge(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(middle),
               begin + static_cast<std::ptrdiff_t>(middle), begin + static_cast<std::ptrdiff_t>(last),
               to.begin() + static_cast<std::ptrdiff_t>(first));
  });
}

/// ln P(Z <= z) and ln P(Z > z)
struct LogTails {
  explicit LogTails(double z) : below(log_normal_upper_tail(-z)), above(log_normal_upper_tail(z)) {}
  double below, above;
};

/// What some of the values add to A2 + 1, and the largest distance at them.
struct FitPart {
  LongSum darling;
  double distance = 0;
};

FitPart fit_part(const SubsetDistribution& d, double mean, double sd, std::int64_t first, std::int64_t last) {
  FitPart part;
  for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
    const double w = d.weights[i];
    if (w == 0) continue;
    const double z = (d.values[i] - mean) / sd, below = i == 0 ? 0.0 : d.cumulative[i - 1],
                 here = d.cumulative[i];
    const double share = normal_upper_tail(-z);
    const LogTails logs(z);
    part.distance = std::max({part.distance, std::abs(here - share), std::abs(below - share)});
    part.darling.add(w * ((here + below) * logs.below + (2 - here - below) * logs.above));
  }
  return part;
}

constexpr int kOrders = 9;  // moments of a box
constexpr double kBoxesPerBandwidth = 4, kReach = 8;
constexpr std::array<double, kOrders> kInverse{1,      1 / 2., 1 / 3., 1 / 4., 1 / 5.,
                                               1 / 6., 1 / 7., 1 / 8., 1 / 9.};
using Box = std::array<double, kOrders>;  // sum of w u^k / k!, u = (x - centre) / bandwidth

/// Boxes [from + i width, from + (i + 1) width).
struct Boxes {
  double from, width, bandwidth;
  std::vector<Box> moments;

  double centre(std::size_t i) const { return from + (static_cast<double>(i) + 0.5) * width; }
  void add(double x, double w) {
    const auto i = std::min(static_cast<std::size_t>(std::max((x - from) / width, 0.0)), moments.size() - 1);
    const double u = (x - centre(i)) / bandwidth;
    double term = w;
    for (int k = 0; k < kOrders; ++k) {
      moments[i][static_cast<std::size_t>(k)] += term;
      term *= u * kInverse[static_cast<std::size_t>(k)];
    }
  }
  /// Sum over all values of w exp(-((at - x) / bandwidth)^2 / 2). With v = (at - centre) / bandwidth,
  /// exp(-(v - u)^2 / 2) = exp(-v^2 / 2) sum_k He_k(v) u^k / k!.
  double kernel_sum(double at) const {
    const double reach = kReach * bandwidth;
    const double first = std::floor((at - reach - from) / width),
                 last = std::floor((at + reach - from) / width);
    double sum = 0;
    for (double i = std::max(first, 0.0); i <= last && i < static_cast<double>(moments.size()); ++i) {
      const Box& box = moments[static_cast<std::size_t>(i)];
      const double v = (at - centre(static_cast<std::size_t>(i))) / bandwidth;
      double before = 0, hermite = 1, inner = 0;
      for (int k = 0; k < kOrders; ++k) {
        inner += hermite * box[static_cast<std::size_t>(k)];
        const double next = v * hermite - k * before;
        before = hermite, hermite = next;
      }
      sum += std::exp(-0.5 * v * v) * inner;
    }
    return sum;
  }
};

}  // namespace

SubsetMoments subset_moments(const Calculator& calculator, std::span<const double> table,
                             const KeepWeights& weights) {
  check_weights(table_nodes(table), weights);
  const ShapeMoments m = merge_all(
      over_chunks<ShapeMoments>(calculator, weights.subsets(), [&](std::int64_t first, std::int64_t last) {
        const ChunkWeights w(weights, first, last);
        return weighted_shape(table.subspan(static_cast<std::size_t>(first), w.count), w.span());
      }));
  if (m.min == m.max) return {m.min, 0, kNone, kNone, m.min, m.max};
  return {m.mean, std::sqrt(variance(m)), skewness(m), kurtosis(m), m.min, m.max};
}

SubsetOrder subset_order(const Calculator& calculator, std::span<const double> table) {
  table_nodes(table);
  std::vector<Atom> atoms(table.size()), other(table.size());
  over_chunks<char>(calculator, static_cast<std::int64_t>(table.size()),
                    [&](std::int64_t first, std::int64_t last) {
                      for (auto s = static_cast<std::size_t>(first); s < static_cast<std::size_t>(last); ++s)
                        atoms[s] = {table[s], static_cast<Subset>(s)};
                      std::sort(atoms.begin() + first, atoms.begin() + last);
                      return char{};
                    });
  for (std::size_t run = kTableChunk; run < atoms.size(); run *= 2) {
    merge_runs(calculator, atoms, other, run);
    atoms.swap(other);
  }
  other = {};
  SubsetOrder order;
  order.values.reserve(atoms.size()), order.subsets.reserve(atoms.size());
  for (const Atom& a : atoms) order.values.push_back(a.value), order.subsets.push_back(a.subset);
  return order;
}

SubsetDistribution subset_distribution(const SubsetOrder& order, const KeepWeights& weights) {
  check_weights(table_nodes(order.values), weights);
  SubsetDistribution d;
  d.values = order.values;
  d.weights.reserve(order.subsets.size()), d.cumulative.reserve(order.subsets.size());
  LongSum sum;
  for (const Subset s : order.subsets) {
    d.weights.push_back(weights(s));
    sum.add(d.weights.back());
    d.cumulative.push_back(std::min(sum.value(), 1.0));
  }
  // All weights together are 1, whatever their roundings: nothing may lie above the last value that can
  // occur.
  for (std::size_t i = d.weights.size(); i-- > 0;) {
    d.cumulative[i] = 1;
    if (d.weights[i] > 0) break;
  }
  return d;
}

double quantile_of(const SubsetDistribution& d, double share) {
  if (!(share >= 0 && share <= 1))
    throw std::invalid_argument("a quantile is of a share between 0 and 1, not " + std::to_string(share));
  const auto found =
      share > 0 ? std::ranges::lower_bound(d.cumulative, share) : std::ranges::upper_bound(d.cumulative, 0.0);
  return d.values[static_cast<std::size_t>(found - d.cumulative.begin())];
}

double share_below(const SubsetDistribution& d, double x) {
  const auto above = std::ranges::upper_bound(d.values, x) - d.values.begin();
  return above == 0 ? 0.0 : d.cumulative[static_cast<std::size_t>(above) - 1];
}

NormalFit normal_fit(const Calculator& calculator, const SubsetDistribution& d, const SubsetMoments& m) {
  if (!(m.sd > 0)) return {m.mean, m.sd, kNone, kNone};
  const std::vector<FitPart> parts = over_chunks<FitPart>(
      calculator, static_cast<std::int64_t>(d.values.size()),
      [&](std::int64_t first, std::int64_t last) { return fit_part(d, m.mean, m.sd, first, last); });
  FitPart all;
  all.darling.add(1.0);
  for (const FitPart& p : parts)
    all.darling.add(p.darling), all.distance = std::max(all.distance, p.distance);
  return {m.mean, m.sd, all.distance, -all.darling.value()};
}

Density subset_density(const Calculator& calculator, std::span<const double> table,
                       const KeepWeights& weights, const DensitySpec& spec) {
  check_weights(table_nodes(table), weights);
  if (!(spec.bandwidth > 0) || !std::isfinite(spec.bandwidth) || spec.lower_bound || spec.points < 2)
    throw std::invalid_argument(
        "the density of subsets needs a bandwidth above 0, no lower bound and 2 points");
  // Values that no point can see are left out of the boxes.
  const double width = spec.bandwidth / kBoxesPerBandwidth, reach = (kReach + 1) * spec.bandwidth;
  const double low = std::min(spec.from, spec.to) - reach, high = std::max(spec.from, spec.to) + reach;
  constexpr double kMostBoxes = 1 << 20;
  if (!((high - low) / width < kMostBoxes))
    throw std::invalid_argument("a bandwidth of " + std::to_string(spec.bandwidth) +
                                " is too small for the range of the density");
  Boxes boxes{low, width, spec.bandwidth, {}};
  boxes.moments.resize(static_cast<std::size_t>(std::ceil((high - low) / width)));
  for (std::size_t s = 0; s < table.size(); ++s)
    if (table[s] >= low && table[s] < high) boxes.add(table[s], weights(static_cast<Subset>(s)));
  Density density{spec.bandwidth, std::vector<double>(static_cast<std::size_t>(spec.points)),
                  std::vector<double>(static_cast<std::size_t>(spec.points))};
  const double scale = 1 / (spec.bandwidth * std::sqrt(2 * std::numbers::pi));
  calculator.for_each(spec.points, [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    density.x[at] = std::lerp(spec.from, spec.to, static_cast<double>(i) / (spec.points - 1));
    density.y[at] = std::max(scale * boxes.kernel_sum(density.x[at]), 0.0);
  });
  return density;
}

std::vector<double> expectation_gradient(const Calculator& calculator, std::span<const double> table,
                                         std::span<const double> keep) {
  const int nodes = table_nodes(table);
  check_weights(nodes, KeepWeights(keep));
  std::vector<double> gradient;
  for (int node = 0; node < nodes; ++node) {
    // With node i removed for certain, the weights of subsets without it are those of the other nodes.
    std::vector<double> others(keep.begin(), keep.end());
    others[static_cast<std::size_t>(node)] = 0;
    const KeepWeights weights(others);
    const Subset bit = Subset{1} << node;
    const auto parts =
        over_chunks<double>(calculator, weights.subsets(), [&](std::int64_t first, std::int64_t last) {
          double sum = 0;
          for (auto s = static_cast<Subset>(first); s < static_cast<Subset>(last); ++s)
            if (!(s & bit)) sum += weights(s) * (table[s | bit] - table[s]);
          return sum;
        });
    LongSum sum;
    for (const double p : parts) sum.add(p);
    gradient.push_back(sum.value());
  }
  return gradient;
}

ExpectedChange expected_change(const Calculator& calculator, std::span<const double> table, double from,
                               double to) {
  const int nodes = table_nodes(table);
  const auto mean = [&](double keep) {
    return subset_moments(calculator, table, KeepWeights(nodes, keep)).mean;
  };
  const std::vector<double> middle(static_cast<std::size_t>(nodes), 0.5 * from + 0.5 * to);
  ExpectedChange change{mean(from), mean(to), 0, 0};
  LongSum slope;
  for (const double d : expectation_gradient(calculator, table, middle)) slope.add(d);
  change.slope = slope.value(), change.straight = change.slope * (to - from);
  return change;
}

}  // namespace shoal
