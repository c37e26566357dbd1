// `shoal data list|check|describe`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "datasets/describe.h"
#include "datasets/mnist.h"
#include "datasets/registry.h"
#include "tools/command.h"
#include "tools/data_options.h"
#include "tools/exit_codes.h"
#include "tools/help.h"
#include "tools/population_spec.h"
#include "tools/report.h"
#include "tools/table.h"

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

struct DataCommand {
  std::shared_ptr<DataFlags> flags;
  std::string name;
  bool json = false;
};

bool comes_from_files(std::string_view name) { return name == "mnist" || name == "fashion-mnist"; }

int list_data(const DataCommand& command) {
  Report report({.json = command.json, .log_file = {}});
  const DatasetSpec spec = dataset_spec_of(settings_of(*command.flags));
  Table table({"name", "here", "what it is"});
  for (const DatasetInfo& info : list_datasets()) {
    const auto folder = comes_from_files(info.name) ? find_dataset(info.name, spec) : std::nullopt;
    const bool built_in = !comes_from_files(info.name);
    table.add({std::string(info.name),
               built_in ? "built in"
               : folder ? folder->string()
                        : "no",
               std::string(info.description)});
    report.event("data", {{"name", info.name},
                          {"available", built_in || folder.has_value()},
                          {"folder", folder ? Json(folder->string()) : Json()},
                          {"description", info.description}});
  }
  report.print(table.text(report.colour()));
  for (const DatasetInfo& info : list_datasets()) {
    if (!comes_from_files(info.name) || find_dataset(info.name, spec)) continue;
    std::string folders;
    for (const auto& folder : dataset_folders(info.name, spec)) folders += "\n  " + folder.string();
    report.say(
        fmt::format("{} was looked for in (--data-dir and SHOAL_DATA name others):{}", info.name, folders));
  }
  return kExitOk;
}

Json checksums_of(const Dataset& data) {
  Json sums = Json::array();
  for (const Checksum& sum : data.checksums) sums.push_back({{"file", sum.file}, {"sha256", sum.sha256}});
  return sums;
}

Json description_of(const SplitDescription& split) {
  return {{"count", split.count},      {"class_counts", split.class_counts},
          {"min", split.least},        {"max", split.largest},
          {"mean", split.mean},        {"sd", split.sd},
          {"zeros", split.zero_share}, {"constant_features", split.constant_features}};
}

Dataset load_named(const DataCommand& command, Report& report) {
  command.flags->values["data"] = command.name;
  Dataset data = load_dataset(dataset_spec_of(settings_of(*command.flags)));
  for (const std::string& warning : data.warnings) report.warn(warning);
  return data;
}

int check_data(const DataCommand& command) {
  Report report({.json = command.json, .log_file = {}});
  const Dataset data = load_named(command, report);
  report.print(fmt::format("{}: {} training and {} test samples of {} features in {} classes, from {}\n",
                           data.name, grouped(data.train.count), grouped(data.test.count),
                           grouped(data.features), data.classes, data.source));
  for (const Checksum& sum : data.checksums) report.print(fmt::format("{}  {}\n", sum.sha256, sum.file));
  report.event("data", {{"name", data.name},
                        {"source", data.source},
                        {"features", data.features},
                        {"classes", data.classes},
                        {"train", data.train.count},
                        {"test", data.test.count},
                        {"checksums", checksums_of(data)}});
  return kExitOk;
}

int describe_data(const DataCommand& command) {
  Report report({.json = command.json, .log_file = {}});
  const Dataset data = load_named(command, report);
  const Description description = describe(data);
  report.print(description_text(data, description));
  report.event("data", {{"name", data.name},
                        {"source", data.source},
                        {"features", data.features},
                        {"classes", data.classes},
                        {"train", description_of(description.train)},
                        {"test", description_of(description.test)},
                        {"checksums", checksums_of(data)}});
  return kExitOk;
}

template <int (*run)(const DataCommand&), bool named>
Action declare(CLI::App& app) {
  auto command = std::make_shared<DataCommand>();
  if (named) app.add_option("data", command->name, "a name, or a file (.npz, .csv, .tsv, IDX)")->required();
  command->flags = add_data_options(app, false, false);
  app.add_flag("--json", command->json, "one line of JSON");
  return [command](const Invocation&) { return run(*command); };
}

constexpr Command kCommands[] = {
    {"list", "The data sets there are, and where they were found", "shoal data list --data-dir ~/data",
     declare<list_data, false>},
    {"check", "Load a data set, or a file, and print its checksums", "shoal data check mnist",
     declare<check_data, true>},
    {"describe", "Counts, classes, means and extremes of a data set or a file", "shoal data describe digits",
     declare<describe_data, true>},
};

}  // namespace

Action declare_data(CLI::App& app) {
  auto chosen = std::make_shared<Action>();
  for (const Command& command : kCommands) add_command(app, command, *chosen);
  return [chosen](const Invocation& invocation) {
    if (*chosen) return (*chosen)(invocation);
    throw UsageError("what about the data? There are list, check and describe");
  };
}

}  // namespace shoal
