// The study of training only the size of a network whose weights are trained and rest, in numbers: which
// population it trains, what each setting gave, and the loss as a function of x0, which is all that such a
// training sees.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analysis/interval.h"
#include "analysis/summary.h"
#include "engine/given_models.h"
#include "engine/run.h"
#include "tools/studies/findings.h"

namespace shoal {

/// What is varied. The weights train for `trained` epochs with all gates open; then the gate begins.
struct SizeOnlySpec {
  int neurons = 500;
  int trained = 30;
  std::vector<double> starts;     // of x0, at the penalty start_penalty
  std::vector<double> penalties;  // lambda on the gate's integral, from the middle of the layer
  double start_penalty = 1e-4;
  std::vector<int> plain;  // widths of plain networks
};

enum class SizeTraining {
  plain,     // no gate
  frozen,    // the weights rest from the gate's first epoch on
  together,  // they go on training beside it
  sorted,    // they rest, the neurons sorted before (NeuronOrder::greedy)
};
std::string_view name_of(SizeTraining);

/// Models of a template, for these seeds; slope 1, x0 learns with a rate of 1.
std::vector<ModelSpec> size_only_models(const SizeOnlySpec&, const ModelSpec& pattern,
                                        const std::vector<std::uint64_t>& seeds);

/// One setting over its seeds, models that diverged left out.
struct SizeOnlyRow {
  SizeTraining training = SizeTraining::plain;
  int width = 0;
  double start = 0, penalty = 0;  // NaN for plain networks
  std::int64_t models = 0, diverged = 0;
  std::vector<double> sizes;  // [models] final x0
  Summary size, train_loss, train_accuracy, test_accuracy;
  std::vector<Summary> epoch_size;  // [epochs] since the gate began
  MeanInterval late{};              // change of x0 over the last quarter of these epochs, in neurons an epoch
};
/// In the order in which the settings first occur.
std::vector<SizeOnlyRow> size_only_rows(const SizeOnlySpec&, const RunSpec&, const RunResult&);

/// The rows of one training, ascending in lambda (from the middle) or in the start (at start_penalty).
std::vector<const SizeOnlyRow*> by_penalty(const SizeOnlySpec&, std::span<const SizeOnlyRow>, SizeTraining);
std::vector<const SizeOnlyRow*> by_start(const SizeOnlySpec&, std::span<const SizeOnlyRow>);
/// Plain rows, ascending in their width.
std::vector<const SizeOnlyRow*> plain_rows(std::span<const SizeOnlyRow>);

/// The order in which a layer's neurons stand behind the gate.
enum class NeuronOrder {
  trained,  // as they are: no neuron knows its place
  rise,     // the one whose removal alone raises the training loss most stands first
  greedy,   // the least important is taken off the end again and again, with the rise taken anew
};
constexpr int kNeuronOrders = 3;
std::string_view name_of(NeuronOrder);   // "trained", "rise", "greedy"
std::string_view words_of(NeuronOrder);  // for figures

/// A trained network cut at x0, for every x0 of a grid; means over the samples.
struct CutCurve {
  std::vector<double> train_loss, test_accuracy;  // [x0]
};
/// The networks with their weights as they were trained.
struct Landscape {
  std::vector<std::vector<std::vector<int>>> orders;  // [order][network] its neurons, the first place first
  std::vector<double> x0;                             // ascending, 0 to the width
  std::vector<std::vector<CutCurve>> of;              // [order][network]
  std::vector<std::vector<Summary>> loss, accuracy;   // [order][x0] over the networks
};
struct CutTask {
  const Task& task;
  MachineSpec machine = {};
  std::int64_t samples = 10000;  // at most so many of the training set, and of the test set
  const std::atomic<bool>* stop = nullptr;
};
/// Empty when stopped.
Landscape cut_everywhere(std::span<const Layers> networks, int steps, const CutTask&);

/// The models that train the size of sorted networks: one a lambda and network, from the middle, the lambdas
/// slowest. `networks` of them per lambda.
RunSpec sorted_run(const SizeOnlySpec&, const RunSpec& base, std::size_t networks);
/// Trains them on the networks with their neurons in the landscape's greedy order: a row a lambda, empty when
/// stopped. Short, so that a stop does not keep what there is.
std::vector<SizeOnlyRow> train_sorted(const SizeOnlySpec&, const RunSpec& base, const CutTask&,
                                      std::span<const Layers> networks, const Landscape&);

/// Of the objective L + lambda S of one network: the x0 of the grid where it is lowest, and how many local
/// minima it has.
struct Basin {
  double lowest_at = 0;
  int minima = 0;
};
Basin basin_of(std::span<const double> x0, const CutCurve&, double penalty, int neurons);

/// The smallest x0 of the grid from which on a network's test accuracy stays within `points` of that with all
/// neurons.
double enough_for(std::span<const double> x0, const CutCurve&, double points);

std::vector<Record> size_only_records(std::span<const SizeOnlyRow>);  // size-only.csv
std::vector<Record> landscape_records(const Landscape&);              // size-only-landscape.csv

std::vector<std::string> size_only_verdict(const SizeOnlySpec&, std::span<const SizeOnlyRow>,
                                           const Landscape&);

}  // namespace shoal
