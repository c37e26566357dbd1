// A network without the hidden neurons that it does not read.
#pragma once

#include <span>
#include <vector>

#include "engine/run.h"

namespace shoal {

/// Leaves out hidden neurons whose outgoing weights are all 0, from the last hidden layer to the first, so
/// that what only they read goes, too. The function is the same: a sum loses terms that are 0. A layer keeps
/// one neuron, and layers that lose none are the same to the bit.
std::vector<LayerWeights> without_dead_neurons(std::span<const LayerWeights>);

}  // namespace shoal
