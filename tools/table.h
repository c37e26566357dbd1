// A table of text for a terminal: numbers to the right, words to the left.
#pragma once

#include <string>
#include <vector>

namespace shoal {

class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  /// As many cells as headings; an empty cell is drawn as "-".
  void add(std::vector<std::string> cells);
  /// With a rule under the headings (bold instead, with colour); every line ends with a newline.
  std::string text(bool colour = false) const;

 private:
  std::vector<std::vector<std::string>> rows;  // [0] the headings
};

/// A number for a table's cell: as many digits as tell something; "-" for NaN.
std::string cell(double value, int decimals);
/// 97.84 % without the sign: a share as percent with two decimals.
std::string percent(double share);
/// 1,234,567
std::string grouped(long long value);
/// "1.69 M", "912", "3.4 G"
std::string with_unit(double value);
/// "1.2 GiB"
std::string bytes_text(double bytes);
/// "0:07", "12:31", "3:02:07"
std::string clock_text(double seconds);

}  // namespace shoal
