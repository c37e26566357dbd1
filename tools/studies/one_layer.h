// What studies of one hidden layer ask of their settings.
#pragma once

#include <string>
#include <string_view>

#include "tools/settings.h"

namespace shoal {

/// UsageError unless every model has one hidden layer, only widths and seeds are lists (other lists would put
/// different experiments into one row), and neurons are looked at after their ReLU. `study`: "study width".
void check_one_layer(const Settings&, std::string_view study);

/// Sets a default that nobody has overruled.
void set_unless_given(Settings&, std::string_view key, std::string_view value);

/// Takes the built-in digits where MNIST is not there and no data were asked for. True when it did.
bool fall_back_to_digits(Settings&);

/// "MNIST" for "mnist", for titles.
std::string words_for(const std::string& data);

}  // namespace shoal
