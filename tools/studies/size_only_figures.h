// The figures of the study of training only the size.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/size_only_rows.h"

namespace shoal {

/// The loss along x0, x0 by epoch, and accuracy against size. `where`: "MNIST, 10 epochs".
std::vector<Figure> size_only_figures(const SizeOnlySpec&, std::span<const SizeOnlyRow>, const Landscape&,
                                      const std::string& where);

}  // namespace shoal
