// Models whose weights are given, whoever trained them: what their layers do on data, and how good they are.
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "engine/network.h"
#include "engine/run.h"

namespace shoal {

using Layers = std::vector<LayerWeights>;  // hidden layers first

/// What the last of `layers` gives for every sample, [count][outputs of that layer]; ReLU between layers, and
/// behind the last one where it is asked for. So activations of hidden layer l of a model are those of its
/// layers 0 .. l, before the ReLU (linear) or after it (relu). Labels are not needed. The bits do not depend
/// on the number of threads. WeightsError when the layers or the data do not fit, DeviceError.
std::vector<float> outputs_of(std::span<const LayerWeights> layers, LastLayer, const DataView&, float scale,
                              float shift, const MachineSpec& = {});

/// The same on the CPU, of a whole model: [count][classes].
std::vector<float> logits(std::span<const LayerWeights>, const DataView&, float scale, float shift);

/// Means over the samples.
struct GivenScore {
  double loss = 0.0, accuracy = 0.0;
};

/// Loss and accuracy of many models on one part of the data, evaluated as a population: in waves that fit
/// into memory, one launch an op on a device. Models may have different widths, but all read the data's
/// features and have as many outputs as the first one; 1 to 4 hidden layers. Empty when stopped.
/// WeightsError, SpecError, DeviceError.
std::vector<GivenScore> evaluate_models(std::span<const Layers> models, const DataView&, float scale,
                                        float shift, LossKind, const MachineSpec& = {},
                                        const std::atomic<bool>* stop = nullptr);

}  // namespace shoal
