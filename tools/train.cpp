// `shoal train`: a run with nothing added.
#include <CLI/CLI.hpp>

#include "tools/training.h"

namespace shoal {

Action declare_train(CLI::App& app) {
  const auto command = add_training_options(app, training_schema());
  return [command](const Invocation& invocation) { return run_training(*command, invocation, {}); };
}

}  // namespace shoal
