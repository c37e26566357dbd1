// What removing single neurons does to models whose weights are given: exactly, and as derivatives foretell
// it. The mathematics is section 13 of docs/gradients.md.
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "engine/given_models.h"
#include "kernels/moments.h"

namespace shoal {

/// A neuron of a model's last hidden layer, on one part of the data. Means over the samples; s is a factor on
/// the neuron's output y: s = 1 is the model as it is, s = 0 the model without the neuron.
struct NeuronRemoval {
  double loss = 0, accuracy = 0;  // cross-entropy and share of hits without the neuron
  double slope = 0;               // d loss / d s at s = 1
  double curvature = 0;           // d2 loss / d s2 at s = 1; never negative
  double fisher = 0;              // mean over the samples of (d loss of the sample / d s)^2
  Moments activation{};           // of y, after the ReLU
};

struct ModelRemoval {
  double loss = 0, accuracy = 0;       // of the whole model
  std::vector<NeuronRemoval> neurons;  // of its last hidden layer
};

/// Every neuron of the last hidden layer of every model, one after the other removed alone, on one part of
/// the data. The models are worked on as a population, as in evaluate_models, on any machine; there is no
/// forward pass per neuron, the cost is that of neurons x samples x classes exponentials. Empty when stopped.
/// WeightsError, SpecError, DeviceError.
std::vector<ModelRemoval> removals_of(std::span<const Layers> models, const DataView&, float scale,
                                      float shift, const MachineSpec& = {},
                                      const std::atomic<bool>* stop = nullptr);

/// The model without some neurons of its last hidden layer: `kept` are the numbers of the others, in the
/// order in which they stand in the new layer. At least one. WeightsError.
Layers keep_neurons(std::span<const LayerWeights> layers, std::span<const int> kept);

}  // namespace shoal
