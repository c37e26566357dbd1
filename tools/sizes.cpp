#include "tools/sizes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/model_columns.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double plus(double sum, double term) { return std::isnan(sum) ? term : std::isnan(term) ? sum : sum + term; }

double sum_of(const std::vector<double>& values) {
  double sum = kNone;
  for (const double value : values) sum = plus(sum, value);
  return sum;
}

}  // namespace

bool any_gates(const RunSpec& spec) { return std::any_of(spec.models.begin(), spec.models.end(), has_gates); }

std::vector<double> layer_sizes(const ModelResult& model) {
  std::vector<double> sizes;
  for (const GateResult& g : model.gates) sizes.push_back(g.kind == GateKind::none ? kNone : g.size);
  return sizes;
}

std::string layer_sizes_text(const ModelResult& model) {
  std::string text;
  for (const double size : layer_sizes(model))
    text += (text.empty() ? "" : "x") + (std::isnan(size) ? std::string("-") : to_text(size));
  return text;
}

double size_of(const ModelResult& model) { return sum_of(layer_sizes(model)); }

std::vector<double> sizes_of_ok(const RunResult& result) {
  std::vector<double> sizes;
  for (const ModelResult& model : result.models)
    if (model.status == ModelStatus::ok) sizes.push_back(size_of(model));
  return sizes;
}

std::int64_t effective_parameters(const ModelSpec& spec, const ModelResult& result, TaskShape shape) {
  ModelSpec left = spec;
  for (std::size_t l = 0; l < result.gates.size(); ++l) {
    const std::vector<float>& gates = result.gates[l].gates;
    if (result.gates[l].kind != GateKind::none)
      left.hidden[l] =
          static_cast<int>(std::count_if(gates.begin(), gates.end(), [](float g) { return g != 0.0f; }));
  }
  return parameter_count(left, shape);
}

double gate_of(const ModelResult& model, std::size_t layer, std::size_t neuron) {
  if (layer >= model.gates.size() || model.gates[layer].kind == GateKind::none) return kNone;
  return static_cast<double>(model.gates[layer].gates[neuron]);
}

void add_sizes(NpzWriter& npz, const RunSpec& spec, const RunResult& result) {
  const std::size_t models = result.models.size(), epochs = static_cast<std::size_t>(spec.epochs);
  std::size_t depth = 0;
  for (const ModelSpec& model : spec.models) depth = std::max(depth, model.hidden.size());
  std::vector<double> sums(epochs * models, kNone), layers(epochs * models * depth, kNone);
  for (std::size_t m = 0; m < models; ++m)
    for (std::size_t l = 0; l < result.models[m].gates.size(); ++l) {
      const std::vector<double>& sizes = result.models[m].gates[l].epoch_size;
      for (std::size_t e = 0; e < std::min(epochs, sizes.size()); ++e) {
        const std::size_t at = e * models + m;
        layers[at * depth + l] = sizes[e];
        sums[at] = plus(sums[at], sizes[e]);
      }
    }
  const auto length = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  npz.add("size", {length(epochs), length(models)}, std::span<const double>(sums));
  npz.add("layer_sizes", {length(epochs), length(models), length(depth)}, std::span<const double>(layers));
}

}  // namespace shoal
