// CLI11's complaints in our words, with the nearest valid choice.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace shoal {

/// One sentence about a command line that could not be parsed by `app`.
std::string sentence_of(const CLI::App& app, const CLI::ParseError&);

}  // namespace shoal
