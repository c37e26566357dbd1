// Models in files: names, shapes, what is refused in words, and that a model saved by PyTorch gives the
// outputs that PyTorch gets.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/given_models.h"
#include "engine/weights.h"
#include "tests/engine/fixtures/pytorch_mlp.h"
#include "tests/engine/temporary_folder.h"

using namespace shoal;

namespace {

/// Numbers in [-1, 1) that repeat late and are not round.
struct Numbers {
  std::uint32_t state;
  float next() {
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-31f;
  }
  std::vector<float> many(std::size_t count) {
    std::vector<float> values(count);
    for (float& v : values) v = next();
    return values;
  }
};

std::vector<LayerWeights> make_layers(const std::vector<int>& widths, std::uint32_t seed) {
  Numbers numbers{seed};
  std::vector<LayerWeights> layers;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const auto in = static_cast<std::size_t>(widths[l]), out = static_cast<std::size_t>(widths[l + 1]);
    layers.push_back({widths[l], widths[l + 1], numbers.many(in * out), numbers.many(out)});
  }
  return layers;
}

bool same(const std::vector<LayerWeights>& a, const std::vector<LayerWeights>& b) {
  const auto equal = [](const LayerWeights& x, const LayerWeights& y) {
    return x.inputs == y.inputs && x.outputs == y.outputs && x.weight == y.weight && x.bias == y.bias;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), equal);
}

/// A tensor by hand, for names that our own writer does not use.
struct Tensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values = {};  // empty: 1, 2, 3, ...
};

void write_tensors(const std::filesystem::path& path, std::vector<Tensor> tensors) {
  std::vector<TensorSpec> specs;
  for (const Tensor& t : tensors) specs.push_back({t.name, TensorType::f32, t.shape});
  SafetensorsWriter writer(path, specs);
  for (Tensor& t : tensors) {
    std::int64_t count = 1;
    for (const std::int64_t n : t.shape) count *= n;
    if (t.values.empty()) {
      t.values.resize(static_cast<std::size_t>(count));
      std::iota(t.values.begin(), t.values.end(), 1.0f);
    }
    writer.write(t.name, t.values);
  }
  writer.finish();
}

std::string complaint(const std::filesystem::path& path, const std::string& prefix = "") {
  try {
    read_weights(path, prefix);
  } catch (const WeightsError& e) { return e.what(); }
  return "";
}

bool mentions(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

/// A value in double precision and how far a float computation of it may be away.
struct Bounded {
  double value, error;
};

constexpr double kUnit = 0x1p-24;  // half the distance of floats near 1

/// Logits of one sample in double precision. The float machine computes z as a chain of n + 1 roundings in
/// some order of n products and a bias: |dz| <= gamma_{n+1} (sum |w y| + |b|), gamma_m = m u / (1 - m u)
/// (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1); errors of the inputs come through
/// |w|, and ReLU does not enlarge them.
std::vector<Bounded> reference_logits(const std::vector<LayerWeights>& layers, std::vector<Bounded> y) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerWeights& layer = layers[l];
    const double m = layer.inputs + 1, gamma = m * kUnit / (1 - m * kUnit);
    std::vector<Bounded> z;
    for (std::size_t n = 0; n < layer.bias.size(); ++n) {
      double sum = layer.bias[n], size = std::abs(sum), inherited = 0;
      for (std::size_t k = 0; k < y.size(); ++k) {
        const double w = layer.weight[n * y.size() + k];
        sum += w * y[k].value;
        size += std::abs(w) * (std::abs(y[k].value) + y[k].error);
        inherited += std::abs(w) * y[k].error;
      }
      z.push_back({l + 1 < layers.size() ? std::max(sum, 0.0) : sum, gamma * size + inherited});
    }
    y = z;
  }
  return y;
}

/// x * scale + shift in at most two roundings.
Bounded scaled(float x, float scale, float shift) {
  const double product = static_cast<double>(x) * scale, value = product + shift;
  return {value, 2 * kUnit * (std::abs(product) + std::abs(value))};
}

