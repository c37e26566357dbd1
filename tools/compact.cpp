#include "tools/compact.h"

#include <algorithm>

namespace shoal {
namespace {

/// Neurons of a layer that the next one reads; the first one when there is none.
std::vector<std::size_t> neurons_read_by(const LayerWeights& reader) {
  const auto inputs = static_cast<std::size_t>(reader.inputs);
  std::vector<char> read(inputs);
  for (std::size_t at = 0; at < reader.weight.size(); ++at)
    if (reader.weight[at] != 0.0f) read[at % inputs] = 1;
  std::vector<std::size_t> neurons;
  for (std::size_t i = 0; i < inputs; ++i)
    if (read[i]) neurons.push_back(i);
  if (neurons.empty() && inputs > 0) neurons.push_back(0);
  return neurons;
}

LayerWeights with_outputs(const LayerWeights& layer, const std::vector<std::size_t>& kept) {
  LayerWeights result{layer.inputs, static_cast<int>(kept.size()), {}, {}};
  const auto inputs = static_cast<std::ptrdiff_t>(layer.inputs);
  for (const std::size_t neuron : kept) {
    const auto row = layer.weight.begin() + static_cast<std::ptrdiff_t>(neuron) * inputs;
    result.weight.insert(result.weight.end(), row, row + inputs);
    result.bias.push_back(layer.bias[neuron]);
  }
  return result;
}

LayerWeights with_inputs(const LayerWeights& layer, const std::vector<std::size_t>& kept) {
  LayerWeights result{static_cast<int>(kept.size()), layer.outputs, {}, layer.bias};
  const auto inputs = static_cast<std::size_t>(layer.inputs);
  for (std::size_t out = 0; out < layer.bias.size(); ++out)
    for (const std::size_t neuron : kept) result.weight.push_back(layer.weight[out * inputs + neuron]);
  return result;
}

}  // namespace

std::vector<LayerWeights> without_dead_neurons(std::span<const LayerWeights> layers) {
  std::vector<LayerWeights> result(layers.begin(), layers.end());
  for (std::size_t l = result.size() - 1; l-- > 0;) {
    const std::vector<std::size_t> kept = neurons_read_by(result[l + 1]);
    if (kept.size() == static_cast<std::size_t>(result[l].outputs)) continue;
    result[l] = with_outputs(result[l], kept);
    result[l + 1] = with_inputs(result[l + 1], kept);
  }
  return result;
}

}  // namespace shoal
