// The growth study's measurements: every arm trained stage by stage, and what the signals at a layer's edge
// say beside what adding neurons there is worth.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "tools/studies/growth_phases.h"
#include "tools/studies/growth_plan.h"

namespace shoal {

/// After an epoch of an arm.
struct CurvePoint {
  double cost = 0;  // neuron-epochs so far
  double test_loss = 0, test_accuracy = 0;
};

/// What one seed of an arm came to.
struct Outcome {
  bool diverged = false;
  double cost = 0, epochs = 0;
  double size = 0;  // neurons in the end
  double train_loss = 0, train_accuracy = 0, test_loss = 0, test_accuracy = 0;
  std::vector<CurvePoint> curve;
};

struct ArmOutcomes {
  Arm arm;
  std::vector<Outcome> seeds;
};

/// A network at one moment: signals, and what follows.
struct Moment {
  int width = 0, epoch = 0;
  std::uint64_t seed = 0;
  double loss = 0;    // on the training set
  double silent = 0;  // rms over `width` silent candidates of |dL/dv|, v its outgoing weights
  double gate = 0;    // -dL/dx0 of a size gate (k = 1) at x0 = width, fresh neurons behind it
  /// Per horizon (horizons_of): the loss as it is minus the loss doubled, at equal cost; positive: adding
  /// helps.
  std::vector<double> train_gain, test_gain;
};

/// Epochs that `run_arms` and `run_moments` train models of every width, of one seed.
std::map<int, double> epochs_by_width(const GrowthSpec&);
/// The same in neuron-epochs, of all seeds.
double cost_of_phases(const GrowthSpec&, std::size_t seeds);

/// Nothing when stopped. The final width from the beginning is the population itself.
std::optional<std::vector<ArmOutcomes>> run_arms(const GrowthSpec&, const Population&, Phases&);

/// Every growing width after every moment's epochs: twice the neurons, the new ones silent, for each
/// horizon's epochs, against as it is for twice as many. Nothing when stopped; networks that diverge are left
/// out.
std::optional<std::vector<Moment>> run_moments(const GrowthSpec&, const Population&, Phases&);

/// Neurons that a size gate with slope 1 opens to at least 1 %, of `neurons`.
double open_to_one_percent(double x0, int neurons);

/// The signals of a network, on task.train.
struct EdgeSignals {
  double loss = 0, silent = 0, gate = 0;
};
EdgeSignals edge_signals(const Layers&, const ModelSpec&, LossKind, const Task&, const MachineSpec&);

/// The half of the neurons without which the training loss rises most, in their order. Empty when stopped.
std::vector<Layers> halve(std::span<const Layers>, const Task&, const MachineSpec&,
                          const std::atomic<bool>* stop = nullptr);

}  // namespace shoal
