#include "engine/initialize.h"

#include <cmath>
#include <numbers>

#include "engine/hash.h"
#include "kernels/philox.h"

namespace shoal {
namespace {

/// The random numbers of one tensor.
struct Stream {
  std::uint64_t seed, stream;

  /// Standard normal (Box & Muller 1958): words 2i and 2i+1.
  double normal(std::uint64_t index) const {
    const PhiloxWords w = philox_quad(seed, stream, index / 2);
    const std::size_t pair = 2 * (index % 2);
    const double radius = std::sqrt(-2.0 * std::log((w.word[pair] + 0.5) * 0x1p-32));
    return radius * std::cos(2.0 * std::numbers::pi * (w.word[pair + 1] + 0.5) * 0x1p-32);
  }
};

/// Uniform in bound * [-1, 1), of 24 bits: a word of the stream each, four at a time.
void fill_uniform(std::vector<float>& out, const Stream& s, double bound) {
  for (std::size_t i = 0; i < out.size(); i += 4) {
    const PhiloxWords words = philox_quad(s.seed, s.stream, i / 4);
    for (std::size_t k = 0; k < 4 && i + k < out.size(); ++k) {
      const auto symmetric = static_cast<float>(static_cast<double>(words.word[k] >> 8) * 0x1p-23 - 1.0);
      out[i + k] = static_cast<float>(bound * symmetric);
    }
  }
}

void fill_normal(std::vector<float>& out, const Stream& s, double sd) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(sd * s.normal(i));
}

double dot(const double* a, const double* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// Orthonormal rows (or columns, where there are more rows than columns) out of a normal matrix:
/// Gram-Schmidt, each vector against the earlier ones twice, which is enough for orthogonality to rounding
/// (Giraud et al. 2005).
void fill_orthogonal(LayerWeights& layer, const Stream& s, double gain) {
  const auto rows = static_cast<std::size_t>(layer.outputs), columns = static_cast<std::size_t>(layer.inputs);
  const bool tall = rows > columns;
  const std::size_t count = tall ? columns : rows, length = tall ? rows : columns;
  std::vector<double> q(count * length);
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = s.normal(i);
  for (std::size_t i = 0; i < count; ++i) {
    double* v = &q[i * length];
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t j = 0; j < i; ++j) {
        const double* u = &q[j * length];
        const double along = dot(u, v, length);
        for (std::size_t k = 0; k < length; ++k) v[k] -= along * u[k];
      }
    const double norm = std::sqrt(dot(v, v, length));
    for (std::size_t k = 0; k < length; ++k) v[k] /= norm;
  }
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c)
      layer.weight[r * columns + c] =
          static_cast<float>(gain * (tall ? q[c * length + r] : q[r * length + c]));
}

LayerWeights initial_layer(const ModelSpec& spec, ModelId id, std::uint64_t level, int fan_in, int fan_out,
                           bool is_output) {
  LayerWeights layer{fan_in, fan_out,
                     std::vector<float>(static_cast<std::size_t>(fan_in) * static_cast<std::size_t>(fan_out)),
                     std::vector<float>(static_cast<std::size_t>(fan_out))};
  const Stream weights{spec.seed, hash_words({kWeightStream, id, level})},
      biases{spec.seed, hash_words({kBiasStream, id, level})};
  const double gain = is_output ? 1.0 : std::numbers::sqrt2, in = fan_in, both = fan_in + fan_out;
  switch (spec.init) {
    case Init::torch:
      fill_uniform(layer.weight, weights, 1.0 / std::sqrt(in));
      fill_uniform(layer.bias, biases, 1.0 / std::sqrt(in));
      break;
    case Init::kaiming_normal: fill_normal(layer.weight, weights, gain / std::sqrt(in)); break;
    case Init::kaiming_uniform: fill_uniform(layer.weight, weights, gain * std::sqrt(3.0 / in)); break;
    case Init::xavier_normal: fill_normal(layer.weight, weights, gain * std::sqrt(2.0 / both)); break;
    case Init::xavier_uniform: fill_uniform(layer.weight, weights, gain * std::sqrt(6.0 / both)); break;
    case Init::orthogonal: fill_orthogonal(layer, weights, gain); break;
    case Init::ones: layer.weight.assign(layer.weight.size(), 1.0f); break;
    case Init::zeros: break;
  }
  return layer;
}

/// Calls visit(place in the parameter array, out, in) for every weight of a layer, and visit_bias(place, out)
/// for every bias.
template <class Visit, class VisitBias>
void for_each_parameter(const Layout& layout, const ModelLayer& layer, Visit visit, VisitBias visit_bias) {
  const Slab& s = layout.slabs[static_cast<std::size_t>(layer.slab)];
  for (int n = 0; n < layer.width; ++n) {
    const int column = layer.column + n, panel = column / kPanelWidth, width = panel_width(s, panel);
    std::int64_t place = panel_weights(s, panel) + column % kPanelWidth;
    for (int k = 0; k < layer.fan_in; ++k, place += width) visit(place, n, k);
    visit_bias(s.bias + column, n);
  }
}

}  // namespace

std::vector<LayerWeights> initial_weights(const ModelSpec& spec, TaskShape shape) {
  const ModelId id = model_id(spec, shape);
  std::vector<LayerWeights> layers;
  int fan_in = shape.features;
  for (std::size_t l = 0; l <= spec.hidden.size(); ++l) {
    const bool is_output = l == spec.hidden.size();
    layers.push_back(
        initial_layer(spec, id, l, fan_in, is_output ? shape.classes : spec.hidden[l], is_output));
    fan_in = layers.back().outputs;
  }
  return layers;
}

void put_weights(const Layout& layout, std::int64_t model, std::span<const LayerWeights> weights,
                 float* parameters) {
  const auto& layers = layout.layers[static_cast<std::size_t>(model)];
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto fan_in = static_cast<std::size_t>(layers[l].fan_in);
    for_each_parameter(
        layout, layers[l],
        [&](std::int64_t place, int n, int k) {
          parameters[place] =
              weights[l].weight[static_cast<std::size_t>(n) * fan_in + static_cast<std::size_t>(k)];
        },
        [&](std::int64_t place, int n) { parameters[place] = weights[l].bias[static_cast<std::size_t>(n)]; });
  }
}

std::vector<LayerWeights> get_weights(const Layout& layout, std::int64_t model, const float* parameters) {
  std::vector<LayerWeights> weights;
  for (const ModelLayer& layer : layout.layers[static_cast<std::size_t>(model)]) {
    const auto fan_in = static_cast<std::size_t>(layer.fan_in), width = static_cast<std::size_t>(layer.width);
    LayerWeights w{layer.fan_in, layer.width, std::vector<float>(fan_in * width), std::vector<float>(width)};
    for_each_parameter(
        layout, layer,
        [&](std::int64_t place, int n, int k) {
          w.weight[static_cast<std::size_t>(n) * fan_in + static_cast<std::size_t>(k)] = parameters[place];
        },
        [&](std::int64_t place, int n) { w.bias[static_cast<std::size_t>(n)] = parameters[place]; });
    weights.push_back(std::move(w));
  }
  return weights;
}

}  // namespace shoal
