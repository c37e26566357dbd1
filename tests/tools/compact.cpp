#include "tools/compact.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace shoal;

namespace {

/// What a network of these layers computes, ReLU between them; in double.
std::vector<double> outputs_of(const std::vector<LayerWeights>& layers, std::vector<double> x) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto inputs = static_cast<std::size_t>(layers[l].inputs);
    std::vector<double> y(layers[l].bias.begin(), layers[l].bias.end());
    for (std::size_t o = 0; o < y.size(); ++o) {
      for (std::size_t i = 0; i < inputs; ++i)
        y[o] += static_cast<double>(layers[l].weight[o * inputs + i]) * x[i];
      if (l + 1 < layers.size()) y[o] = std::max(0.0, y[o]);
    }
    x = std::move(y);
  }
  return x;
}

LayerWeights layer(int inputs, int outputs, float first) {
  LayerWeights l{inputs, outputs, {}, {}};
  for (int i = 0; i < inputs * outputs; ++i)
    l.weight.push_back(first + 0.25f * static_cast<float>((i * 7) % 5));
  for (int o = 0; o < outputs; ++o) l.bias.push_back(0.5f + static_cast<float>(o));
  return l;
}

void shut(LayerWeights& reader, int neuron) {
  for (int o = 0; o < reader.outputs; ++o)
    reader.weight[static_cast<std::size_t>(o * reader.inputs + neuron)] = 0.0f;
}

}  // namespace

TEST_CASE("compact: neurons that nothing reads leave, and the function stays") {
  std::vector<LayerWeights> net{layer(3, 5, -0.5f), layer(5, 4, -0.25f), layer(4, 2, 0.125f)};
  shut(net[1], 0);
  shut(net[1], 3);
  shut(net[2], 2);
  const auto small = without_dead_neurons(net);
  CHECK(small[0].outputs == 3);
  CHECK(small[1].inputs == 3);
  CHECK(small[1].outputs == 3);
  CHECK(small[2].inputs == 3);
  CHECK(small[2].outputs == 2);
  const std::vector<double> x{0.3, -1.5, 2.0};
  CHECK(outputs_of(small, x) == outputs_of(net, x));
}

TEST_CASE("compact: what only a dead neuron reads is dead, too") {
  std::vector<LayerWeights> net{layer(2, 3, 0.5f), layer(3, 2, 0.5f), layer(2, 2, 0.5f)};
  for (std::size_t at : {0, 3})
    net[1].weight[at + 1] = 0.0f;  // neuron 1 of the first layer is read by neuron 1 ...
  net[1].weight[4] = 1.0f;
  shut(net[2], 1);  // ... of the second, which nothing reads
  const auto small = without_dead_neurons(net);
  CHECK(small[1].outputs == 1);
  CHECK(small[0].outputs == 2);
  CHECK(outputs_of(small, {1.0, 2.0}) == outputs_of(net, {1.0, 2.0}));
}

TEST_CASE("compact: a layer keeps a neuron, and a network without dead ones is the same") {
  std::vector<LayerWeights> net{layer(2, 3, 0.5f), layer(3, 2, 0.5f)};
  const auto same = without_dead_neurons(net);
  CHECK(same[0].weight == net[0].weight);
  CHECK(same[1].weight == net[1].weight);
  for (int n = 0; n < 3; ++n) shut(net[1], n);
  const auto least = without_dead_neurons(net);
  CHECK(least[0].outputs == 1);
  CHECK(outputs_of(least, {1.0, 2.0}) == outputs_of(net, {1.0, 2.0}));
}
