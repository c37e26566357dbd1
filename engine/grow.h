// Neurons for a model that has been trained already: the opposite of keep_neurons (removal.h).
#pragma once

#include <span>
#include <string_view>

#include "engine/given_models.h"

namespace shoal {

/// How neurons are added. v: outgoing weights.
enum class Growth {
  silent,  // fresh incoming weights, v = 0: the function stays exactly as it is
  split,  // a neuron twice, each of its outgoing weights shared out in a ratio of its own: the function stays
          // up to rounding, and the two part
  twin,   // the same with one ratio for the whole neuron: an optimizer that does not see the gradient's scale
          // (Adam, AdaMax, AMSGrad) moves both alike at first, so that they part more slowly
  fresh,  // fresh incoming and outgoing weights, as a layer of the new size is drawn: the function changes
};
std::string_view name_of(Growth);

/// The model with a wider last hidden layer, the new neurons behind the old ones. `grown`: the specification
/// after it; its seed and its init draw what is fresh. Ratios are uniform in 1/4 .. 3/4, from the seed. Split
/// and twin copy neurons 0, 1, ..., each at most once. Sources: silent neurons: GradMax, Evci et al. 2022
/// (arXiv 2201.05125), asks how large their gradient is; split: Net2WiderNet, Chen, Goodfellow & Shlens 2016
/// (arXiv 1511.05641), which shares out equally and adds noise. WeightsError when the sizes do not fit.
Layers grow(std::span<const LayerWeights>, const ModelSpec& grown, TaskShape, Growth);

}  // namespace shoal
