// The sparsifier study in numbers: which models it trains, what each setting comes to over its seeds, and
// what that says about the journal's statements.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/interval.h"
#include "analysis/summary.h"
#include "engine/run.h"

namespace shoal {

/// A part of the study: settings that are compared with each other.
enum class SparsifierFamily {
  strict,         // the journal's: liveness gates, for every lambda
  starts,         // the same from other starting sizes
  rates,          // the same with other learning rates of the gates: when do neurons die?
  strict_l2,      // with L2 on the weights
  gate_switch,    // gates that may become negative, penalty on their magnitude
  switch_l2,      // with L2 on the weights
  smallify,       // the same with Smallify's rule
  hard_concrete,  // L0 by random gates
  fixed,          // no gates, several widths: what a size is worth without any of this
};
std::string_view name_of(SparsifierFamily);
/// For figures and sentences.
std::string_view words_of(SparsifierFamily);

/// What a person sets about the study.
struct SparsifierSpec {
  std::vector<double> penalties;        // lambda
  std::vector<int> starts, fixed;       // widths
  std::vector<double> start_penalties;  // lambda of the starts and of the rates
  std::vector<double> rates;            // learning rates of gates
  std::vector<double> rival_penalties;  // lambda of the kinds beside the strict one
  double gate_lr = 1e-3;
  double l2 = 1e-4;
  double inertia = 0.99;  // of Smallify's rule
};

/// One setting, and which models of the run have it.
struct SparsifierArm {
  SparsifierFamily family = SparsifierFamily::strict;
  ModelSpec model;                  // seed of the first
  std::vector<std::size_t> models;  // indices, a seed each
  const GateSpec* gate() const { return model.gates.empty() ? nullptr : &model.gates.front(); }
};

/// The study's arms for models of `base` (one model a seed: width, optimizer, batch) and the models they
/// need, each once. A model may belong to several arms.
struct SparsifierPlan {
  std::vector<SparsifierArm> arms;
  std::vector<ModelSpec> models;
};
SparsifierPlan sparsifier_plan(std::span<const ModelSpec> base, const SparsifierSpec&);

/// One arm over its seeds; models that diverged are left out.
struct SparsifierRow {
  SparsifierFamily family = SparsifierFamily::strict;
  double lambda = 0, l2 = 0, gate_lr = 0;
  int width = 0;  // neurons at the start
  int models = 0, diverged = 0;
  std::vector<double> sizes, test_accuracies, train_accuracies;  // of every model, after the last epoch
  Summary size, test_accuracy, train_accuracy;
  double open_gate = 0;  // mean magnitude of gates that are not 0, over the models
  /// Relative change of the size over the last quarter of the epochs, of every model.
  std::vector<double> late_changes;
  MeanInterval late_change;
  std::vector<double> epoch_size, epoch_size_sd;          // [epoch] means and sds over the models
  std::vector<double> epoch_accuracy, epoch_accuracy_sd;  // of the test set
  std::vector<double> first_deaths;  // of every model: epoch (from 1) in which the first 1 % of its neurons
                                     // died; models where that never happened are left out
  double earliest_death = 0;  // start / (gate_lr x steps of an epoch) epochs: when Adam can bring a gate to 0
};
std::vector<SparsifierRow> sparsifier_rows(const SparsifierPlan&, const RunResult&, std::int64_t samples);

/// The rows of a family, in their order.
std::vector<const SparsifierRow*> of_family(std::span<const SparsifierRow>, SparsifierFamily);

/// Test accuracy of a plain network of this size, linear in the logarithm of the size between the fixed
/// widths; NaN beyond them.
double accuracy_of_fixed(std::span<const SparsifierRow>, double size);

enum class Settled { yes, no, unknown };
/// Whether the change over the last quarter is 0 to within 1 % of the size: its 95 % interval lies inside
/// ±1 %. Unknown with fewer than two models.
Settled settled(const SparsifierRow&);
std::string_view settled_text(const SparsifierRow&);

/// final size ~ start^exponent, over the models of the starts with one lambda.
MeanInterval start_exponent(std::span<const SparsifierRow>, double lambda);

/// Sentences made from the numbers of one data set ...
std::vector<std::string> sparsifier_verdict(std::span<const SparsifierRow>, int epochs);
/// ... and of two, by their names: "for a given lambda the second is always larger".
std::string size_comparison(const std::string& first, std::span<const SparsifierRow>,
                            const std::string& second, std::span<const SparsifierRow>);

}  // namespace shoal
