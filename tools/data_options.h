// The rows of a training run's settings that say which data, for commands that do not train.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "tools/settings.h"

namespace CLI {
class App;
}

namespace shoal {

/// Data settings as flags: data (as a flag too, if asked for), data-dir, train-count, test-count, data-seed,
/// difficulty, radius, and normalize if asked for.
struct DataFlags {
  Schema schema;
  std::map<std::string, std::string, std::less<>> values;  // key -> what was given
};
std::shared_ptr<DataFlags> add_data_options(CLI::App&, bool name_is_flag, bool normalize);

/// Defaults, the environment, the flags.
Settings settings_of(const DataFlags&);

/// Every variable of this process.
std::map<std::string, std::string> environment_variables();

}  // namespace shoal
