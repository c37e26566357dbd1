#include "analysis/subset_gradients.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>

#include "analysis/long_sum.h"

namespace shoal {
namespace {

constexpr double kReach = 8;  // bandwidths
constexpr int kMostBins = 1 << 20;

void check_bins(const GradientBins& b) {
  if (!(b.from < b.to) || !std::isfinite(b.to - b.from) || b.count < 1 || b.count > kMostBins)
    throw std::invalid_argument(
        "a histogram of gradients needs 1 to 2^20 bins between two ascending numbers");
}

WeightedHistogram empty_histogram(const GradientBins& b) {
  return {b.from, b.to, std::vector<double>(static_cast<std::size_t>(b.count)), 0, 0};
}

void add_value(WeightedHistogram& h, double x, double w) {
  if (x < h.from) h.below += w;
  else if (x > h.to) h.above += w;
  else {
    const double at = (x - h.from) / (h.to - h.from) * static_cast<double>(h.weights.size());
    h.weights[std::min(static_cast<std::size_t>(at), h.weights.size() - 1)] += w;
  }
}

void add_histogram(WeightedHistogram& to, const WeightedHistogram& from) {
  for (std::size_t i = 0; i < to.weights.size(); ++i) to.weights[i] += from.weights[i];
  to.below += from.below, to.above += from.above;
}

/// The values of a chunk in one state of the node, with their weights.
struct Gathered {
  std::array<double, kTableChunk> values, weights;
  std::size_t count = 0;

  void add(double x, double w) { values[count] = x, weights[count++] = w; }
  std::span<const double> all_values() const { return {values.data(), count}; }
  std::span<const double> all_weights() const { return {weights.data(), count}; }
};

}  // namespace

double WeightedHistogram::total() const {
  LongSum sum;
  sum.add(below), sum.add(above);
  for (const double w : weights) sum.add(w);
  return sum.value();
}

double quantile_of(const WeightedHistogram& h, double share) {
  if (!(share >= 0 && share <= 1))
    throw std::invalid_argument("a quantile is of a share between 0 and 1, not " + std::to_string(share));
  const double total = h.total(), target = share * total;
  if (!(total > 0)) return std::numeric_limits<double>::quiet_NaN();
  if (h.below > 0 && target <= h.below) return -std::numeric_limits<double>::infinity();
  LongSum sum;
  sum.add(h.below);
  for (std::size_t i = 0; i < h.weights.size(); ++i) {
    const double before = sum.value();
    sum.add(h.weights[i]);
    if (h.weights[i] > 0 && sum.value() >= target) {
      const double within = std::clamp((target - before) / h.weights[i], 0.0, 1.0);
      return h.from + (static_cast<double>(i) + within) * h.bin_width();
    }
  }
  // Beyond the bins; or in them, and the sums differ in their last digits.
  return h.above > 0 ? std::numeric_limits<double>::infinity() : h.to;
}

Density smoothed(const WeightedHistogram& h, const DensitySpec& spec) {
  if (!(spec.bandwidth > 0) || !std::isfinite(spec.bandwidth) || spec.lower_bound || spec.points < 2)
    throw std::invalid_argument(
        "a smoothed histogram needs a bandwidth above 0, no lower bound and 2 points");
  Density density{spec.bandwidth, {}, {}};
  const double total = h.total(), width = h.bin_width();
  if (!(total > 0)) return density;
  const double scale = 1 / (total * spec.bandwidth * std::sqrt(2 * std::numbers::pi));
  const auto bins = static_cast<double>(h.weights.size());
  for (int point = 0; point < spec.points; ++point) {
    const double x = std::lerp(spec.from, spec.to, static_cast<double>(point) / (spec.points - 1));
    const double reach = kReach * spec.bandwidth;
    const auto first = std::clamp(std::floor((x - reach - h.from) / width), 0.0, bins),
               last = std::clamp(std::ceil((x + reach - h.from) / width), 0.0, bins);
    double sum = 0;
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      const double u = (x - h.from - (static_cast<double>(i) + 0.5) * width) / spec.bandwidth;
      sum += h.weights[i] * std::exp(-0.5 * u * u);
    }
    density.x.push_back(x), density.y.push_back(sum * scale);
  }
  return density;
}

GradientStatistics::GradientStatistics(GradientStatisticsSpec spec) : spec_(std::move(spec)) {
  if (spec_.keep.empty()) throw std::invalid_argument("statistics of gradients need a keep probability");
  check_bins(spec_.loss_bins), check_bins(spec_.log_loss_bins);
  for (const double keep : spec_.keep) weights_.emplace_back(spec_.nodes, keep);
  const std::size_t each = spec_.keep.size() * static_cast<std::size_t>(spec_.nodes) * 2;
  cells_.resize(2 * each);
  for (std::size_t i = 0; i < cells_.size(); ++i)
    cells_[i].histogram = empty_histogram(i < each ? spec_.loss_bins : spec_.log_loss_bins);
}

std::size_t GradientStatistics::place(GradientOf of, int keep, int node, bool on) const {
  const auto row = static_cast<std::size_t>(of == GradientOf::log_loss) * spec_.keep.size() +
                   static_cast<std::size_t>(keep);
  return (row * static_cast<std::size_t>(spec_.nodes) + static_cast<std::size_t>(node)) * 2 +
         static_cast<std::size_t>(on);
}

