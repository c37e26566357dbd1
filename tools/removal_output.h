// What `shoal remove` prints and writes.
#pragma once

#include <filesystem>

#include "tools/removal_answer.h"
#include "tools/report.h"

namespace shoal {

/// Tables for people, or JSON lines: one `network`, then `moments`, `node`, `covariance`, and of an
/// enumeration `interaction`, `size`, `complement` and `change`.
void print_removal(Report&, const RemovalProblem&, const RemovalAnswer&, const RemovalSettings&);

/// loss (float64) and hits (int32) of every subset, [2^nodes], and `nodes` (int32 [nodes][2]: layer and
/// neuron, from 0) as .npz, by way of a temporary name. OutputError.
void write_table(const std::filesystem::path&, const RemovalProblem&, const SubsetTable&);

}  // namespace shoal
