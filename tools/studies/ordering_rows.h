// The ordering study in numbers: how much the loss rises without each neuron, what the proxies say about it,
// how both move while a network trains, and what is left of a network that is pruned by them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/bootstrap.h"
#include "analysis/summary.h"
#include "engine/removal.h"

namespace shoal {

/// What neurons are ordered by, the most important first.
enum class Measure {
  exact,          // rise of the loss when the neuron is removed
  sd,             // of its output, over the training set
  mean,           // of its output
  l1_in,          // norms of its incoming weights (without the bias)
  l2_in,          //
  l1_out,         // and of its outgoing ones
  l2_out,         //
  gate_gradient,  // |G|: G = d loss / d s, s a factor on the output
  taylor1,        // -G
  taylor2,        // -G + H/2, H = d2 loss / d s2
  fisher,         // mean of the squared gradient by s, sample by sample
};
constexpr int kMeasures = 11;
/// "exact", "l2-in", "gate-gradient", ... in tables.
std::string_view name_of(Measure);
/// "L2 norm of the incoming weights", in figures and sentences.
std::string_view words_of(Measure);
inline Measure measure_of(int i) { return static_cast<Measure>(i); }

/// One network at one time: every measure of every neuron.
struct NeuronScores {
  double loss = 0, accuracy = 0;         // on the training set
  std::vector<std::vector<double>> of;   // [measure][neuron]
  std::vector<double> accuracy_without;  // [neuron]
};
NeuronScores scores_of(const Layers&, const ModelRemoval&);

/// A network of the study: what it is, and its scores at every checkpoint.
struct OrderedModel {
  int width = 0;
  std::uint64_t seed = 0;
  double test_accuracy = 0, test_loss = 0;
  Layers layers;                     // in the end
  std::vector<NeuronScores> scores;  // [checkpoint]
};

/// Rank correlation of a proxy with the exact rise at the last checkpoint, within each network, mean over the
/// networks of a width.
struct Agreement {
  int width = 0, models = 0;
  Measure proxy = Measure::sd;
  Bootstrap spearman, kendall;            // neurons resampled
  Summary spearman_seeds, kendall_seeds;  // over the networks
  double top_quarter = 0;                 // share of the exact order's first quarter in the proxy's
};

/// Of the networks of a width at the last checkpoint, means over all their neurons.
struct Removability {
  int width = 0;
  double helped = 0;       // share of the neurons without which the training loss is lower
  double first_order = 0;  // sum of |G| over the sum of |G| + H/2: how much of the change is in the slope
};

/// How far an order moves from one checkpoint to another; means over the networks of a width.
struct Movement {
  int width = 0;
  Measure measure = Measure::exact;
  int from = 0, to = 0;  // epochs
  Summary moved;         // mean change of rank, as a share of the width (at random: a third)
  Summary spearman;
  Summary overlap;  // share of the first quarter at `from` that is in the first quarter at `to`
};

/// Test accuracy against kept neurons.
enum class Pruning {
  exact,
  sd,
  mean,
  l1_in,
  l2_in,
  l1_out,
  l2_out,
  gate_gradient,
  taylor1,
  taylor2,
  fisher,
  random,
  greedy
};
constexpr int kPrunings = 13;
std::string_view name_of(Pruning);
std::string_view words_of(Pruning);

struct PrunedScore {
  int width = 0, kept = 0;
  Pruning by = Pruning::exact;
  Summary accuracy, loss;  // on the test set, over the networks
};

struct OrderingResults {
  std::string where;                       // "MNIST, 5 epochs"
  std::vector<int> epochs;                 // of the checkpoints
  std::vector<int> widths;                 // ascending
  std::vector<Removability> removability;  // [width]
  std::vector<Agreement> agreements;
  std::vector<Movement> movements;
  std::vector<PrunedScore> pruned;
  std::vector<Summary> whole;  // [width] test accuracy
};

/// Orders neurons by descending value; equal ones by number. NaN last.
std::vector<int> descending(std::span<const double> values);
/// Of the first `k` of one order, the share that is among the first k of the other.
double overlap(std::span<const int> a, std::span<const int> b, int k);

std::vector<Agreement> agreements_of(const Calculator&, std::span<const OrderedModel>);
std::vector<Removability> removability_of(std::span<const OrderedModel>);
std::vector<Movement> movements_of(std::span<const OrderedModel>, std::span<const int> epochs);

struct PruningTask {
  DataView train, test;
  float scale = 1, shift = 0;
  MachineSpec machine;
  std::int64_t greedy_samples = 5000;  // of the training set that the greedy order looks at
  std::function<void(const std::string&)> say;
  const std::atomic<bool>* stop = nullptr;
};
/// Neurons in the order in which they would be kept, by removing the least important again and again, each
/// time with the loss of what is left; wide layers lose up to 1/128 of their neurons at a time. Empty when
/// stopped.
std::vector<std::vector<int>> greedy_orders(std::span<const OrderedModel>, const PruningTask&);
/// All networks of all widths, by every order. Empty when stopped.
std::vector<PrunedScore> prune(std::span<const OrderedModel>, const PruningTask&);

/// The fewest kept neurons with a mean accuracy of at least `accuracy`; 0: none of those tried.
int kept_for(std::span<const PrunedScore>, int width, Pruning, double accuracy);

/// Answers in sentences made from the numbers.
std::vector<std::string> verdict(const OrderingResults&);

}  // namespace shoal
