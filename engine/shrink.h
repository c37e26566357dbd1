// Neurons whose gates have closed for good leave the population while it trains: weights, optimizer state and
// gates of the others move to a smaller layout, and steps become faster.
//
// A model with one gated layer has the same bits as one that keeps its dead neurons: in the sums of those
// that read the layer, a dead neuron's terms are exactly 0. Where the layer below has gates that learn, too,
// the partial sums of their gradients meet in another order, so that the last bits may differ; the removal
// therefore belongs to a model's specification (ModelSpec::remove_dead) and takes place at the end of every
// epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/wave.h"

namespace shoal {

/// The neurons that would leave now: their layers' kept neurons in the numbers of the specification. Nothing
/// when none would. A layer keeps at least one.
std::optional<Kept> survivors(const Wave&);

/// The same wave with these neurons only. All packs must stand at the beginning of an epoch.
Wave shrink(const Wave&, Kept, const RunSpec&, const Task&);

/// A model's layers at its specification's sizes; what has left has weights 0.
std::vector<LayerWeights> at_full_size(std::span<const LayerWeights>, const KeptNeurons&, const ModelSpec&);

/// Kept as numbers in a row, for files: per model and layer the count, then the neurons.
std::vector<std::int32_t> flatten(const Kept&);
/// WeightsError when the numbers do not fit the models.
Kept unflatten(std::span<const std::int32_t>, std::span<const std::int64_t> models, const RunSpec&);

}  // namespace shoal
