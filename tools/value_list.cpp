#include "tools/value_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "tools/exit_codes.h"

namespace shoal {
namespace {

constexpr std::size_t kMostValues = 100000;  // of one list: more is a slip of the pen

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

/// Digits may be grouped: 60_000. Underscores anywhere but between two digits make it no number.
std::optional<std::string> without_groups(std::string_view s) {
  std::string plain;
  const auto digit = [&](std::size_t i) { return i < s.size() && s[i] >= '0' && s[i] <= '9'; };
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '_') plain += s[i];
    else if (i == 0 || !digit(i - 1) || !digit(i + 1)) return std::nullopt;
  }
  return plain;
}

/// from_chars takes a minus and no plus.
const char* after_plus(const std::string& number) {
  return number.data() + (number.size() > 1 && number[0] == '+' && number[1] != '-' ? 1 : 0);
}

/// A range as it was written: a..b, a..b:n, a..b:+s.
struct Range {
  std::string_view text, from, to;
  std::string_view count, stride;  // one of them, or none
};

std::optional<Range> split_range(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  Range range{text, trimmed(text.substr(0, dots)), trimmed(text.substr(dots + 2)), {}, {}};
  if (const std::size_t colon = range.to.find(':'); colon != std::string_view::npos) {
    const std::string_view how = trimmed(range.to.substr(colon + 1));
    range.to = trimmed(range.to.substr(0, colon));
    if (how.empty())
      throw UsageError(
          fmt::format("the range '{}' has nothing behind its colon: write {}..{}:5 for five values "
                      "or {}..{}:+5 for steps of 5",
                      text, range.from, range.to, range.from, range.to));
    if (how.front() == '+') range.stride = trimmed(how.substr(1));
    else range.count = how;
  }
  if (range.from.empty() || range.to.empty())
    throw UsageError(fmt::format("the range '{}' lacks an end: write a..b", text));
  return range;
}

double rounded_to_12_digits(double value) {
  double result = 0.0;
  const std::string digits = fmt::format("{:.11e}", value);
  std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return result;
}

[[noreturn]] void too_many(const Range& range) {
  throw UsageError(fmt::format("the range '{}' has more than {} values", range.text, kMostValues));
}

std::vector<double> in_equal_ratios(const Range& range, double from, double to) {
  const std::int64_t count = parse_integer(range.count);
  if (count < 2)
    throw UsageError(fmt::format("the range '{}' needs at least 2 values, not {}", range.text, count));
  if (count > static_cast<std::int64_t>(kMostValues)) too_many(range);
  if (!(from > 0.0))
    throw UsageError(
        fmt::format("the range '{}' has equal ratios and cannot start at {}: write {}..{}:+s for "
                    "equal steps s",
                    range.text, to_text(from), range.from, range.to));
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(count - 1);
    values.push_back(i == 0           ? from
                     : i == count - 1 ? to
                                      : rounded_to_12_digits(from * std::pow(to / from, share)));
  }
  return values;
}

std::vector<double> in_equal_steps(const Range& range, double from, double to, double stride) {
  if (!(stride > 0.0))
    throw UsageError(fmt::format("the step of the range '{}' must be above 0", range.text));
  // A step of 0.1 from 0.5 must hit 0.9 although the doubles do not quite.
  const double steps = std::floor((to - from) / stride * (1.0 + 1e-12) + 1e-9);
  if (!(steps < static_cast<double>(kMostValues))) too_many(range);
  std::vector<double> values;
  for (double i = 0; i <= steps; ++i) values.push_back(rounded_to_12_digits(from + i * stride));
  return values;
}

std::vector<double> by_factor(const Range& range, double from, double to, double factor) {
  if (!(from > 0.0))
    throw UsageError(
        fmt::format("the range '{}' multiplies by {} and cannot start at {}: write {}..{}:+s for "
                    "equal steps s",
                    range.text, factor, to_text(from), range.from, range.to));
  std::vector<double> values;
  for (double value = from; value <= to; value = rounded_to_12_digits(value * factor))
    values.push_back(value);
  return values;
}

std::vector<double> expand(const Range& range, RangeStep step) {
  const double from = parse_real(range.from), to = parse_real(range.to);
  if (!(from <= to))
    throw UsageError(fmt::format("the range '{}' goes down: write {}..{}", range.text, range.to, range.from));
  if (!range.count.empty()) return in_equal_ratios(range, from, to);
  if (!range.stride.empty()) return in_equal_steps(range, from, to, parse_real(range.stride));
  switch (step) {
    case RangeStep::doubling: return by_factor(range, from, to, 2.0);
    case RangeStep::tenfold: return by_factor(range, from, to, 10.0);
    case RangeStep::by_one: return in_equal_steps(range, from, to, 1.0);
    case RangeStep::none: break;
  }
  throw UsageError(fmt::format("'{}' is a range, and only lists are taken here", range.text));
}

