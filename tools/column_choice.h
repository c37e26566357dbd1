// Which columns of a table --column means, and which array of an .npz --array means.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// Places of the columns that `wanted` names, in its order. Each text is a column's name, or a comma list of
/// names, numbers from 0 and ranges of numbers (0..63); a name goes before a number. Without texts, all
/// columns. `file` is for messages. UsageError with the nearest name: no such column, a name that several
/// columns have.
std::vector<std::size_t> choose_columns(std::span<const std::string> wanted,
                                        std::span<const std::string> names, std::string_view file);

/// The array that `wanted` names, or the only one there is. UsageError with those there are.
std::string choose_array(std::string_view wanted, std::span<const std::string> arrays, std::string_view file);

}  // namespace shoal
