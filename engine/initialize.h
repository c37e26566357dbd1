// Initial weights: a function of (seed, model id, layer, place), computed on the host, so that every machine
// starts from the same bits.
#pragma once

#include <span>
#include <vector>

#include "engine/layout.h"
#include "engine/run.h"

namespace shoal {

/// Weights of one freshly made model as PyTorch keeps them, hidden layers first. Sources: He et al. 2015
/// (kaiming), Glorot & Bengio 2010 (xavier), Saxe, McClelland & Ganguli 2014 (orthogonal); gain sqrt(2) for
/// layers followed by a ReLU, 1 for the output layer; biases 0 except for `torch`.
std::vector<LayerWeights> initial_weights(const ModelSpec&, TaskShape);

/// Between the population's padded panels and a model's own matrices.
void put_weights(const Layout&, std::int64_t model, std::span<const LayerWeights>, float* parameters);
std::vector<LayerWeights> get_weights(const Layout&, std::int64_t model, const float* parameters);

}  // namespace shoal
