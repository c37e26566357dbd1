// A subcommand: one file that declares its options and returns what to do, and one line in the table of
// commands.cpp.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace shoal {

/// What the program was called with.
struct Invocation {
  std::vector<std::string> arguments;  // argv, [0] included
};

/// Runs a subcommand after its options have been parsed; returns an exit code. Errors are thrown
/// (exit_codes.h).
using Action = std::function<int(const Invocation&)>;

/// `declare` adds options to the subcommand's own parser, bound to values that the returned action owns (a
/// shared_ptr in its capture):
///
///   Action declare_info(CLI::App& app) {
///     auto json = std::make_shared<bool>(false);
///     app.add_flag("--json", *json, "JSON on stdout");
///     return [json](const Invocation&) { return print_info(*json); };
///   }
struct Command {
  std::string_view name;
  std::string_view summary;   // one line, without a full stop
  std::string_view examples;  // lines of shell, shown first in the help
  Action (*declare)(CLI::App&);
};

/// The table (commands.cpp).
std::span<const Command> commands();

/// Adds `command` to `parent` as a subcommand with the program's way of printing help. When it is the one
/// that was called, its action is put into `chosen`.
CLI::App& add_command(CLI::App& parent, const Command& command, Action& chosen);

}  // namespace shoal
