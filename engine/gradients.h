// The gradients of a model's first step, written down instead of applied: what a reader compares with the
// mathematics (`shoal gradcheck`).
#pragma once

#include <span>
#include <vector>

#include "engine/run.h"

namespace shoal {

/// The gates of one hidden layer in that step.
struct GateGradients {
  GateKind kind = GateKind::none;
  std::vector<float> parameters;  // x0 and k, or one per neuron
  std::vector<float> gates;       // [neuron]
  std::vector<float> gradients;   // of the objective by the parameters, penalty included; of random_size: by
                                  // x0; of a mask: nothing
  double slope = 0;               // random_size: the k that was drawn
  std::vector<double> uniform;    // hard_concrete: the numbers that were drawn
};

struct ModelGradients {
  std::vector<LayerWeights> weights;    // where the derivatives are taken
  std::vector<LayerWeights> gradients;  // of the mean loss, without penalties on weights
  std::vector<GateGradients> gates;     // [hidden layer]; empty for models without gates
  double loss = 0;                      // mean
};

/// The first step of a model over all of task.train as one batch, on any machine, whatever the batch and the
/// schedules of its specification say; from its own initial weights, or from `start` (hidden layers first)
/// where that is not empty. SpecError, DeviceError.
ModelGradients gradients_of(const ModelSpec&, LossKind, const Task&, const MachineSpec&,
                            std::span<const LayerWeights> start = {});

}  // namespace shoal
