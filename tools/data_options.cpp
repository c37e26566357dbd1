#include "tools/data_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/training.h"

extern char** environ;

namespace shoal {

std::map<std::string, std::string> environment_variables() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry; ++entry) {
    const std::string variable = *entry;
    if (const std::size_t equals = variable.find('='); equals != std::string::npos)
      variables[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  return variables;
}

std::shared_ptr<DataFlags> add_data_options(CLI::App& app, bool name_is_flag, bool normalize) {
  auto flags = std::make_shared<DataFlags>();
  for (const Setting& row : training_schema()) {
    if (row.group != "Data" || (row.key == "normalize" && !normalize)) continue;
    flags->schema.push_back(row);
    if (row.key == "data" && !name_is_flag) continue;
    const std::string key(row.key);
    app.add_option_function<std::string>(
           fmt::format("--{}", row.key), [flags, key](const std::string& text) { flags->values[key] = text; },
           std::string(row.help))
        ->type_name(std::string(row.metavar))
        ->default_str(std::string(row.fallback))
        ->group(std::string(row.group))
        ->take_last();
  }
  return flags;
}

Settings settings_of(const DataFlags& flags) {
  Settings settings(flags.schema);
  set_from_environment(settings, environment_variables());
  for (const auto& [key, text] : flags.values) settings.set(key, text, Origin::flag);
  return settings;
}

}  // namespace shoal
