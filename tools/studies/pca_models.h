// Networks that keep k principal components of their hidden layer: each is an ordinary network with other
// weights, so that many of them are evaluated as one population.
#pragma once

#include <span>
#include <string_view>

#include "analysis/pca.h"
#include "engine/given_models.h"

namespace shoal {

/// Where components are kept, and how. P: projection on k directions, m: the activations' mean.
enum class Kept {
  before_relu,          // z becomes P (z - m) + m
  after_relu,           // y = relu(z) becomes P (y - m) + m
  before_relu_journal,  // z becomes P z with the journal's directions: the columns of the components' matrix,
                        // and the mean not taken off
};
std::string_view name_of(Kept);  // "before-relu", "after-relu", "before-relu-journal"

/// `layers` with one hidden layer, and the components of its activations: those of z, or of y for after_relu.
/// Before the ReLU, P (xW + b - m) + m = x (WP) + (Pb + m - Pm): other weights of the first layer; after it,
/// the same is done to the weights of the output layer. In double precision, rounded once.
Layers keep_components(const Calculator&, std::span<const LayerWeights> layers, const Pca&, int k, Kept);

/// The k of a curve: floor(2^(i/2)) and tenths of the width, up to all of it; ascending.
std::vector<int> kept_counts(int width);

}  // namespace shoal
