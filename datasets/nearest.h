#pragma once
#include <span>
#include <string_view>

namespace shoal {

/// Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other (optimal
/// string alignment); capital and small letters count as the same.
int edit_distance(std::string_view a, std::string_view b);

/// The choice nearest to `word`, the first of equals; empty if none is near enough to be what was meant (more
/// than a third of the longer word's letters differ).
std::string_view nearest_name(std::string_view word, std::span<const std::string_view> choices);

}  // namespace shoal
