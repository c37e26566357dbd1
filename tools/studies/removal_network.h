// One network of the removal study: every subset of the nodes of its last hidden layer, and what the numbers
// of all of them say about each statement of the publication.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/subset_balance.h"
#include "analysis/subset_distribution.h"
#include "analysis/subset_gradients.h"
#include "analysis/subset_values.h"
#include "analysis/subsets.h"
#include "engine/given_models.h"

namespace shoal {

/// The probabilities of keeping a node that the publication looks at; gradients by node are at the middle
/// one.
inline constexpr std::array<double, 3> kRemovalKeeps{0.25, 0.5, 0.75};
inline constexpr int kMiddleKeep = 1;
/// Width of the Gaussian kernel of every density, the publication's.
inline constexpr double kRemovalBandwidth = 0.03;
/// Points so near to the circle make up its ring.
inline constexpr double kRingWidth = 0.15;
/// Correlation below which subsets count as unrelated; and the share of the points at which a node that works
/// like a bias is on.
inline constexpr double kUnrelated = 0.1, kBiasActive = 0.95;

/// A network on points of the plane, as the analysis wants it: nodes are those of its last hidden layer.
struct RemovalTask {
  int nodes = 0, classes = 0, layers = 1;
  std::vector<double> points;   // [point][2]
  std::vector<double> outputs;  // [point][node]
  std::vector<double> weights;  // [node][class]
  std::vector<double> base;     // [point][class]
  std::vector<std::int32_t> labels;
  double radius = 0;  // of the circle

  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
  SubsetNetwork network() const { return {nodes, classes, outputs, weights, base, labels}; }
};
/// `data`: two features, of `task`'s kind.
RemovalTask removal_task(const Layers&, const Task& task, const DataView& data, double radius,
                         const MachineSpec&);

/// A quantity (loss or log loss) over the subsets at one keep probability.
struct RemovalSpread {
  SubsetMoments moments;
  NormalFit fit;
  std::array<double, 5> quantiles{};  // 5, 25, 50, 75, 95 %
};
inline constexpr std::array<double, 5> kRemovalQuantiles{0.05, 0.25, 0.5, 0.75, 0.95};

/// A dip of a density between its highest places below and above 0: 1 - lowest between them / the lower of
/// the two; 0 where there is none.
struct Trough {
  double depth = 0, place = 0;
};
Trough trough_of(const Density&);

/// Gradients of a quantity over the subsets and the nodes that are alive, at one keep probability.
struct RemovalSlopes {
  double mean = 0, sd = 0, kurtosis = 0;
  Trough trough;  // of the smoothed density
};

/// A node. Alive: on at some point.
struct StudiedNode {
  double active = 0;                // share of the points at which it is on
  double shapley = 0, banzhaf = 0;  // of the loss: with it less without it
  double mean_gradient = 0, sd_gradient = 0, mean_log_gradient = 0, sd_log_gradient = 0;  // keep 1/2
  bool alive() const { return active > 0; }
};

/// How the loss and its gradients lie around the circle, of the whole network.
struct RemovalRing {
  double points = 0, loss = 0,
         gradient = 0;  // shares in the ring; of the gradients' absolute values by point
  std::vector<double> distance, mean_loss, mean_gradient;  // by distance from the centre
};

struct RemovalNetwork {
  std::int64_t model = 0;
  std::uint64_t seed = 0;
  std::string hidden;  // "20", "20x20"
  int epochs = 0;      // trained so far
  int layers = 1, nodes = 0, alive = 0, bias_nodes = 0;
  double train_accuracy = 0, test_accuracy = 0, full_loss = 0, empty_loss = 0;
  std::array<RemovalSpread, 3> loss{}, log_loss{};  // [keep]
  std::array<RemovalSlopes, 3> gradient{}, log_gradient{};
  ExpectedChange change;       // of the loss from the first keep probability to the last
  double gradient_change = 0;  // the same by the publication: mean gradient at 1/2, times nodes added
  std::vector<double> correlation, loss_correlation;  // of subsets by flips between them, 0 .. nodes
  std::vector<double> orders;  // shares of the log loss's variance by order of interaction, 1 .. nodes
  SubsetBalance balance;       // of the log loss
  RemovalRing ring;
  std::vector<StudiedNode> node;
  std::vector<SizeRecord> sizes;               // of the loss
  SubsetRank full_rank, best_complement_rank;  // of the whole network; of the complement of the best subset
};

/// Flips until the correlation is first below kUnrelated, linear between flips; the number of nodes if never.
double flips_until_unrelated(std::span<const double> correlation);

struct RemovalCurve {
  std::vector<double> x, y;
};
/// Density and distribution function, and those of the nearest normal distribution.
struct RemovalShape {
  RemovalCurve density, share, normal_density, normal_share;
};
/// What the figures of one network need.
struct RemovalCurves {
  std::array<RemovalShape, 3> loss{}, log_loss{}, gradient{}, log_gradient{};  // [keep]
  std::array<RemovalShape, 2> state{};               // log-loss gradients at 1/2 of nodes that are off, on
  std::vector<std::array<RemovalShape, 2>> by_node;  // the same by node
  RemovalCurve covariance;                           // of the log loss, by flips
  /// Log loss of the subsets of half of the nodes by the length of their resultants: mean and quartiles of
  /// twenty equal crowds.
  RemovalCurve balance_mean, balance_low, balance_high;
};

struct RemovalMeasured {
  RemovalNetwork network;
  std::optional<RemovalCurves> curves;
};
/// `curves`: with those. Nothing when stopped.
std::optional<RemovalMeasured> measure_removal(
    const Calculator&, const RemovalTask&, bool curves,
    const std::function<void(std::int64_t, std::int64_t)>& progress = {},
    const std::atomic<bool>* stop = nullptr);

}  // namespace shoal
