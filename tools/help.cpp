#include "tools/help.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/command.h"

namespace shoal {
namespace {

constexpr std::size_t kColumns = 100, kMargin = 30;

/// CLI11 asks a formatter for every part of the help text.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string_view shell_lines) : examples(shell_lines) {}

  std::string make_description(const CLI::App* app) const override {
    std::string text = wrapped(app->get_description() + ".", kColumns, 0) + "\n";
    if (!examples.empty()) text += "\nExamples:\n";
    for (std::size_t begin = 0; begin < examples.size();) {
      const std::size_t end = std::min(examples.find('\n', begin), examples.size());
      text += fmt::format("  {}\n", examples.substr(begin, end - begin));
      begin = end + 1;
    }
    return text + "\n";
  }

  /// CLI11 puts two empty lines between groups.
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    std::string text = CLI::Formatter::make_help(app, name, mode);
    for (std::size_t at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n", at))
      text.erase(at, 1);
    return text;
  }

  std::string make_option(const CLI::Option* option, bool positional) const override {
    std::string left = "  " + option->get_name(positional, !positional);
    if (option->get_type_size() != 0 && !option->get_type_name().empty())
      left += " " + option->get_type_name();
    std::string right = option->get_description();
    if (!option->get_default_str().empty()) right += fmt::format(" [{}]", option->get_default_str());
    if (left.size() + 2 > kMargin) return fmt::format("{}\n{:{}}{}\n", left, "", kMargin, broken(right));
    return fmt::format("{:<{}}{}\n", left, kMargin, broken(right));
  }

  std::string make_subcommand(const CLI::App* command) const override {
    return fmt::format("  {:<12}{}\n", command->get_name(),
                       wrapped(command->get_description(), kColumns - 14, 14));
  }

 private:
  static std::string broken(std::string_view text) { return wrapped(text, kColumns - kMargin, kMargin); }
  std::string examples;
};

}  // namespace

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string result;
  std::size_t column = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (column > 0 && column + 1 + word.size() > width) {
      result += "\n" + std::string(indent, ' ');
      column = 0;
    }
    if (column > 0) result += ' ', ++column;
    result += word;
    column += word.size();
    begin = end + 1;
  }
  return result;
}

void use_help(CLI::App& app, std::string_view examples, std::string_view footer) {
  app.formatter(std::make_shared<HelpFormatter>(examples));
  app.set_help_flag("-h,--help", "this text");
  app.footer(std::string(footer));
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
}

CLI::App& add_command(CLI::App& parent, const Command& command, Action& chosen) {
  CLI::App& app = *parent.add_subcommand(std::string(command.name), std::string(command.summary));
  use_help(app, command.examples, "");
  app.group("Commands");
  Action action = command.declare(app);
  // A command with commands of its own (study) is called through them.
  if (action) app.final_callback([&chosen, action] { chosen = action; });
  return app;
}

}  // namespace shoal
