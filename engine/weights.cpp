#include "engine/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

namespace shoal {
namespace {

constexpr std::int64_t kMaxExtent = 1 << 24;  // inputs or outputs of a layer; far from where ints end

std::string file_name_of(std::string_view prefix, std::size_t layer, std::string_view kind) {
  return fmt::format("{}{}layers.{}.{}", prefix, prefix.empty() ? "" : ".", layer, kind);
}

}  // namespace

// ---------------------------------------------------------------------------------------------- writing

struct WeightsWriter::State {
  std::vector<Model> models;
  std::vector<bool> written;
  SafetensorsWriter file;
};

namespace {

std::vector<TensorSpec> tensors_of(const std::vector<WeightsWriter::Model>& models) {
  std::vector<TensorSpec> tensors;
  for (const WeightsWriter::Model& m : models)
    for (std::size_t l = 0; l + 1 < m.widths.size(); ++l) {
      const std::int64_t in = m.widths[l], out = m.widths[l + 1];
      tensors.push_back({file_name_of(m.prefix, l, "weight"), TensorType::f32, {out, in}});
      tensors.push_back({file_name_of(m.prefix, l, "bias"), TensorType::f32, {out}});
    }
  return tensors;
}

}  // namespace

WeightsWriter::WeightsWriter(std::filesystem::path path, std::vector<Model> models,
                             std::map<std::string, std::string> metadata) {
  SafetensorsWriter file(std::move(path), tensors_of(models), metadata);
  const std::size_t count = models.size();
  state = std::make_unique<State>(State{std::move(models), std::vector<bool>(count), std::move(file)});
}
WeightsWriter::~WeightsWriter() = default;
WeightsWriter::WeightsWriter(WeightsWriter&&) noexcept = default;
WeightsWriter& WeightsWriter::operator=(WeightsWriter&&) noexcept = default;

void WeightsWriter::write(std::size_t model, std::span<const LayerWeights> layers) {
  const Model& m = state->models.at(model);
  if (state->written[model]) throw std::invalid_argument(fmt::format("model {} is written twice", model));
  if (layers.size() + 1 != m.widths.size())
    throw std::invalid_argument(fmt::format("model {} was announced with {} layers, not {}", model,
                                            m.widths.size() - 1, layers.size()));
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerWeights& layer = layers[l];
    const auto in = static_cast<std::size_t>(m.widths[l]), out = static_cast<std::size_t>(m.widths[l + 1]);
    if (layer.weight.size() != in * out || layer.bias.size() != out)
      throw std::invalid_argument(fmt::format("layer {} of model {} is not {} x {}", l, model, out, in));
    state->file.write(file_name_of(m.prefix, l, "weight"), layer.weight);
    state->file.write(file_name_of(m.prefix, l, "bias"), layer.bias);
  }
  state->written[model] = true;
}

void WeightsWriter::finish() { state->file.finish(); }

// ---------------------------------------------------------------------------------------------- reading

