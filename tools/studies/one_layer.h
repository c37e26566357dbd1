// What studies of one hidden layer ask of their settings.
#pragma once

#include <string_view>

#include "tools/settings.h"

namespace shoal {

/// UsageError unless every model has one hidden layer, only widths and seeds are lists (other lists would put
/// different experiments into one row), and neurons are looked at after their ReLU. `study`: "study width".
void check_one_layer(const Settings&, std::string_view study);

}  // namespace shoal
