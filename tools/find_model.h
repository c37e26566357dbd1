// Finding one model among many.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace shoal {

/// The one of `ids` that `word` means: an id, the beginning of exactly one, or an index counted from 0 (a
/// word of decimal digits below the number of models that is no id's beginning of 6 digits or more).
/// UsageError.
std::string find_model(std::string_view word, std::span<const std::string> ids);

}  // namespace shoal
