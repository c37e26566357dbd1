// The program: finds the subcommand, runs it, and turns what goes wrong into one sentence and an exit code.
#include <fmt/format.h>
#include <shoal_version.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "tools/command.h"
#include "tools/command_line_error.h"
#include "tools/exit_codes.h"
#include "tools/help.h"
#include "tools/signals.h"

namespace shoal {
namespace {

constexpr const char* kVersion =
    "shoal " SHOAL_VERSION " (" SHOAL_COMMIT ", " SHOAL_COMPILER ", " SHOAL_BUILD_TYPE ")";

int run_program(int count, char** arguments) {
  CLI::App app(
      "Trains hundreds to thousands of small neural networks of different widths, seeds and hyperparameters "
      "at "
      "once, on a GPU or a CPU, and measures what happens inside them",
      "shoal");
  use_help(app,
           "shoal train --data digits --hidden 16,64,256 --seeds 4\n"
           "shoal train --help",
           kExitCodeHelp);
  app.set_version_flag("--version", kVersion, "version, commit and compiler");
  Action chosen;
  for (const Command& command : commands()) add_command(app, command, chosen);
  try {
    app.parse(count, arguments);
  } catch (const CLI::Success& e) { return app.exit(e); } catch (const CLI::ParseError& e) {
    throw UsageError(sentence_of(app, e));
  }
  if (!chosen) {
    fmt::print(stderr, "{}", app.help());
    throw UsageError("a command is missing; the list stands above");
  }
  watch_signals();
  return chosen(Invocation{{arguments, arguments + count}});
}

}  // namespace
}  // namespace shoal

int main(int count, char** arguments) {
  try {
    return shoal::run_program(count, arguments);
  } catch (...) {
    const shoal::Failure failure = shoal::failure_of(std::current_exception());
    fmt::print(stderr, "error: {}\n", failure.message);
    return failure.code;
  }
}
