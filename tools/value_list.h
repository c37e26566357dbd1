// Lists and ranges as people write them on a command line:
//
//   1,2,5       a list; its parts may be ranges
//   a..b        from a to b by the setting's own step: doubling, ten-fold or one by one; b belongs to it when
//               it is hit
//   a..b:n      n values from a to b in equal ratios (a > 0), both ends included; whole numbers are rounded,
//               and doubles dropped
//   a..b:+s     a, a + s, a + 2s, ... up to b
//
// Every function throws UsageError with one sentence about the part that is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// What a..b means for a setting.
enum class RangeStep { none, doubling, tenfold, by_one };

/// The parts between commas, without blanks round them; a comma at the end is allowed. Empty parts are
/// errors.
std::vector<std::string> split_list(std::string_view text);

std::vector<std::int64_t> parse_integers(std::string_view text, RangeStep);
/// Values that a range makes are rounded to 12 significant digits, so that 1e-4..1e-1 holds 0.001 itself.
std::vector<double> parse_reals(std::string_view text, RangeStep);
/// Hidden layers of one model are joined by x ("100x50"); ranges are of models with one hidden layer, and
/// double.
std::vector<std::vector<int>> parse_layers(std::string_view text);

/// One number and nothing else: "1e-3", "64". Whole numbers may be written 1e6 and 60_000.
std::int64_t parse_integer(std::string_view text);
double parse_real(std::string_view text);

/// Bytes: "2000000000", "500MiB", "1.5 GB".
std::uint64_t parse_bytes(std::string_view text);

/// The shortest text that parses to the same value: 0.001, 64, 1e-08.
std::string to_text(double);
/// 100x50
std::string to_text(const std::vector<int>& layers);

}  // namespace shoal
