// What layers of a model give, in double precision: for questions whose answers are compared to more digits
// than floats have.
#pragma once

#include <span>
#include <vector>

#include "engine/network.h"

namespace shoal {

/// As outputs_of (engine/given_models.h), [count][outputs of the last layer], computed in doubles on the
/// CPU's threads (0: as many as this process may use): an input is double(value) * scale + shift. Sums run
/// over the inputs in their order, so the bits do not depend on the number of threads. WeightsError.
std::vector<double> exact_outputs(std::span<const LayerWeights> layers, LastLayer, const DataView&,
                                  float scale, float shift, int threads = 0);

}  // namespace shoal
