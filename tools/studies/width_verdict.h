// What the width study says in words, about the data at hand; and which of the journal's statements hold on
// it.
#pragma once

#include <string>
#include <vector>

#include "tools/studies/width_rows.h"

namespace shoal {

/// One statement of the journal, by its number in docs/width-study.md. `known` is false where the rows do not
/// have what it takes (one seed, no statistics).
struct Statement {
  std::string number;  // "A2"
  std::string claim;   // of the journal, in short
  bool known = false, holds = false;
  std::string numbers;  // a sentence
};
/// A2, A4, A5, A6, A8, A9, A10, T1, in this order.
std::vector<Statement> statements(const std::vector<WidthRow>&);

/// A11: two data sets beside each other.
struct DataRows {
  std::string name;
  const std::vector<WidthRow>& rows;
};
Statement statement_on_shift(const DataRows& easier, const DataRows& harder);

/// "A2 holds (W has an inner maximum): ..."
std::string sentence(const Statement&);

}  // namespace shoal
