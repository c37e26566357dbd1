// Puts figures into a run's folder.
#pragma once

#include <span>

#include "tools/figures/figure.h"
#include "tools/report.h"
#include "tools/run_directory.h"

namespace shoal {

/// Writes figures/NAME.dat and NAME.gp of every figure and draws them. Without gnuplot, or when it fails, the
/// report warns once and the data and scripts remain; a run never fails for want of a figure. OutputError
/// when a file cannot be written.
void draw_figures(std::span<const Figure>, const RunDirectory&, Report&);

}  // namespace shoal
