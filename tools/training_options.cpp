#include "tools/training_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "tools/config_file.h"
#include "tools/data_options.h"
#include "tools/exit_codes.h"
#include "tools/help.h"

namespace shoal {
namespace {

std::string full_name(const CLI::App& app) {
  const CLI::App* const parent = app.get_parent();
  return parent && parent->get_parent() ? full_name(*parent) + " " + app.get_name() : app.get_name();
}

std::string help_of(const Setting& row) {
  std::string text(row.help);
  if (!row.choices.empty()) text += fmt::format(": {}", fmt::join(row.choices, ", "));
  return text;
}

void add_run_options(CLI::App& app, TrainingCommand& c) {
  const auto flag = [&](const char* name, bool& value, const char* help) {
    app.add_flag(name, value, help)->group("Run");
  };
  const auto text = [&](const char* name, std::string& value, const char* metavar, const char* help) {
    return app.add_option(name, value, help)->type_name(metavar)->group("Run")->take_last();
  };
  text("-o,--output", c.output, "DIR", "run directory")->default_str("runs/<date>-<time>-<name>");
  flag("--force", c.force, "replace the run directory if it is there");
  flag("--resume", c.resume, "go on with the run in -o, with its settings; start it if it is not there");
  text("--config", c.config, "FILE", "settings in TOML; flags and the environment go before them");
  app.add_option("--set", c.assignments, "any setting; as the flag of that name, and may be repeated")
      ->type_name("KEY=VALUE")
      ->group("Run")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  flag("--print-config", c.print_config, "print all settings as TOML and stop");
  flag("--dry-run", c.dry_run,
       "print what would be trained, its size and an estimated time, and write nothing");
  flag("--json", c.json, "events as JSON Lines on stdout");
  flag("-q,--quiet", c.quiet, "say only what is wrong, and the run directory");
  flag("-v,--verbose", c.verbose, "say more");
  flag("--no-progress", c.no_progress, "no lines of progress");
  text("--log-file", c.log_file, "FILE", "add all that is said to a file, with the time");
  text("--color", c.colour, "WHEN", "auto, always, never (NO_COLOR is heeded)")
      ->default_str("auto")
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

}  // namespace

void add_setting_flags(CLI::App& app, TrainingCommand& command) {
  command.values.resize(command.schema.size());
  for (std::size_t i = 0; i < command.schema.size(); ++i) {
    const Setting& row = command.schema[i];
    CLI::Option* const option = app.add_option(fmt::format("--{}", row.key), command.values[i], help_of(row));
    option->type_name(std::string(row.metavar))
        ->default_str(std::string(row.fallback))
        ->group(std::string(row.group));
    option->take_last();
    command.options.push_back(option);
  }
}

std::shared_ptr<TrainingCommand> add_training_options(CLI::App& app, Schema schema) {
  auto command = std::make_shared<TrainingCommand>();
  command->name = full_name(app);
  command->schema = std::move(schema);
  add_setting_flags(app, *command);
  add_run_options(app, *command);
  app.footer(
      wrapped(
          "Every setting can also stand in a TOML file (--config) and in the environment: --weight-decay is "
          "weight-decay = ... and SHOAL_WEIGHT_DECAY (--data is SHOAL_DATASET). Defaults < file < "
          "environment < flags < --set.",
          100, 0) +
      "\n\n" + kExitCodeHelp);
  return command;
}

ReportSpec report_spec_of(const TrainingCommand& c) {
  return {.json = c.json,
          .quiet = c.quiet,
          .verbose = c.verbose,
          .progress = !c.no_progress,
          .colour = c.colour == "always"  ? Colour::always
                    : c.colour == "never" ? Colour::never
                                          : Colour::automatic,
          .log_file = c.log_file};
}

std::filesystem::path resumed_config(const TrainingCommand& c) {
  if (!c.resume) return {};
  if (c.output.empty()) throw UsageError("--resume goes on with the run in -o DIR: say which");
  const auto config = std::filesystem::path(c.output) / "config.toml";
  return is_run_directory(c.output) && std::filesystem::exists(config) ? config : std::filesystem::path();
}

Settings settings_of(const TrainingCommand& c, std::vector<std::string>& warnings) {
  Settings settings(c.schema);
  if (const auto config = resumed_config(c); !config.empty()) set_from_file(settings, config);
  if (!c.config.empty()) set_from_file(settings, c.config);
  for (const std::string& name : set_from_environment(settings, environment_variables()))
    warnings.push_back(fmt::format("the variable {} is no setting and is ignored", name));
  for (std::size_t i = 0; i < c.options.size(); ++i)
    if (c.options[i]->count() > 0) settings.set(c.schema[i].key, c.values[i], Origin::flag);
  for (const std::string& assignment : c.assignments) set_assignment(settings, assignment);
  return settings;
}

void check_resumed(const TrainingCommand& c, const Settings& settings) {
  const auto config = resumed_config(c);
  if (config.empty()) return;
  Settings before(c.schema);
  set_from_file(before, config);
  for (const Setting& row : c.schema) {
    const std::string then = toml_value(before, row.key), now = toml_value(settings, row.key);
    if (row.identity && then != now)
      throw UsageError(
          fmt::format("--{}: the run in {} was begun with {}, and {} would be another run: --resume goes "
                      "on with the same settings",
                      row.key, c.output, then, now));
  }
}

}  // namespace shoal
