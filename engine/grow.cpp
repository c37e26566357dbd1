#include "engine/grow.h"

#include <fmt/format.h>

#include "engine/hash.h"
#include "engine/initialize.h"
#include "engine/safetensors.h"

namespace shoal {
namespace {

void check(std::span<const LayerWeights> layers, const ModelSpec& grown, TaskShape shape, Growth how) {
  if (layers.size() != grown.hidden.size() + 1 || layers.size() < 2)
    throw WeightsError(fmt::format("a model of {} layers cannot grow into one of {}", layers.size(),
                                   grown.hidden.size() + 1));
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const int inputs = l == 0 ? shape.features : layers[l - 1].outputs,
              outputs = l + 1 == layers.size() ? shape.classes : grown.hidden[l];
    const bool grows = l + 2 == layers.size();
    if (layers[l].inputs != inputs || (!grows && layers[l].outputs != outputs))
      throw WeightsError(
          fmt::format("layer {} is {} x {}: only the last hidden layer grows, and the others "
                      "are as the grown model has them",
                      l, layers[l].outputs, layers[l].inputs));
  }
  const int before = layers[layers.size() - 2].outputs, after = grown.hidden.back();
  if (after < before)
    throw WeightsError(fmt::format("a layer of {} neurons does not grow to {}", before, after));
  if ((how == Growth::split || how == Growth::twin) && after > 2 * before)
    throw WeightsError(
        fmt::format("{} neurons, each copied once, are {} at most, not {}", before, 2 * before, after));
}

/// The share of an outgoing weight that goes with the copy.
float share_of(const ModelSpec& grown, std::uint64_t stream, std::size_t index) {
  const std::uint32_t word = philox_word(grown.seed, stream, index);
  return 0.25f + static_cast<float>(word >> 8) * 0x1p-25f;
}

}  // namespace

std::string_view name_of(Growth how) {
  constexpr std::string_view kNames[] = {"silent", "split", "twin", "fresh"};
  return kNames[static_cast<std::size_t>(how)];
}

Layers grow(std::span<const LayerWeights> layers, const ModelSpec& grown, TaskShape shape, Growth how) {
  check(layers, grown, shape, how);
  Layers result(layers.begin(), layers.end());
  const Layers drawn = initial_weights(grown, shape);
  const std::size_t at = layers.size() - 2;
  const LayerWeights &below = layers[at], &reader = layers[at + 1];
  LayerWeights &hidden = result[at], &out = result[at + 1];
  const auto inputs = static_cast<std::size_t>(below.inputs),
             before = static_cast<std::size_t>(below.outputs),
             after = static_cast<std::size_t>(grown.hidden.back()),
             classes = static_cast<std::size_t>(reader.outputs);
  const bool copies = how == Growth::split || how == Growth::twin;
  hidden.outputs = out.inputs = grown.hidden.back();
  for (std::size_t n = before; n < after; ++n) {
    const LayerWeights& from = copies ? below : drawn[at];
    const std::size_t row = copies ? n - before : n;
    const auto first = from.weight.begin() + static_cast<std::ptrdiff_t>(row * inputs);
    hidden.weight.insert(hidden.weight.end(), first, first + static_cast<std::ptrdiff_t>(inputs));
    hidden.bias.push_back(from.bias[row]);
  }
  out.weight.assign(classes * after, 0.0f);
  const std::uint64_t stream = hash_words({kGrowthStream, model_id(grown, shape)});
  for (std::size_t c = 0; c < classes; ++c) {
    float* const v = out.weight.data() + c * after;
    for (std::size_t n = 0; n < before; ++n) v[n] = reader.weight[c * before + n];
    for (std::size_t n = before; n < after; ++n) {
      if (how == Growth::fresh) v[n] = drawn[at + 1].weight[c * after + n];
      if (!copies) continue;
      float& original = v[n - before];
      v[n] = original * share_of(grown, stream, how == Growth::twin ? n : n * classes + c);
      original -= v[n];
    }
  }
  return result;
}

}  // namespace shoal
