// `shoal export`: one model of a run as a file that PyTorch loads.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "engine/weights.h"
#include "tools/command.h"
#include "tools/compact.h"
#include "tools/exit_codes.h"
#include "tools/find_model.h"

namespace shoal {
namespace {

struct ExportCommand {
  std::string run, model, output;
  bool force = false, compact = false;
};

int export_model(const ExportCommand& command) {
  const auto state = std::filesystem::path(command.run) / "state.safetensors";
  if (!std::filesystem::is_directory(command.run))
    throw UsageError(fmt::format("{} is no directory; the directory of a run is asked for", command.run));
  if (!std::filesystem::exists(state))
    throw WeightsError(
        fmt::format("{} has no state.safetensors: the run is not finished (shoal train --resume -o {})",
                    command.run, command.run));
  if (std::filesystem::exists(command.output) && !command.force)
    throw UsageError(
        fmt::format("{} exists: choose another file, or replace it with --force", command.output));
  const WeightsFile file(state);
  const std::string id = find_model(command.model, file.models());
  std::vector<LayerWeights> layers = file.read(id);
  if (command.compact) layers = without_dead_neurons(layers);
  WeightsWriter::Model model{"", {layers.front().inputs}};
  for (const LayerWeights& layer : layers) model.widths.push_back(layer.outputs);
  auto metadata = file.metadata();
  metadata["model"] = id;
  try {
    WeightsWriter writer(command.output, {model}, metadata);
    writer.write(0, layers);
    writer.finish();
  } catch (const WeightsError& e) { throw OutputError(e.what()); }
  std::string widths;
  for (const LayerWeights& layer : layers) widths += fmt::format("-{}", layer.outputs);
  fmt::print(stderr, "model {} ({}{}) is in {}\n", id, layers.front().inputs, widths, command.output);
  return kExitOk;
}

}  // namespace

Action declare_export(CLI::App& app) {
  auto command = std::make_shared<ExportCommand>();
  app.add_option("run", command->run, "the run's directory")->required();
  app.add_option("--model", command->model, "an id, its beginning, or an index (population.csv)")
      ->type_name("ID|INDEX")
      ->required();
  app.add_option("-o,--output", command->output, "the file to write; layers.0.weight, layers.0.bias, ...")
      ->type_name("FILE.safetensors")
      ->required();
  app.add_flag("--compact", command->compact,
               "leave out hidden neurons whose outgoing weights are all 0 (gates that are shut): the same "
               "function in smaller matrices");
  app.add_flag("--force", command->force, "replace the file if it is there");
  return [command](const Invocation&) { return export_model(*command); };
}

}  // namespace shoal