/// The largest |got - expected| / error over all logits of all samples; infinity for NaN.
double worst_error(const std::vector<LayerWeights>& layers, const DataView& data, float scale, float shift,
                   const std::vector<float>& got) {
  double worst = 0;
  std::size_t at = 0;
  for (std::int64_t row = 0; row < data.count; ++row) {
    std::vector<Bounded> inputs;
    for (std::int64_t i = row * data.features; i < (row + 1) * data.features; ++i)
      inputs.push_back(scaled(data.bytes ? static_cast<float>(data.bytes[i]) : data.values[i], scale, shift));
    for (const Bounded& z : reference_logits(layers, inputs)) {
      const double ratio = std::abs(got[at++] - z.value) / z.error;
      worst = ratio <= worst ? worst : std::isnan(ratio) ? std::numeric_limits<double>::infinity() : ratio;
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("weights: models of a file come back, whatever the order of writing") {
  const TemporaryFolder folder;
  const std::vector<std::vector<int>> widths{{7, 16, 3}, {7, 1, 3}, {7, 65, 17, 2, 5, 3}};
  const std::vector<std::string> prefixes{"3fa2000000000001", "b", "00ff"};
  std::vector<WeightsWriter::Model> models;
  for (std::size_t m = 0; m < 3; ++m) models.push_back({prefixes[m], widths[m]});
  WeightsWriter writer(folder / "x", models, {{"run", "test"}});
  for (const std::size_t m : {2u, 0u, 1u})
    writer.write(m, make_layers(widths[m], static_cast<std::uint32_t>(m)));
  writer.finish();

  CHECK(models_in(folder / "x") == prefixes);
  const WeightsFile file(folder / "x");
  CHECK(file.metadata().at("run") == "test");
  for (std::size_t m = 0; m < 3; ++m)
    CHECK(same(file.read(prefixes[m]), make_layers(widths[m], static_cast<std::uint32_t>(m))));
  const SafetensorsFile raw(folder / "x");
  CHECK(raw.tensor("00ff.layers.1.weight").shape == std::vector<std::int64_t>{17, 65});
  CHECK(raw.tensor("00ff.layers.4.bias").shape == std::vector<std::int64_t>{3});
}

TEST_CASE("weights: a single model needs no prefix") {
  const TemporaryFolder folder;
  WeightsWriter writer(folder / "x", {{"", {4, 8, 2}}}, {});
  writer.write(0, make_layers({4, 8, 2}, 1));
  writer.finish();
  CHECK(SafetensorsFile(folder / "x").contains("layers.0.weight"));
  CHECK(models_in(folder / "x") == std::vector<std::string>{""});
  CHECK(same(read_weights(folder / "x"), make_layers({4, 8, 2}, 1)));
}

TEST_CASE("weights: a writer refuses what was not announced") {
  const TemporaryFolder folder;
  using Bad = std::invalid_argument;
  {
    WeightsWriter writer(folder / "x", {{"a", {4, 8, 2}}, {"b", {4, 8, 2}}}, {});
    CHECK_THROWS_AS(writer.write(0, make_layers({4, 8, 8, 2}, 1)), Bad);
    CHECK_THROWS_AS(writer.write(0, make_layers({4, 7, 2}, 1)), Bad);
    writer.write(0, make_layers({4, 8, 2}, 1));
    CHECK_THROWS_AS(writer.write(0, make_layers({4, 8, 2}, 1)), Bad);
    CHECK_THROWS_AS(writer.finish(), Bad);  // model b is missing
  }
  CHECK(folder.count() == 0);
}

TEST_CASE("weights: names of layers as people and PyTorch give them") {
  struct Case {
    std::vector<std::string> names;  // of the layers, first to last
    std::string prefix;
  };
  const Case cases[] = {
      {{"0", "2", "4"}, ""},
      {{"layers.0", "layers.1", "layers.2"}, ""},
      {{"fc1", "fc2", "fc3"}, ""},
      {{"linear_8", "linear_9", "linear_10"}, ""},  // 10 comes after 9
      {{"hidden1", "hidden2", "output3"}, ""},
      {{"net.0", "net.2", "net.10"}, "net"},
      {{"layers.0.linear", "layers.1.linear", "layers.2.linear"}, ""},
      {{"3fa2.layers.0", "3fa2.layers.1", "3fa2.layers.2"}, "3fa2"},
      {{"3fa2.fc1", "3fa2.fc2", "3fa2.fc3"}, "3fa2"},
      {{"a.b.0", "a.b.1", "a.b.2"}, "a.b"},
      {{"weight_of.7.layers.0", "weight_of.7.layers.1", "weight_of.7.layers.2"}, "weight_of.7"},
  };
  const TemporaryFolder folder;
  for (const Case& c : cases) {
    CAPTURE(c.names[0]);
    // Written last to first, as a file may hold them in any order.
    write_tensors(folder / "x", {{c.names[2] + ".weight", {2, 4}},
                                 {c.names[2] + ".bias", {2}},
                                 {c.names[1] + ".bias", {4}},
                                 {c.names[1] + ".weight", {4, 3}},
                                 {c.names[0] + ".bias", {3}},
                                 {c.names[0] + ".weight", {3, 5}}});
    CHECK(models_in(folder / "x") == std::vector<std::string>{c.prefix});
    const std::vector<LayerWeights> layers = read_weights(folder / "x", c.prefix);
    REQUIRE(layers.size() == 3);
    CHECK(layers[0].inputs == 5);
    CHECK(layers[1].inputs == 3);
    CHECK(layers[2].inputs == 4);
    CHECK(layers[2].outputs == 2);
    CHECK(same(read_weights(folder / "x"), layers));  // the only one needs no name
  }
  write_tensors(folder / "x", {{"weight", {2, 3}}, {"bias", {2}}});  // a lone nn.Linear
  CHECK(read_weights(folder / "x").size() == 1);
}

TEST_CASE("weights: several models in one file are told apart") {
  const TemporaryFolder folder;
  write_tensors(folder / "x", {{"encoder.0.weight", {2, 3}},
                               {"encoder.0.bias", {2}},
                               {"decoder.0.weight", {3, 2}},
                               {"decoder.0.bias", {3}},
                               {"7.fc1.weight", {1, 1}},
                               {"7.fc1.bias", {1}}});
  CHECK(models_in(folder / "x") == std::vector<std::string>{"encoder", "decoder", "7"});
  CHECK(read_weights(folder / "x", "decoder")[0].outputs == 3);
  CHECK(mentions(complaint(folder / "x"), "holds 3 models; name one of \"encoder\", \"decoder\", \"7\""));
  CHECK(mentions(complaint(folder / "x", "encodr"), "holds no model \"encodr\"; it has \"encoder\""));
}

TEST_CASE("weights: what is not an MLP is refused in words") {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinite = std::numeric_limits<float>::infinity();
  struct Case {
    std::vector<Tensor> tensors;
    std::string words;
  };
  const Case cases[] = {
      {{}, "has no weights in it"},
      {{{"0.weight", {2, 3}}}, "\"0.weight\" has no \"0.bias\" beside it"},
      {{{"weight", {2, 3}}}, "\"weight\" has no \"bias\" beside it"},
      {{{"0.bias", {2}}}, "\"0.bias\" has no \"0.weight\" beside it"},
      {{{"0.weight", {2, 3}}, {"0.bias", {2}}, {"1.running_mean", {2}}},
       "\"1.running_mean\" is neither a weight"},
      {{{"0.overweight", {2, 3}}}, "is neither a weight nor a bias"},
      {{{"0.weight", {2}}, {"0.bias", {2}}}, "\"0.weight\" has shape [2], but the weights of a linear layer"},
      {{{"0.weight", {2, 3, 1, 1}}, {"0.bias", {2}}}, "has shape [2, 3, 1, 1], but"},
      {{{"0.weight", {3, 2}}, {"0.bias", {2}}}, "\"0.bias\" has [2] instead of [3]; it looks transposed"},
      {{{"0.weight", {3, 2}}, {"0.bias", {7}}}, "\"0.bias\" has [7] instead of [3]"},
      {{{"0.weight", {3, 2}}, {"0.bias", {3, 1}}}, "\"0.bias\" has [3, 1] instead of [3]"},
      {{{"0.weight", {0, 2}}, {"0.bias", {0}}}, "extents are from 1 to"},
      {{{"0.weight", {4, 2}}, {"0.bias", {4}}, {"1.weight", {3, 5}}, {"1.bias", {3}}},
       "\"1.weight\" has shape [3, 5], but the layer before it has 4 outputs"},
      {{{"0.weight", {4, 2}}, {"0.bias", {4}}, {"1.weight", {4, 3}}, {"1.bias", {4}}},
       "the layer before it has 4 outputs; it looks transposed"},
      {{{"fc1.weight", {4, 2}}, {"fc1.bias", {4}}, {"out.weight", {3, 4}}, {"out.bias", {3}}},
       "\"out.weight\" has no number that says which layer it is"},
      {{{"fc1.weight", {4, 2}}, {"fc1.bias", {4}}, {"out1.weight", {3, 4}}, {"out1.bias", {3}}},
       "\"fc1.weight\" and \"out1.weight\" both claim to be layer 1"},
      {{{"1.weight", {4, 2}},
        {"1.bias", {4}},
        {"99999999999999999999.weight", {3, 4}},
        {"99999999999999999999.bias", {3}}},
       "has no number that says which layer it is"},
      {{{"0.weight", {1, 2}, {1.0f, nan}}, {"0.bias", {1}}}, "\"0.weight\" holds nan at place 1"},
      {{{"0.weight", {1, 2}}, {"0.bias", {1}, {-infinite}}}, "\"0.bias\" holds -inf at place 0"},
  };
  const TemporaryFolder folder;
  for (const Case& c : cases) {
    CAPTURE(c.words);
    write_tensors(folder / "x", c.tensors);
    const std::string text = complaint(folder / "x");
    CAPTURE(text);
    CHECK(mentions(text, c.words));
    CHECK(mentions(text, (folder / "x").string()));
    CHECK(mentions(text, "looks transposed") == mentions(c.words, "looks transposed"));
  }
}

TEST_CASE("weights: other types than float32 are refused when they are read") {
  const TemporaryFolder folder;
  SafetensorsWriter writer(folder / "x",
                           {{"0.weight", TensorType::f64, {1, 1}}, {"0.bias", TensorType::f64, {1}}});
  writer.write("0.weight", std::vector<double>{1.0});
  writer.write("0.bias", std::vector<double>{1.0});
  writer.finish();
  CHECK(mentions(complaint(folder / "x"), "\"0.weight\" has type F64, but F32 is needed"));
}

TEST_CASE("logits: within the rounding errors of the formulas, for odd sizes") {
  const std::vector<std::vector<int>> shapes{{1, 1},
                                             {3, 1, 2},
                                             {7, 15, 3},
                                             {16, 16, 16},
                                             {17, 63, 10},
                                             {64, 64, 64},
                                             {65, 65, 65},
                                             {5, 17, 130, 2},
                                             {2, 130, 10},
                                             {9, 7, 1, 7, 3},
                                             {100, 64, 31, 17, 15, 1}};
  for (const std::vector<int>& widths : shapes)
    for (const std::int64_t count : {1, 7, 128, 129, 300}) {
      CAPTURE(widths.size());
      CAPTURE(widths[1]);
      CAPTURE(count);
      const std::vector<LayerWeights> layers = make_layers(widths, 3);
      const std::vector<float> values =
          Numbers{5}.many(static_cast<std::size_t>(count) * static_cast<std::size_t>(widths[0]));
      const DataView data{count, widths[0], nullptr, values.data(), nullptr};
      const std::vector<float> got = logits(layers, data, 1.25f, -0.3f);
      REQUIRE(got.size() == static_cast<std::size_t>(count) * static_cast<std::size_t>(widths.back()));
      CHECK(worst_error(layers, data, 1.25f, -0.3f, got) <= 1.0);
    }
}

TEST_CASE("logits: bytes are scaled as the task says") {
  std::vector<std::uint8_t> bytes(40 * 20);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37);
  const std::vector<LayerWeights> layers = make_layers({20, 33, 4}, 9);
  const DataView data{40, 20, bytes.data(), nullptr, nullptr};
  const float scale = 1.0f / 255.0f / 0.3081f, shift = -0.1307f / 0.3081f;
  CHECK(worst_error(layers, data, scale, shift, logits(layers, data, scale, shift)) <= 1.0);
}

TEST_CASE("logits: a sample's are the same bits alone and among others") {
  const std::vector<LayerWeights> layers = make_layers({10, 70, 3}, 11);
  const std::vector<float> values = Numbers{2}.many(200 * 10);
  const std::vector<float> together = logits(layers, {200, 10, nullptr, values.data(), nullptr}, 1.0f, 0.0f);
  for (std::size_t row = 0; row < 200; ++row) {
    const std::vector<float> alone =
        logits(layers, {1, 10, nullptr, values.data() + row * 10, nullptr}, 1.0f, 0.0f);
    for (std::size_t c = 0; c < 3; ++c)
      CHECK(std::bit_cast<std::uint32_t>(alone[c]) == std::bit_cast<std::uint32_t>(together[row * 3 + c]));
  }
}

TEST_CASE("logits: models and data that do not fit are refused") {
  const std::vector<float> values(12);
  const DataView data{2, 6, nullptr, values.data(), nullptr};
  CHECK_THROWS_WITH_AS(logits(make_layers({5, 3, 2}, 1), data, 1, 0),
                       "the model reads 5 features, but the data have 6", WeightsError);
  CHECK_THROWS_AS(logits({}, data, 1, 0), WeightsError);
  std::vector<LayerWeights> layers = make_layers({6, 3, 2}, 1);
  layers[1].inputs = 4;
  CHECK_THROWS_AS(logits(layers, data, 1, 0), WeightsError);
  layers = make_layers({6, 3, 2}, 1);
  layers[1].weight.pop_back();
  CHECK_THROWS_AS(logits(layers, data, 1, 0), WeightsError);
}

TEST_CASE("weights: a model saved by PyTorch loads, and its outputs agree") {
  namespace torch = pytorch_mlp;
  const TemporaryFolder folder;
  write_bytes(
      folder / "model.safetensors",
      safetensors_bytes(torch::kHeader, {reinterpret_cast<const char*>(torch::kData), sizeof torch::kData}));
  const std::vector<LayerWeights> layers = read_weights(folder / "model.safetensors");
  REQUIRE(layers.size() == 3);
  const DataView data{torch::kSamples, torch::kFeatures, nullptr, torch::kInputs, nullptr};
  const std::vector<float> got = logits(layers, data, 1.0f, 0.0f);
  REQUIRE(got.size() == std::size(torch::kExact));
  for (std::size_t row = 0, at = 0; row < torch::kSamples; ++row) {
    std::vector<Bounded> inputs;
    for (std::size_t k = 0; k < torch::kFeatures; ++k)
      inputs.push_back({torch::kInputs[row * torch::kFeatures + k], 0.0});  // x * 1 + 0 is exact
    for (const Bounded& z : reference_logits(layers, inputs)) {
      CAPTURE(at);
      CHECK(std::abs(got[at] - torch::kExact[at]) <= z.error);        // PyTorch in double precision
      CHECK(std::abs(got[at] - torch::kOutputs[at]) <= 2 * z.error);  // both in floats
      CHECK(std::abs(z.value - torch::kExact[at]) <= 1e-6 * z.error);
      ++at;
    }
  }
}
