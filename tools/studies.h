// Studies: experiments that train a population and look at it. A study is one file in studies/ and one line
// in the table of studies.cpp; it is called as `shoal study <name>`.
//
// Most are a training run with other defaults, a few settings of their own and something to do afterwards;
// see training.h.
#pragma once

#include <span>

#include "tools/command.h"

namespace shoal {

using Study = Command;

/// The table (studies.cpp).
std::span<const Study> studies();

}  // namespace shoal
