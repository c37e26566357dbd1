// `shoal study NAME`: hands over to the table of studies.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/exit_codes.h"
#include "tools/studies.h"

namespace shoal {

Action declare_study(CLI::App& app) {
  auto chosen = std::make_shared<Action>();
  for (const Study& study : studies()) add_command(app, study, *chosen);
  return [chosen](const Invocation& invocation) {
    if (*chosen) return (*chosen)(invocation);
    std::string names;
    for (const Study& study : studies()) names += fmt::format("{}{}", names.empty() ? "" : ", ", study.name);
    throw UsageError(fmt::format("which study? There are: {}", names));
  };
}

}  // namespace shoal
