// The study of what stops a layer from growing, in numbers: which population it trains, and the outgoing
// weights of every neuron beside its gate.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/interval.h"
#include "analysis/summary.h"
#include "engine/run.h"
#include "tools/studies/findings.h"

namespace shoal {

/// What holds the weights back.
enum class Decay {
  none,
  coupled,    // L2 in the loss, so that it goes through Adam: the journal's
  decoupled,  // weights shrink by lr times it in every step, whatever Adam does
};

/// What is varied. lambda is 0: nothing but the loss moves x0.
struct PlateauSpec {
  int neurons = 500;
  std::vector<double> starts;     // of x0
  std::vector<double> coupled;    // strengths; 0 is always there, by itself
  std::vector<double> decoupled;  //
};

/// Models of a template (its optimizer, batch, init), for these seeds; slope 1, x0 learns with a rate of 1.
std::vector<ModelSpec> plateau_models(const PlateauSpec&, const ModelSpec& pattern,
                                      const std::vector<std::uint64_t>& seeds);

/// Sum over the classes of a neuron's absolute outgoing weights, gates not in them: [neuron].
std::vector<double> outgoing_of(std::span<const LayerWeights>);

/// Neurons from this far beyond x0 on have gates below 2e-9: what the loss asks of their outgoing weights is
/// less than Adam's eps of 1e-8.
inline constexpr double kFar = 20.0;
/// And gates above 0.99 and below 0.01 so far from it: 2 ln 99 is the grey zone of slope 1.
inline constexpr double kEdge = 4.6;

/// A decay and a start over the seeds; models that diverged left out. Outgoing weights are in units of their
/// mean before training.
struct PlateauRow {
  Decay decay = Decay::none;
  double strength = 0, start = 0;
  std::int64_t models = 0, diverged = 0;
  std::vector<double> sizes;  // [models] final x0
  Summary size, test_accuracy, train_accuracy;
  std::vector<Summary> epoch_size;      // [epochs]
  MeanInterval growth{};                // of x0 over the last quarter of the epochs, in neurons an epoch
  Summary inside, beyond, far;          // outgoing weights of neurons: up to x0 - kEdge, from x0 + kEdge to
                                        // x0 + kFar, and from there on; one number a model
  std::vector<Summary> outgoing, gate;  // [neuron]
};

/// `outgoing`: of every model, empty for one that diverged. In the order in which the settings first occur.
std::vector<PlateauRow> plateau_rows(const RunSpec&, const RunResult&, TaskShape,
                                     std::span<const std::vector<double>> outgoing);

const PlateauRow* find_row(std::span<const PlateauRow>, Decay, double strength, double start);
std::string name_of(const PlateauRow&);  // "none", "coupled 0.001", "decoupled 0.1"

std::vector<Record> plateau_records(std::span<const PlateauRow>);         // plateau.csv
std::vector<Record> plateau_neuron_records(std::span<const PlateauRow>);  // plateau-neurons.csv

std::vector<std::string> plateau_verdict(const PlateauSpec&, std::span<const PlateauRow>);

}  // namespace shoal
