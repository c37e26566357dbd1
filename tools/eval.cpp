// `shoal eval`: loss and accuracy of a model in a safetensors file, whoever trained it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "engine/given_models.h"
#include "engine/spec.h"
#include "engine/weights.h"
#include "tools/command.h"
#include "tools/data_options.h"
#include "tools/evaluation.h"
#include "tools/exit_codes.h"
#include "tools/find_model.h"
#include "tools/population_spec.h"
#include "tools/report.h"
#include "tools/table.h"

namespace shoal {
namespace {

struct EvalCommand {
  std::string weights, model, loss = "cross-entropy", part = "test", logits;
  std::shared_ptr<DataFlags> data;
  bool json = false;
};

std::vector<LayerWeights> read_model(const EvalCommand& command, std::string& prefix) {
  const WeightsFile file(command.weights);
  const std::vector<std::string> prefixes = file.models();
  if (!command.model.empty()) prefix = find_model(command.model, prefixes);
  else if (prefixes.size() == 1) prefix = prefixes.front();
  else
    throw UsageError(fmt::format("{} holds {} models: say which with --model ID or INDEX", command.weights,
                                 prefixes.size()));
  return file.read(prefix);
}

void check_classes(const std::vector<LayerWeights>& layers, const Dataset& data) {
  if (layers.back().outputs < data.classes)
    throw WeightsError(fmt::format("the model has {} outputs, and {} has {} classes", layers.back().outputs,
                                   data.name, data.classes));
}

int evaluate(const EvalCommand& command) {
  Report report({.json = command.json, .log_file = {}});
  const LossKind loss = parse_loss(command.loss);
  std::string prefix;
  const std::vector<LayerWeights> layers = read_model(command, prefix);
  const Settings settings = settings_of(*command.data);
  const Dataset data = load_dataset(dataset_spec_of(settings));
  for (const std::string& warning : data.warnings) report.warn(warning);
  check_classes(layers, data);
  const Task task = task_of(data, normalization_of(settings.text("normalize"), data.train));
  const DataView& view = command.part == "test" ? task.test : task.train;
  const int outputs = layers.back().outputs;
  const std::vector<float> values = logits(layers, view, task.scale, task.shift);
  const Score score = score_of(values, {view.labels, static_cast<std::size_t>(view.count)}, outputs, loss);
  if (!command.logits.empty()) write_matrix(command.logits, values, view.count, outputs);
  report.print(fmt::format("loss      {:.6f}\naccuracy  {} % of {} {} samples of {}\n", score.loss,
                           percent(score.accuracy), grouped(view.count), command.part, data.name));
  report.event("result", {{"model", prefix},
                          {"data", data.name},
                          {"part", command.part},
                          {"samples", view.count},
                          {"loss", score.loss},
                          {"accuracy", score.accuracy}});
  return kExitOk;
}

}  // namespace

Action declare_eval(CLI::App& app) {
  auto command = std::make_shared<EvalCommand>();
  app.add_option("--weights", command->weights,
                 "safetensors file: *.weight [out, in] and *.bias [out] by layer")
      ->type_name("FILE")
      ->required();
  app.add_option("--model", command->model, "which one of a file of many: an id, its beginning, or an index")
      ->type_name("ID|INDEX");
  app.add_option("--loss", command->loss, "cross-entropy or squared-error")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--part", command->part, "which samples: test or train")
      ->type_name("PART")
      ->capture_default_str()
      ->check(CLI::IsMember({"test", "train"}));
  app.add_option("--logits", command->logits, "write the outputs, float32 [samples, outputs]")
      ->type_name("FILE.npy");
  app.add_flag("--json", command->json, "one line of JSON");
  command->data = add_data_options(app, true, true);
  return [command](const Invocation&) { return evaluate(*command); };
}

}  // namespace shoal
