// Settings as TOML: reading a configuration, writing the resolved one.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "tools/settings.h"

namespace shoal {

/// Takes every key of a TOML file (origin: file). Lists are arrays, or the text that a flag would take
/// (hidden = "4..64"). UsageError: not there, not TOML (with the line), an unknown key, a value of the wrong
/// kind.
void set_from_file(Settings&, const std::filesystem::path&);

/// The same for text; `where` is for messages.
void set_from_toml(Settings&, std::string_view toml, const std::string& where);

/// Every setting with lists written out, grouped as in the help text; reading it back gives the same
/// settings. `command`: what repeats the run ("train", "study width").
std::string to_toml(const Settings&, std::string_view command = "train");

/// One value as to_toml writes it.
std::string toml_value(const Settings&, std::string_view key);

}  // namespace shoal
