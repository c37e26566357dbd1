// The sparsifier study's figures.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/sparsifier_rows.h"

namespace shoal {

/// sparsifier-lambda (size and accuracy against lambda), sparsifier-training (both by epoch),
/// sparsifier-frontier (accuracy against size, of every kind), sparsifier-starts. Those that have nothing to
/// show are left out. `where`: "MNIST, 60 epochs, 30 seeds".
std::vector<Figure> sparsifier_figures(std::span<const SparsifierRow>, const std::string& where);

}  // namespace shoal