namespace {

/// A layer's place in a file, from its name without ".weight".
struct LayerName {
  std::string prefix;
  std::int64_t number = -1;  // -1: the name has none
};

bool is_digit(char c) { return '0' <= c && c <= '9'; }

std::size_t component_begin(std::string_view name) { return name.find_last_of('.') + 1; }  // npos + 1 = 0

/// "a.b" -> "a", "a" -> ""
std::string_view parent(std::string_view name) {
  const std::size_t begin = component_begin(name);
  return name.substr(0, begin > 0 ? begin - 1 : 0);
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// The number is at the end of the name, or it is the component before the last ("layers.0.linear"); the
/// prefix is what stands before the component with the number, and before a component "layers".
LayerName parse_layer_name(std::string_view name) {
  const std::string_view above = parent(name);
  const bool ends_in_number = !name.empty() && is_digit(name.back());
  if (!ends_in_number && is_number(above.substr(component_begin(above)))) name = above;
  std::size_t digits = name.size();
  while (digits > 0 && is_digit(name[digits - 1])) --digits;
  LayerName result;
  std::from_chars(name.data() + digits, name.data() + name.size(), result.number);  // too long: stays -1
  std::string_view prefix = parent(name);
  if (is_number(name.substr(component_begin(name))) && prefix.substr(component_begin(prefix)) == "layers")
    prefix = parent(prefix);
  result.prefix = prefix;
  return result;
}

/// A layer in a file, before its data are read.
struct StoredLayer {
  std::string weight, bias;  // names of the tensors
  std::int64_t number;
};

struct StoredModel {
  std::string prefix;
  std::vector<StoredLayer> layers;  // ascending by number
};

[[noreturn]] void refuse(const SafetensorsFile& file, std::string_view reason) {
  throw WeightsError(fmt::format("{}: {}", file.path().string(), reason));
}

/// "a.b" of "a.b.weight", "" of "weight"; nothing when the name ends otherwise.
bool strip(std::string_view name, std::string_view kind, std::string& stem) {
  if (name == kind) return stem.clear(), true;
  if (!name.ends_with(kind) || name[name.size() - kind.size() - 1] != '.') return false;
  stem = name.substr(0, name.size() - kind.size() - 1);
  return true;
}

void sort_layers(const SafetensorsFile& file, StoredModel& model) {
  std::vector<StoredLayer>& layers = model.layers;
  std::stable_sort(layers.begin(), layers.end(),
                   [](const StoredLayer& a, const StoredLayer& b) { return a.number < b.number; });
  for (const StoredLayer& l : layers)
    if (l.number < 0 && layers.size() > 1)
      refuse(file, fmt::format("the name \"{}\" has no number that says which layer it is", l.weight));
  for (std::size_t i = 1; i < layers.size(); ++i)
    if (layers[i - 1].number == layers[i].number)
      refuse(file, fmt::format("\"{}\" and \"{}\" both claim to be layer {}", layers[i - 1].weight,
                               layers[i].weight, layers[i].number));
}

std::vector<StoredModel> find_models(const SafetensorsFile& file) {
  std::vector<StoredModel> models;
  std::map<std::string, std::size_t> index;
  std::string stem;
  for (const TensorInfo& t : file.tensors()) {
    if (strip(t.name, "bias", stem)) {
      const std::string weight = stem.empty() ? "weight" : stem + ".weight";
      if (!file.contains(weight)) refuse(file, fmt::format("\"{}\" has no \"{}\" beside it", t.name, weight));
      continue;
    }
    if (!strip(t.name, "weight", stem))
      refuse(file, fmt::format("tensor \"{}\" is neither a weight nor a bias of a linear layer", t.name));
    const std::string bias = stem.empty() ? "bias" : stem + ".bias";
    if (!file.contains(bias)) refuse(file, fmt::format("\"{}\" has no \"{}\" beside it", t.name, bias));
    const LayerName name = parse_layer_name(stem);
    const auto [at, fresh] = index.emplace(name.prefix, models.size());
    if (fresh) models.push_back({name.prefix, {}});
    models[at->second].layers.push_back({t.name, bias, name.number});
  }
  if (models.empty()) refuse(file, "has no weights in it");
  for (StoredModel& m : models) sort_layers(file, m);
  return models;
}

/// Shapes of a layer and of the one before it (0 outputs: there is none).
void check_shapes(const SafetensorsFile& file, const StoredLayer& layer, std::int64_t outputs_below) {
  const std::vector<std::int64_t>&w = file.tensor(layer.weight).shape, &b = file.tensor(layer.bias).shape;
  if (w.size() != 2)
    refuse(file, fmt::format("\"{}\" has shape {}, but the weights of a linear layer are [out, in]",
                             layer.weight, extents_text(w)));
  const auto transposed = [](bool likely) { return likely ? "; it looks transposed, [in, out]" : ""; };
  if (b.size() != 1 || b[0] != w[0])
    refuse(file, fmt::format("\"{}\" has shape {}, but \"{}\" has {} instead of [{}]{}", layer.weight,
                             extents_text(w), layer.bias, extents_text(b), w[0],
                             transposed(b.size() == 1 && b[0] == w[1])));
  if (outputs_below > 0 && w[1] != outputs_below)
    refuse(file, fmt::format("\"{}\" has shape {}, but the layer before it has {} outputs{}", layer.weight,
                             extents_text(w), outputs_below, transposed(w[0] == outputs_below)));
  for (const std::int64_t n : w)
    if (n < 1 || n > kMaxExtent)
      refuse(file, fmt::format("\"{}\" has shape {}; extents are from 1 to {}", layer.weight, extents_text(w),
                               kMaxExtent));
}

std::vector<float> read_finite(const SafetensorsFile& file, const std::string& name) {
  std::vector<float> values = file.read<float>(name);
  const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
  if (bad != values.end())
    refuse(file, fmt::format("\"{}\" holds {} at place {}: the model has diverged or the file is damaged",
                             name, *bad, bad - values.begin()));
  return values;
}

std::string list_of(const std::vector<StoredModel>& models) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(models.size(), kShown); ++i)
    text += fmt::format("{}\"{}\"", i ? ", " : "", models[i].prefix);
  return models.size() > kShown ? text + ", ..." : text;
}

}  // namespace

struct WeightsFile::State {
  SafetensorsFile file;
  std::vector<StoredModel> models;
};

WeightsFile::WeightsFile(const std::filesystem::path& path) {
  SafetensorsFile file(path);
  std::vector<StoredModel> found = find_models(file);
  state = std::make_unique<State>(State{std::move(file), std::move(found)});
}
WeightsFile::~WeightsFile() = default;
WeightsFile::WeightsFile(WeightsFile&&) noexcept = default;
WeightsFile& WeightsFile::operator=(WeightsFile&&) noexcept = default;

const std::map<std::string, std::string>& WeightsFile::metadata() const { return state->file.metadata(); }

std::vector<std::string> WeightsFile::models() const {
  std::vector<std::string> prefixes;
  for (const StoredModel& m : state->models) prefixes.push_back(m.prefix);
  return prefixes;
}

std::vector<LayerWeights> WeightsFile::read(const std::string& prefix) const {
  const std::vector<StoredModel>& models = state->models;
  auto model =
      std::find_if(models.begin(), models.end(), [&](const StoredModel& m) { return m.prefix == prefix; });
  if (model == models.end() && prefix.empty() && models.size() == 1) model = models.begin();
  if (model == models.end())
    refuse(state->file, prefix.empty()
                            ? fmt::format("holds {} models; name one of {}", models.size(), list_of(models))
                            : fmt::format("holds no model \"{}\"; it has {}", prefix, list_of(models)));
  std::vector<LayerWeights> layers;
  for (const StoredLayer& stored : model->layers) {
    check_shapes(state->file, stored, layers.empty() ? 0 : layers.back().outputs);
    const std::vector<std::int64_t>& shape = state->file.tensor(stored.weight).shape;
    layers.push_back({static_cast<int>(shape[1]), static_cast<int>(shape[0]),
                      read_finite(state->file, stored.weight), read_finite(state->file, stored.bias)});
  }
  return layers;
}

std::vector<std::string> models_in(const std::filesystem::path& path) { return WeightsFile(path).models(); }

std::vector<LayerWeights> read_weights(const std::filesystem::path& path, const std::string& prefix) {
  return WeightsFile(path).read(prefix);
}

}  // namespace shoal
