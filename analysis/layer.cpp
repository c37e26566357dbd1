#include "analysis/layer.h"

#include <cmath>

namespace shoal {

std::vector<double> neuron_sds(std::span<const Moments> neurons) {
  std::vector<double> sds;
  sds.reserve(neurons.size());
  for (const Moments& m : neurons) sds.push_back(std::sqrt(variance(m)));
  return sds;
}

LayerSummary summarize_layer(std::span<const Moments> neurons) {
  LayerSummary layer;
  layer.neurons = static_cast<std::int64_t>(neurons.size());
  for (const double sd : neuron_sds(neurons)) {
    layer.sum_sd += sd;
    if (sd == 0.0) ++layer.dead;
  }
  layer.mean_sd = layer.sum_sd / static_cast<double>(neurons.size());
  return layer;
}

}  // namespace shoal
