#include "tools/removal_problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <set>

#include "engine/exact_outputs.h"
#include "engine/weights.h"
#include "tools/exit_codes.h"
#include "tools/find_model.h"
#include "tools/population_spec.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

std::string choose_model(const RemovalRequest& r, const WeightsFile& file) {
  const std::vector<std::string> models = file.models();
  if (!r.model.empty()) return find_model(r.model, models);
  if (models.size() == 1) return models.front();
  throw UsageError(
      fmt::format("{} holds {} models: say which with --model ID or INDEX", r.weights, models.size()));
}

/// Hidden layers, from 0, whose nodes are meant.
std::vector<int> layers_meant(const std::string& word, int hidden) {
  if (word == "last") return {hidden - 1};
  std::vector<int> all;
  for (int l = 0; l < hidden; ++l) all.push_back(l);
  if (word == "all") return all;
  int number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number < 1 || number > hidden)
    throw UsageError(
        fmt::format("--layer: '{}' is not last, all, or a hidden layer from 1 to {}", word, hidden));
  return {number - 1};
}

/// "0-19,25": a dash, or two dots as in other lists.
std::vector<std::int64_t> numbers_of(std::string text) {
  for (std::size_t i = 1; i + 1 < text.size(); ++i)
    if (text[i] == '-' && text[i - 1] >= '0' && text[i - 1] <= '9') text.replace(i, 1, "..");
  try {
    return parse_integers(text, RangeStep::by_one);
  } catch (const UsageError& e) { throw UsageError(fmt::format("--nodes: {}", e.what())); }
}

std::vector<NodePlace> nodes_meant(const RemovalRequest& r, const Layers& layers) {
  std::vector<NodePlace> there;
  for (const int l : layers_meant(r.layer, static_cast<int>(layers.size()) - 1))
    for (int n = 0; n < layers[static_cast<std::size_t>(l)].outputs; ++n) there.push_back({l, n});
  if (r.nodes.empty()) return there;
  std::vector<NodePlace> chosen;
  std::set<std::int64_t> seen;
  for (const std::int64_t n : numbers_of(r.nodes)) {
    if (n < 0 || n >= std::ssize(there))
      throw UsageError(fmt::format("--nodes: there is no node {}; there are 0 to {}", n, there.size() - 1));
    if (!seen.insert(n).second) throw UsageError(fmt::format("--nodes: node {} is named twice", n));
    chosen.push_back(there[static_cast<std::size_t>(n)]);
  }
  return chosen;
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

Split points_of(Dataset data, std::string& part) {
  if (part == "auto") part = data.cut ? "all" : "test";
  if (part == "test") return std::move(data.test);
  if (part == "train") return std::move(data.train);
  Split all = std::move(data.train);
  all.count += data.test.count;
  append(all.bytes, data.test.bytes);
  append(all.values, data.test.values);
  append(all.labels, data.test.labels);
  return all;
}

Normalization normalization_for(const RemovalRequest& r, const WeightsFile& file, const Split& train) {
  if (!r.normalize.empty()) return normalization_of(r.normalize, train);
  const auto& metadata = file.metadata();
  const auto scale = metadata.find("scale"), shift = metadata.find("shift");
  if (scale == metadata.end() || shift == metadata.end()) return normalization_of("none", train);
  try {
    return {static_cast<float>(parse_real(scale->second)), static_cast<float>(parse_real(shift->second))};
  } catch (const UsageError&) {
    throw WeightsError(fmt::format("{}: scale and shift in its metadata are no numbers ('{}', '{}')",
                                   r.weights, scale->second, shift->second));
  }
}

}  // namespace

DataView RemovalProblem::view() const {
  return {points.count, points.features, points.bytes.empty() ? nullptr : points.bytes.data(),
          points.values.empty() ? nullptr : points.values.data(), points.labels.data()};
}

bool RemovalProblem::in_last_layer() const {
  const int last = static_cast<int>(layers.size()) - 2;
  return std::all_of(nodes.begin(), nodes.end(), [&](const NodePlace& n) { return n.layer == last; });
}

RemovalProblem make_problem(const RemovalRequest& r, const Settings& settings) {
  const WeightsFile file(r.weights);
  RemovalProblem p;
  p.model = choose_model(r, file);
  p.layers = file.read(p.model);
  if (p.layers.size() < 2)
    throw WeightsError(
        fmt::format("{}: the model has no hidden layer, so there is no node to remove", r.weights));
  p.nodes = nodes_meant(r, p.layers);
  Dataset data = load_dataset(dataset_spec_of(settings));
  p.classes = p.layers.back().outputs;
  if (p.classes < data.classes)
    throw WeightsError(
        fmt::format("the model has {} outputs, and {} has {} classes", p.classes, data.name, data.classes));
  if (p.classes < 2)
    throw WeightsError(
        fmt::format("{}: the model has one output; cross-entropy needs two or more", r.weights));
  const Normalization n = normalization_for(r, file, data.train);
  p.scale = n.scale, p.shift = n.shift;
  p.data = data.name, p.part = r.part;
  p.points = points_of(std::move(data), p.part);
  check_layers(p.layers, p.view());
  return p;
}

EnumeratedNetwork enumerated_network(const RemovalProblem& p, int threads) {
  const auto hidden = std::span(p.layers).first(p.layers.size() - 1);
  const LayerWeights& last = p.layers.back();
  const std::vector<double> all = exact_outputs(hidden, LastLayer::relu, p.view(), p.scale, p.shift, threads);
  const auto width = static_cast<std::size_t>(last.inputs), classes = static_cast<std::size_t>(p.classes),
             nodes = p.nodes.size(), points = p.points.labels.size();
  EnumeratedNetwork e;
  std::vector<bool> listed(width);
  for (const NodePlace& n : p.nodes) {
    listed[static_cast<std::size_t>(n.neuron)] = true;
    for (std::size_t c = 0; c < classes; ++c)
      e.weights.push_back(static_cast<double>(last.weight[c * width + static_cast<std::size_t>(n.neuron)]));
  }
  e.outputs.reserve(points * nodes);
  e.base.reserve(points * classes);
  for (std::size_t b = 0; b < points; ++b) {
    for (const NodePlace& n : p.nodes)
      e.outputs.push_back(all[b * width + static_cast<std::size_t>(n.neuron)]);
    for (std::size_t c = 0; c < classes; ++c) {
      double z = static_cast<double>(last.bias[c]);
      for (std::size_t i = 0; i < width; ++i)
        if (!listed[i]) z += all[b * width + i] * static_cast<double>(last.weight[c * width + i]);
      e.base.push_back(z);
    }
  }
  e.network = {static_cast<int>(nodes), p.classes, e.outputs, e.weights, e.base, p.points.labels};
  return e;
}

Layers masked(const RemovalProblem& p, const NodeMask& mask) {
  Layers layers = p.layers;
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    if (mask[i]) continue;
    LayerWeights& reader = layers[static_cast<std::size_t>(p.nodes[i].layer) + 1];
    for (int o = 0; o < reader.outputs; ++o)
      reader.weight[static_cast<std::size_t>(o) * static_cast<std::size_t>(reader.inputs) +
                    static_cast<std::size_t>(p.nodes[i].neuron)] = 0.0f;
  }
  return layers;
}

}  // namespace shoal
