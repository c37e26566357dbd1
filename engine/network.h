// One model with given weights as the ops want it: a slab a layer, one order group.
#pragma once

#include <span>
#include <vector>

#include "engine/run.h"
#include "kernels/slab.h"

namespace shoal {

struct Network {
  std::vector<Slab> slabs;
  std::int64_t parameters = 0, outputs = 0;  // floats that they take
};

/// What the last layer gives: z, or relu(z).
enum class LastLayer { linear, relu };

/// WeightsError when shapes do not follow one another or the first layer does not read the data's features.
void check_layers(std::span<const LayerWeights>, const DataView&);

/// ReLU between layers. Outputs have room for `rows` samples.
Network make_network(std::span<const LayerWeights>, LastLayer, int rows);

/// [out][in] to panels of [in][panel width]; padding columns are left alone. `parameters`: of the network.
void place_weights(std::span<const LayerWeights>, const Network&, float* parameters);

/// What the last layer gave for `rows` samples, row by row without padding. `outputs`: of the network.
void copy_outputs(const Slab& last, const float* outputs, int rows, float* to);

}  // namespace shoal
