// Phases: training runs inside a study's directory that begin where others have ended. A phase whose result
// stands on the disk is not trained again, and one that was stopped or killed goes on from its checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/given_models.h"
#include "tools/training.h"

namespace shoal {

/// A model of a phase. Without layers it begins as its specification says.
struct PhaseModel {
  ModelSpec spec;
  Layers start = {};
};

/// What became of it. Losses and accuracies are means over the samples.
struct PhaseResult {
  bool diverged = false;
  double train_loss = 0, train_accuracy = 0, test_loss = 0, test_accuracy = 0;
  std::vector<double> epoch_test_loss, epoch_test_accuracy;  // [epoch]
  std::vector<double> epoch_train_loss;  // [epoch] of the whole set, where it was asked for
  std::vector<double> epoch_size;        // [epoch] of a size gate: x0
  Layers layers;                         // gates folded
};

struct PhaseSpec {
  std::string name;  // of its files
  int epochs = 0;
  std::vector<PhaseModel> models = {};
  bool epoch_losses = false;            // of the whole training set, after every epoch
  std::vector<int> weight_epochs = {};  // as in RunHooks; a result's `snapshots` in this order
};

struct PhaseResults {
  std::vector<PhaseResult> models;             // in the order of PhaseSpec::models
  std::vector<std::vector<Layers>> snapshots;  // [weight epoch][model]
};

class Phases {
 public:
  /// `cost`: neuron-epochs of all phases together, for the progress that is shown.
  Phases(const Population&, double cost);
  /// Nothing when stopped. Models whose start is not finite, or who diverge, are marked: nothing begins where
  /// they ended. Errors: those of run(), OutputError.
  std::optional<PhaseResults> train(const PhaseSpec&);

 private:
  std::optional<PhaseResults> read(const PhaseSpec&) const;
  void write(const PhaseSpec&, const PhaseResults&) const;
  const Population& population_;
  double cost_, done_ = 0, seconds_ = 0;
};

}  // namespace shoal
