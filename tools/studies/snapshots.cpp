#include "tools/studies/snapshots.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <string>

#include "engine/weights.h"

namespace shoal {
namespace {

constexpr const char* kSnapshots = "snapshots";

}  // namespace

std::vector<int> snapshot_epochs(const RunSpec& spec) {
  std::set<int> epochs{spec.epochs};
  for (const int e : {1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000})
    if (e < spec.epochs) epochs.insert(e);
  return {epochs.begin(), epochs.end()};
}

void keep_snapshot(const RunDirectory& directory, const EpochWeights& w) {
  std::vector<WeightsWriter::Model> models;
  for (std::size_t m = 0; m < w.models.size(); ++m) {
    std::vector<int> widths;
    for (const LayerWeights& layer : w.of(m)) {
      if (widths.empty()) widths.push_back(layer.inputs);
      widths.push_back(layer.outputs);
    }
    models.push_back({fmt::format("m{}", w.models[m]), std::move(widths)});
  }
  const std::string name = fmt::format("{}/epoch-{}-{}.safetensors", kSnapshots, w.epochs, w.models.front());
  directory.write_with(name, [&](const std::filesystem::path& path) {
    WeightsWriter file(path, models, {});
    for (std::size_t m = 0; m < w.models.size(); ++m) file.write(m, w.of(m));
    file.finish();
  });
}

std::map<std::int64_t, Layers> snapshot_of(const RunDirectory& directory, int epoch) {
  std::map<std::int64_t, Layers> models;
  const std::string prefix = fmt::format("epoch-{}-", epoch);
  for (const auto& entry : std::filesystem::directory_iterator(directory.file(kSnapshots))) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(".safetensors")) continue;
    const WeightsFile file(entry.path());
    for (const std::string& model : file.models())
      if (model.size() > 1) models[std::stoll(model.substr(1))] = file.read(model);
  }
  return models;
}

}  // namespace shoal
