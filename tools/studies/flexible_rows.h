// The study of layers that learn their size by the gate sigma(k (x0 - i)), in numbers: which population it
// trains, and what each setting gave over its seeds.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analysis/summary.h"
#include "engine/run.h"

namespace shoal {

/// What is varied. Every gated layer has `neurons` neurons and the slope 1; x0 has a learning rate of 1.
struct FlexibleSpec {
  int neurons = 500;
  std::vector<double> starts;     // of x0, at the penalty start_penalty
  std::vector<double> penalties;  // lambda, from the middle of the layer
  double start_penalty = 1e-5;
  double l2 = 1e-3;        // every setting is trained without and with it
  std::vector<int> fixed;  // widths of plain networks
  std::vector<int>
      depths;  // hidden layers of networks with a gate in each, from kDeepStart, at start_penalty
  std::vector<double> start_rates{1e-3, 1e-2, 1e-1, 1.0};  // lambda of models whose penalty is x0 itself
};

/// Where x0 of every layer starts in networks of several: the journal's code of November 2017, which was left
/// without results.
inline constexpr double kDeepStart = 25.0;

/// The journal's code of October 2017 set x0 to 1 whatever start was asked for.
inline constexpr double kIgnoredStart = 1.0;

/// Models of a template (its optimizer, batch, init), for these seeds.
std::vector<ModelSpec> flexible_models(const FlexibleSpec&, const ModelSpec& pattern,
                                       const std::vector<std::uint64_t>& seeds);

/// One setting over its seeds, models that diverged left out.
struct FlexibleRow {
  enum class Kind { fixed, gated, start_penalty, deep } kind = Kind::fixed;
  int width = 0, depth = 1;               // of each hidden layer; hidden layers
  double start = 0, penalty = 0, l2 = 0;  // start and penalty of gated layers
  std::int64_t models = 0, diverged = 0;
  Summary size, train_accuracy, test_accuracy, train_loss;       // size: of all layers together
  std::vector<Summary> layer_sizes;                              // [layer] of deep networks
  std::vector<double> sizes, train_accuracies, test_accuracies;  // [models]
  std::vector<Summary> epoch_size;                               // [epochs]
  std::int64_t naive_failures = 0, naive_checks = 0;  // epochs whose x0 makes the plain formulas NaN or inf
};

/// In the order in which the settings first occur.
std::vector<FlexibleRow> flexible_rows(const RunSpec&, const RunResult&);

/// The mean x0, at most the neurons that are there: beyond them more x0 opens nothing.
double open_neurons(const FlexibleRow&);

/// Plain networks' mean accuracy at a size, linear in the logarithm of the width between their widths; NaN
/// outside. `l2`: of these networks.
double fixed_accuracy(const std::vector<FlexibleRow>&, double l2, double size,
                      Summary FlexibleRow::*accuracy);
/// The best mean test accuracy of the plain networks.
double best_fixed(const std::vector<FlexibleRow>&, double l2);

/// The rows of one kind, L2 penalty and lambda (or start), ascending in the other.
std::vector<FlexibleRow> by_start(const std::vector<FlexibleRow>&, double penalty, double l2);
std::vector<FlexibleRow> by_penalty(const std::vector<FlexibleRow>&, double start, double l2);

/// Networks of several layers, ascending in their depth.
std::vector<FlexibleRow> by_depth(const std::vector<FlexibleRow>&, double l2);

/// Columns of flexible.csv and of the events; a number that is not there is NaN.
std::vector<std::pair<std::string, double>> flexible_columns(const FlexibleRow&);
std::string_view name_of(FlexibleRow::Kind);

/// What the numbers say about the journal's statements.
std::vector<std::string> flexible_verdict(const FlexibleSpec&, const std::vector<FlexibleRow>&);

}  // namespace shoal
