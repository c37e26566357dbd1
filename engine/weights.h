// Weights of single models outside a run: files with PyTorch's names. engine/given_models.h runs them.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
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
  WeightsWriter(WeightsWriter&&) noexcept;
  WeightsWriter& operator=(WeightsWriter&&) noexcept;
  void write(std::size_t model, std::span<const LayerWeights>);  // in any order, each once
  void finish();  // throws when a model is missing or the disk is full

 private:
  struct State;
  std::unique_ptr<State> state;
};

/// A file of models, opened once and read model by model. Tensors pair `<name>.weight` [out, in] with
/// `<name>.bias` [out]. The last number of a name says which layer it is, what stands before it says whose:
///
///   0.weight, layers.0.weight, fc1.weight, weight   the model ""
///   net.0.weight                                    the model "net"
///   3fa2.layers.0.weight, 3fa2.fc1.weight           the model "3fa2"
///
/// so a state_dict of an MLP saved with safetensors loads as it is. Errors: WeightsError.
class WeightsFile {
 public:
  explicit WeightsFile(const std::filesystem::path&);
  ~WeightsFile();
  WeightsFile(WeightsFile&&) noexcept;
  WeightsFile& operator=(WeightsFile&&) noexcept;

  const std::map<std::string, std::string>& metadata() const;
  std::vector<std::string> models() const;  // prefixes, in file order
  /// Layers in ascending order, checked: shapes follow one another and every number is finite. "" also means
  /// the only model of the file, whatever its prefix.
  std::vector<LayerWeights> read(const std::string& prefix = "") const;

 private:
  struct State;
  std::unique_ptr<State> state;
};

/// The same in one call, for one model.
std::vector<std::string> models_in(const std::filesystem::path&);
std::vector<LayerWeights> read_weights(const std::filesystem::path&, const std::string& prefix = "");

}  // namespace shoal
