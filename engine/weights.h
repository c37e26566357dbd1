// Weights of single models outside a run: files with PyTorch's names, and evaluation of a model that somebody
// else trained.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/run.h"
#include "engine/safetensors.h"

namespace shoal {

/// Writes a safetensors file of many models without holding them all: the header is fixed by the shapes, then
/// models follow one by one. Tensors are named
/// `<prefix>layers.0.weight` [out, in] and `<prefix>layers.0.bias` [out], float32. Written under a temporary
/// name; finish() renames it to `path`, and without it nothing is left behind.
class WeightsWriter {
 public:
  struct Model {
    std::string prefix;       // "" for a single model, else e.g. "3fa2....": a dot is put behind it
    std::vector<int> widths;  // features, hidden..., classes
  };
  WeightsWriter(std::filesystem::path path, std::vector<Model> models,
                std::map<std::string, std::string> metadata);
  ~WeightsWriter();
  WeightsWriter(const WeightsWriter&) = delete;
  WeightsWriter& operator=(const WeightsWriter&) = delete;
  void write(std::size_t model, std::span<const LayerWeights>);  // in any order, each once
  void finish();  // throws when a model is missing or the disk is full

 private:
  struct State;
  State* state;
};

/// Prefixes of the models in a file, in file order ("" for a file of one model named as PyTorch's
/// nn.Sequential or with `layers.N.`).
std::vector<std::string> models_in(const std::filesystem::path&);
/// Reads one model. Any names that pair `*.weight` [out, in] with `*.bias` [out] in ascending order of their
/// number are accepted (`0.weight`, `layers.0.weight`, `net.2.weight`, `fc1.weight`), so a state_dict of an
/// MLP saved with safetensors loads as it is.
std::vector<LayerWeights> read_weights(const std::filesystem::path&, const std::string& prefix = "");

/// Outputs of a model's last layer, [count][classes], for rows of the task's train or test part; ReLU between
/// layers. Runs on the CPU machine.
std::vector<float> logits(std::span<const LayerWeights>, const DataView&, float scale, float shift);

}  // namespace shoal
