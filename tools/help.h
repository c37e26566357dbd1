// How the program prints its help: examples first, then the options with their defaults, wrapped at 100
// columns.
#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace shoal {

/// Gives `app` the program's help: `examples` (lines of shell) before the options, `footer` at the end.
void use_help(CLI::App& app, std::string_view examples, std::string_view footer);

/// `text` broken at blanks into lines of at most `width` columns, every one but the first indented.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace shoal
