#include "engine/network.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/safetensors.h"

namespace shoal {

void check_layers(std::span<const LayerWeights> layers, const DataView& data) {
  if (layers.empty()) throw WeightsError("a model without layers has no outputs");
  int inputs = data.features;
  for (std::size_t l = 0; l < layers.size(); inputs = layers[l++].outputs) {
    const LayerWeights& layer = layers[l];
    if (layer.inputs != inputs && l == 0)
      throw WeightsError(
          fmt::format("the model reads {} features, but the data have {}", layer.inputs, inputs));
    const auto in = static_cast<std::size_t>(layer.inputs), out = static_cast<std::size_t>(layer.outputs);
    if (layer.inputs != inputs || layer.outputs < 1 || layer.weight.size() != in * out ||
        layer.bias.size() != out)
      throw WeightsError(
          fmt::format("layer {} of the model does not have the weights of {} inputs", l, inputs));
  }
}

Network make_network(std::span<const LayerWeights> layers, LastLayer last, int rows) {
  Network net;
  for (const LayerWeights& layer : layers) {
    Slab s{};
    s.fan_in = layer.inputs, s.width = layer.outputs, s.columns = round_up(layer.outputs, kBlockWidth);
    s.row_capacity = rows;
    s.input = static_cast<int>(net.slabs.size()) - 1;
    s.is_output = last == LastLayer::linear && net.slabs.size() + 1 == layers.size();
    s.weights = net.parameters;
    s.bias = s.weights + static_cast<std::int64_t>(s.fan_in) * s.columns;
    net.parameters = s.bias + s.columns;
    s.outputs = net.outputs;
    net.outputs += output_floats(s);
    net.slabs.push_back(s);
  }
  return net;
}

void place_weights(std::span<const LayerWeights> layers, const Network& net, float* parameters) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerWeights& layer = layers[l];
    const Slab& s = net.slabs[l];
    for (int n = 0; n < layer.outputs; ++n) {
      const int panel = n / kPanelWidth, column = n % kPanelWidth, width = panel_width(s, panel);
      float* to = parameters + panel_weights(s, panel) + column;
      const float* from = layer.weight.data() + static_cast<std::int64_t>(n) * layer.inputs;
      for (int k = 0; k < layer.inputs; ++k) to[static_cast<std::int64_t>(k) * width] = from[k];
      parameters[s.bias + n] = layer.bias[static_cast<std::size_t>(n)];
    }
  }
}

void copy_outputs(const Slab& s, const float* outputs, int rows, float* to) {
  for (int row = 0; row < rows; ++row)
    for (int first = 0; first < s.width; first += kPanelWidth) {
      const float* from = outputs + s.outputs + (first / kPanelWidth) * panel_stride(s) +
                          static_cast<std::int64_t>(row) * row_stride(s);
      std::copy_n(from, std::min(kPanelWidth, s.width - first),
                  to + static_cast<std::int64_t>(row) * s.width + first);
    }
}

}  // namespace shoal
