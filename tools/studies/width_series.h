// What the figures of the width study are made of: axes of widths, and series of what each width gave.
#pragma once

#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/studies/width_rows.h"

namespace shoal {

/// "n = 11 models a width", or the range when models diverged or widths were given more seeds.
std::string models_in_words(const std::vector<WidthRow>&);

/// Width on a logarithmic axis, labelled with the widths themselves; every second one when they are many.
Axis width_axis(const std::vector<WidthRow>&);

/// Mean times `scale`, with bars of one sd over the seeds: of a column of the rows, or of a metric of the
/// models.
Series bars(const std::vector<WidthRow>&, const Summary WidthRow::*column, double scale, std::string name,
            std::string colour);
Series bars(const std::vector<WidthRow>&, double LayerMetrics::*metric, double scale, std::string name,
            std::string colour);

/// One value a width, from the pooled sample.
Series pooled(const std::vector<WidthRow>&, double value(const SpreadShape&), std::string name,
              const char* colour);
double pooled_w(const SpreadShape&);

/// Is there anything finite to draw?
bool has_values(const Series&);

/// A ring round the highest value of a series.
Series ring_at_highest(const Series& of);

/// The highest end of a bar; 0 where there is none.
double highest(const Series&);

/// The rows of widths that have a model which did not diverge.
std::vector<WidthRow> with_models(const std::vector<WidthRow>&);

}  // namespace shoal
