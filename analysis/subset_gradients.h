// Statistics of the gradients of a network's loss with respect to its nodes' factors b_i, over all subsets of
// its nodes: d loss / d b_i where every b is 0 or 1, and d log loss / d b_i = (d loss / d b_i) / loss. All of
// them together are too many to keep (24 x 2^24), so blocks of consecutive subsets go in and moments and
// histograms come out, by node, by whether the node itself is on, and for several keep probabilities at once.
//
//   GradientStatistics statistics({.nodes = 20, .keep = {0.25, 0.5, 0.75}});
//   for (block) statistics.add(calculator, first, losses, gradients);
//   statistics.moments({.of = GradientOf::log_loss, .keep = 1, .node = 3, .state = NodeState::on})
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analysis/density.h"
#include "analysis/subset_table.h"

namespace shoal {

enum class GradientOf { loss, log_loss };
enum class NodeState { off, on, either };

struct GradientBins {
  double from = -1, to = 1;
  int count = 4000;
};

struct GradientStatisticsSpec {
  int nodes = 0;
  std::vector<double> keep = {0.5};                 // for all nodes
  GradientBins loss_bins = {}, log_loss_bins = {};  // of every node's histograms
};

/// Which gradients are meant.
struct GradientChoice {
  GradientOf of = GradientOf::loss;
  int keep = 0;                            // index into the spec's
  std::optional<int> node = std::nullopt;  // none: those of all nodes together, each node counting as much
  NodeState state = NodeState::either;
};

/// Weights in bins of equal width; bin i holds from + i w <= x < from + (i + 1) w, `to` itself is in the
/// last.
struct WeightedHistogram {
  double from = 0, to = 1;
  std::vector<double> weights;
  double below = 0, above = 0;

  double bin_width() const { return (to - from) / static_cast<double>(weights.size()); }
  double total() const;
};
/// Linear within a bin, so off by at most a bin's width. -infinity or infinity for a share that lies outside
/// of the bins, NaN without any weight.
double quantile_of(const WeightedHistogram&, double share);
/// Density under a Gaussian kernel of spec.bandwidth > 0 (else std::invalid_argument), as if every value
/// stood in the middle of its bin: that adds at most width^2 / 12 to the kernel's variance of bandwidth^2, to
/// first order. Divided by all weight, also what lies outside. y is empty without any weight.
Density smoothed(const WeightedHistogram&, const DensitySpec&);

class GradientStatistics {
 public:
  /// std::invalid_argument for sizes, probabilities or bins that make no sense.
  explicit GradientStatistics(GradientStatisticsSpec);

  const GradientStatisticsSpec& spec() const { return spec_; }

  /// Subsets first .. first + losses.size() - 1 with their losses, and gradients [node][count]. Blocks may
  /// come in any sizes; those that begin at multiples of 4096 and come in their order give the same bits
  /// whatever their sizes. std::invalid_argument where shapes do not fit, a value is not finite or a loss is
  /// not above 0.
  void add(const Calculator&, std::int64_t first, std::span<const double> losses,
           std::span<const double> gradients);
  /// What was added to others with the same spec.
  void merge(const GradientStatistics&);

  /// `count` is the weight: when all subsets were added, 1 for a node, its share for a state of it, and the
  /// number of nodes for all together.
  ShapeMoments moments(const GradientChoice&) const;
  WeightedHistogram histogram(const GradientChoice&) const;

 private:
  struct Cell {
    ShapeMoments moments = empty_shape();
    WeightedHistogram histogram;
  };
  std::size_t place(GradientOf, int keep, int node, bool on) const;
  template <class Use>
  void for_cells(const GradientChoice&, const Use&) const;
  void add_node(int node, std::int64_t first, std::span<const double> losses,
                std::span<const double> gradients, std::span<const double> weights);
  void add_chunk(int node, std::int64_t first, std::span<const double> losses,
                 std::span<const double> gradients, std::span<const double> weights, std::size_t stride);

  GradientStatisticsSpec spec_;
  std::vector<KeepWeights> weights_;
  std::vector<Cell> cells_;  // [of][keep][node][off, on]
};

/// Bins that hold every gradient of a node: |d loss / d b_i| is at most the mean over the points of the
/// node's output times (largest - smallest of its outgoing weights), since the softmax's gradient adds up to
/// 0 and its positive part to at most 1. Symmetric about 0, at most `width` wide each, never more than 2^20.
GradientBins bins_for(double largest, double width);

}  // namespace shoal
