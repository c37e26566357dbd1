#include "tools/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace shoal {
namespace {

bool looks_like_number(const std::string& s) {
  return s.empty() || s == "-" || (s.find_first_not_of("0123456789.,+-e%") == std::string::npos);
}

/// Columns a text takes, counting code points, not bytes.
std::size_t columns(const std::string& s) {
  return static_cast<std::size_t>(std::count_if(
      s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> headings) { rows.push_back(std::move(headings)); }

void Table::add(std::vector<std::string> cells) {
  if (cells.size() != rows[0].size())
    throw std::logic_error(
        fmt::format("a row of {} cells in a table of {} columns", cells.size(), rows[0].size()));
  for (std::string& text : cells)
    if (text.empty()) text = "-";
  rows.push_back(std::move(cells));
}

std::string Table::text(bool colour) const {
  const std::size_t count = rows[0].size();
  std::vector<std::size_t> width(count, 0);
  std::vector<bool> numeric(count, true);
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (std::size_t c = 0; c < count; ++c) {
      width[c] = std::max(width[c], columns(rows[r][c]));
      if (r > 0 && !looks_like_number(rows[r][c])) numeric[c] = false;
    }
  std::string text;
  std::string rule;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t c = 0; c < count; ++c) {
      const std::string blanks(width[c] - columns(rows[r][c]), ' ');
      line += (c == 0 ? "" : "  ") + (numeric[c] ? blanks + rows[r][c] : rows[r][c] + blanks);
      if (r == 0) rule += (c == 0 ? "" : "  ") + std::string(width[c], '-');
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    if (r == 0 && colour) text += "\033[1m" + line + "\033[0m\n";
    else text += line + "\n";
    if (r == 0 && !colour) text += rule + "\n";
  }
  return text;
}

std::string cell(double value, int decimals) {
  if (std::isnan(value)) return "-";
  const double size = std::fabs(value);
  if (size >= 1e6 || (size > 0.0 && size < 0.5 * std::pow(10.0, -decimals)))
    return fmt::format("{:.2e}", value);
  return fmt::format("{:.{}f}", value, decimals);
}

std::string percent(double share) { return std::isnan(share) ? "-" : fmt::format("{:.2f}", 100.0 * share); }

std::string grouped(long long value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; digits.insert(at, ",")) at -= 3;
  return digits;
}

std::string with_unit(double value) {
  constexpr const char* kUnits[] = {"", " k", " M", " G", " T", " P"};
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < std::size(kUnits); ++unit) value /= 1000.0;
  return fmt::format("{:.{}f}{}", value,
                     unit == 0 || value >= 99.95 ? 0
                     : value >= 9.995            ? 1
                                                 : 2,
                     kUnits[unit]);
}

std::string bytes_text(double bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1023.5 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1024.0;
  return fmt::format("{:.{}f} {}", bytes, unit == 0 || bytes >= 99.95 ? 0 : 1, kUnits[unit]);
}

std::string clock_text(double seconds) {
  if (!(seconds >= 0.0 && seconds < 3.6e8)) return "?";
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace shoal
