#include "tools/command_line_error.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string_view>
#include <vector>

#include "datasets/nearest.h"

namespace shoal {
namespace {

/// The subcommand of a subcommand ... that was called.
const CLI::App& innermost(const CLI::App& app) {
  const auto called = app.get_subcommands();
  return called.empty() ? app : innermost(*called.front());
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() ? full_name(*app.get_parent()) + " " + app.get_name() : app.get_name();
}

std::string near(std::string_view word, const std::vector<std::string>& names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view best = nearest_name(word, views);
  return best.empty() ? std::string() : fmt::format("; did you mean '{}'?", best);
}

std::string about_extra(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  if (word.starts_with("-")) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    }
    const std::string flag = word.substr(0, word.find('='));
    return fmt::format("'{}' has no option '{}'{} (all of them: {} --help)", full_name(app), flag,
                       near(flag, names), full_name(app));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  if (names.empty()) return fmt::format("'{}' does not know what to do with '{}'", full_name(app), word);
  return fmt::format("there is no command '{} {}'{} (there are: {})", full_name(app), word, near(word, names),
                     fmt::join(names, ", "));
}

}  // namespace

std::string sentence_of(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& called = innermost(app);
  if (dynamic_cast<const CLI::ExtrasError*>(&error)) {
    const auto extras = app.remaining(true);
    if (!extras.empty()) return about_extra(called, extras.front());
  }
  return error.what();
}

}  // namespace shoal