/// Whole numbers of a range; each once.
std::vector<std::int64_t> expand_integers(const Range& range, RangeStep step) {
  parse_integer(range.from);
  parse_integer(range.to);
  if (!range.stride.empty()) parse_integer(range.stride);
  std::vector<std::int64_t> values;
  for (const double value : expand(range, step)) {
    const std::int64_t whole = std::llround(value);
    if (values.empty() || values.back() != whole) values.push_back(whole);
  }
  return values;
}

std::vector<int> parse_one_model(std::string_view text) {
  std::vector<int> layers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('x', begin), text.size());
    const std::string_view width = trimmed(text.substr(begin, end - begin));
    if (width.empty())
      throw UsageError(fmt::format("'{}' lacks a width: layers of one model are joined as in 100x50", text));
    const std::int64_t value = parse_integer(width);
    if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
      throw UsageError(fmt::format("the width {} is beyond every layer (at most 2^20 = 1048576)", width));
    layers.push_back(static_cast<int>(value));
    begin = end + 1;
  }
  return layers;
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = trimmed(text.substr(begin, end - begin));
    const bool trailing = part.empty() && end == text.size() && !parts.empty();
    if (part.empty() && !trailing)
      throw UsageError(text.empty() ? "a value is missing"
                                    : fmt::format("the list '{}' has an empty part", text));
    if (!trailing) parts.emplace_back(part);
    begin = end + 1;
  }
  return parts;
}

std::vector<std::int64_t> parse_integers(std::string_view text, RangeStep step) {
  std::vector<std::int64_t> values;
  for (const std::string& part : split_list(text)) {
    if (const auto range = split_range(part)) {
      for (const std::int64_t value : expand_integers(*range, step)) values.push_back(value);
    } else {
      values.push_back(parse_integer(part));
    }
  }
  return values;
}

std::vector<double> parse_reals(std::string_view text, RangeStep step) {
  std::vector<double> values;
  for (const std::string& part : split_list(text)) {
    if (const auto range = split_range(part)) {
      for (const double value : expand(*range, step)) values.push_back(value);
    } else {
      values.push_back(parse_real(part));
    }
  }
  return values;
}

std::vector<std::vector<int>> parse_layers(std::string_view text) {
  std::vector<std::vector<int>> models;
  for (const std::string& part : split_list(text)) {
    const auto range = split_range(part);
    if (range && part.find('x') != std::string::npos)
      throw UsageError(
          fmt::format("the range '{}' is of models with several layers: only single widths have ranges, "
                      "write the others out (16x8,32x8)",
                      part));
    if (!range) {
      models.push_back(parse_one_model(part));
      continue;
    }
    for (const std::int64_t width : expand_integers(*range, RangeStep::doubling))
      models.push_back(parse_one_model(std::to_string(width)));
  }
  return models;
}

std::int64_t parse_integer(std::string_view text) {
  const auto plain = without_groups(trimmed(text));
  std::int64_t whole = 0;
  if (plain) {
    const char* const end = plain->data() + plain->size();
    const char* const begin = after_plus(*plain);
    const auto [stop, error] = std::from_chars(begin, end, whole);
    if (error == std::errc() && stop == end) return whole;
    double real = 0.0;  // 1e6
    const auto [real_stop, real_error] = std::from_chars(begin, end, real);
    if (real_error == std::errc() && real_stop == end && real == std::floor(real) &&
        std::fabs(real) <= 9.0e15)
      return static_cast<std::int64_t>(real);
  }
  throw UsageError(fmt::format("'{}' is not a whole number", text));
}

double parse_real(std::string_view text) {
  const auto plain = without_groups(trimmed(text));
  if (plain) {
    double value = 0.0;
    const char* const end = plain->data() + plain->size();
    const char* const begin = after_plus(*plain);
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error == std::errc() && stop == end && std::isfinite(value)) return value;
  }
  throw UsageError(fmt::format("'{}' is not a number", text));
}

std::uint64_t parse_bytes(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {{"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30},
                                                            {"TiB", 0x1p40}, {"kB", 1e3},     {"MB", 1e6},
                                                            {"GB", 1e9},     {"TB", 1e12},    {"", 1.0}};
  const std::string_view plain = trimmed(text);
  for (const auto& [unit, factor] : kUnits) {
    if (!plain.ends_with(unit)) continue;
    try {
      const double bytes = parse_real(trimmed(plain.substr(0, plain.size() - unit.size()))) * factor;
      if (bytes >= 0.0 && bytes < 0x1p63) return static_cast<std::uint64_t>(bytes);
    } catch (const UsageError&) {}
    break;
  }
  throw UsageError(fmt::format("'{}' is no amount of memory: write 2000000000, 500MiB or 2GiB", text));
}

std::string to_text(double value) {
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  return error == std::errc() ? std::string(digits, end) : std::string("nan");
}

std::string to_text(const std::vector<int>& layers) { return fmt::format("{}", fmt::join(layers, "x")); }

}  // namespace shoal
