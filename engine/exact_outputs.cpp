#include "engine/exact_outputs.h"

#include <algorithm>

#include "kernels/parallel.h"

namespace shoal {
namespace {

constexpr std::int64_t kRows = 64;  // samples of a task

/// A layer with its inputs as rows, so that the inner loop runs over outputs and no sum is reordered.
struct ExactLayer {
  std::size_t inputs, outputs;
  std::vector<double> weight, bias;  // [in][out]

  explicit ExactLayer(const LayerWeights& l)
      : inputs(static_cast<std::size_t>(l.inputs)),
        outputs(static_cast<std::size_t>(l.outputs)),
        weight(inputs * outputs),
        bias(l.bias.begin(), l.bias.end()) {
    for (std::size_t o = 0; o < outputs; ++o)
      for (std::size_t i = 0; i < inputs; ++i)
        weight[i * outputs + o] = static_cast<double>(l.weight[o * inputs + i]);
  }

  std::vector<double> of(std::span<const double> x, bool relu) const {
    std::vector<double> z = bias;
    for (std::size_t i = 0; i < inputs; ++i) {
      if (x[i] == 0) continue;  // most pixels
      const double* row = weight.data() + i * outputs;
      for (std::size_t o = 0; o < outputs; ++o) z[o] += x[i] * row[o];
    }
    if (relu)
      for (double& value : z) value = value < 0 ? 0 : value;
    return z;
  }
};

std::vector<double> input_of(const DataView& data, std::int64_t sample, float scale, float shift) {
  std::vector<double> x(static_cast<std::size_t>(data.features));
  const std::int64_t first = sample * data.features;
  for (std::size_t f = 0; f < x.size(); ++f) {
    const auto at = first + static_cast<std::int64_t>(f);
    const double value = data.bytes ? data.bytes[at] : static_cast<double>(data.values[at]);
    x[f] = value * static_cast<double>(scale) + static_cast<double>(shift);
  }
  return x;
}

}  // namespace

std::vector<double> exact_outputs(std::span<const LayerWeights> layers, LastLayer last, const DataView& data,
                                  float scale, float shift, int threads) {
  check_layers(layers, data);
  const std::vector<ExactLayer> exact(layers.begin(), layers.end());
  const std::size_t width = exact.back().outputs;
  std::vector<double> result(static_cast<std::size_t>(data.count) * width);
  const auto tasks = static_cast<int>((data.count + kRows - 1) / kRows);
  parallel_for(std::clamp(threads > 0 ? threads : usable_threads(), 1, std::max(1, tasks)), tasks,
               [&](int, int task) {
                 const std::int64_t end = std::min(data.count, (task + 1) * kRows);
                 for (std::int64_t b = task * kRows; b < end; ++b) {
                   std::vector<double> x = input_of(data, b, scale, shift);
                   for (std::size_t l = 0; l < exact.size(); ++l)
                     x = exact[l].of(x, l + 1 < exact.size() || last == LastLayer::relu);
                   std::copy(x.begin(), x.end(), result.begin() + b * static_cast<std::int64_t>(width));
                 }
               });
  return result;
}

}  // namespace shoal