void GradientStatistics::add(const Calculator& calculator, std::int64_t first, std::span<const double> losses,
                             std::span<const double> gradients) {
  const auto nodes = static_cast<std::size_t>(spec_.nodes);
  const std::int64_t end = first + static_cast<std::int64_t>(losses.size());
  if (first < 0 || end > weights_.front().subsets() || gradients.size() != losses.size() * nodes)
    throw std::invalid_argument("a block of gradients of subsets " + std::to_string(first) + " to " +
                                std::to_string(end - 1) + " has " + std::to_string(gradients.size()) +
                                " values: it does not fit " + std::to_string(spec_.nodes) + " nodes");
  for (std::size_t s = 0; s < losses.size(); ++s)
    if (!(losses[s] > 0) || !std::isfinite(losses[s]))
      throw std::invalid_argument("the loss of subset " +
                                  std::to_string(first + static_cast<std::int64_t>(s)) + " is " +
                                  std::to_string(losses[s]) + ": its logarithm has no gradient");
  if (std::ranges::any_of(gradients, [](double x) { return !std::isfinite(x); }))
    throw std::invalid_argument("a gradient is not finite");
  std::vector<double> weights;  // [keep][count]
  for (const KeepWeights& w : weights_)
    for (std::int64_t s = first; s < end; ++s) weights.push_back(w(static_cast<Subset>(s)));
  // Nodes have cells of their own, so a task is a node.
  calculator.for_each(spec_.nodes, [&](int node) {
    add_node(node, first, losses,
             gradients.subspan(static_cast<std::size_t>(node) * losses.size(), losses.size()), weights);
  });
}

void GradientStatistics::add_node(int node, std::int64_t first, std::span<const double> losses,
                                  std::span<const double> gradients, std::span<const double> weights) {
  const std::size_t count = losses.size();
  for (std::size_t begin = 0; begin < count;) {
    // Up to the next multiple of the chunk.
    const std::int64_t subset = first + static_cast<std::int64_t>(begin);
    const std::size_t size =
        std::min(count - begin, static_cast<std::size_t>(kTableChunk - subset % kTableChunk));
    add_chunk(node, subset, losses.subspan(begin, size), gradients.subspan(begin, size),
              weights.subspan(begin), count);
    begin += size;
  }
}

void GradientStatistics::add_chunk(int node, std::int64_t first, std::span<const double> losses,
                                   std::span<const double> gradients, std::span<const double> weights,
                                   std::size_t stride) {
  Gathered gathered[2];
  for (const GradientOf of : {GradientOf::loss, GradientOf::log_loss})
    for (int keep = 0; keep < static_cast<int>(spec_.keep.size()); ++keep) {
      const double* w = weights.data() + static_cast<std::size_t>(keep) * stride;
      gathered[0].count = gathered[1].count = 0;
      for (std::size_t i = 0; i < losses.size(); ++i) {
        const bool on = (static_cast<std::size_t>(first) + i) >> node & 1;
        if (w[i] > 0)
          gathered[on].add(of == GradientOf::loss ? gradients[i] : gradients[i] / losses[i], w[i]);
      }
      for (const bool on : {false, true}) {
        const Gathered& g = gathered[on];
        Cell& cell = cells_[place(of, keep, node, on)];
        cell.moments = shoal::merge(cell.moments, weighted_shape(g.all_values(), g.all_weights()));
        for (std::size_t i = 0; i < g.count; ++i) add_value(cell.histogram, g.values[i], g.weights[i]);
      }
    }
}

void GradientStatistics::merge(const GradientStatistics& other) {
  const auto same = [](const GradientBins& a, const GradientBins& b) {
    return a.from == b.from && a.to == b.to && a.count == b.count;
  };
  if (other.spec_.nodes != spec_.nodes || other.spec_.keep != spec_.keep ||
      !same(other.spec_.loss_bins, spec_.loss_bins) || !same(other.spec_.log_loss_bins, spec_.log_loss_bins))
    throw std::invalid_argument(
        "only statistics of gradients with the same nodes, probabilities and bins can be merged");
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    cells_[i].moments = shoal::merge(cells_[i].moments, other.cells_[i].moments);
    add_histogram(cells_[i].histogram, other.cells_[i].histogram);
  }
}

template <class Use>
void GradientStatistics::for_cells(const GradientChoice& choice, const Use& use) const {
  if (choice.keep < 0 || choice.keep >= static_cast<int>(spec_.keep.size()) ||
      (choice.node && (*choice.node < 0 || *choice.node >= spec_.nodes)))
    throw std::invalid_argument("there are no gradients of this node or this keep probability");
  const int begin = choice.node.value_or(0), end = choice.node ? begin + 1 : spec_.nodes;
  for (int node = begin; node < end; ++node)
    for (const bool on : {false, true})
      if (choice.state == NodeState::either || on == (choice.state == NodeState::on))
        use(cells_[place(choice.of, choice.keep, node, on)]);
}

ShapeMoments GradientStatistics::moments(const GradientChoice& choice) const {
  std::vector<ShapeMoments> parts;
  for_cells(choice, [&](const Cell& cell) { parts.push_back(cell.moments); });
  return merge_all(std::move(parts));
}

WeightedHistogram GradientStatistics::histogram(const GradientChoice& choice) const {
  WeightedHistogram all =
      empty_histogram(choice.of == GradientOf::loss ? spec_.loss_bins : spec_.log_loss_bins);
  for_cells(choice, [&](const Cell& cell) { add_histogram(all, cell.histogram); });
  return all;
}

GradientBins bins_for(double largest, double width) {
  if (!(largest > 0) || !(width > 0) || !std::isfinite(largest))
    throw std::invalid_argument("bins need a largest value and a width above 0");
  const double bins = std::ceil(2 * largest / width);
  return {-largest, largest, bins < kMostBins ? static_cast<int>(bins) : kMostBins};
}

}  // namespace shoal
