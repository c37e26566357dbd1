// The width study in numbers: what each width gave over its seeds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/line.h"
#include "analysis/summary.h"
#include "engine/run.h"
#include "tools/studies/layer_metrics.h"

namespace shoal {

/// One width. Summaries are over the models that did not diverge, one value a model.
struct WidthRow {
  int width = 0;
  std::int64_t models = 0;  // that did not diverge
  std::int64_t diverged = 0;
  Summary train_loss, test_loss;
  Summary train_accuracy, test_accuracy;                  // shares, 0 .. 1
  Summary mean_sd, sum_sd;                                // of the sds of a model's neurons
  Summary dead;                                           // neurons of a model whose sd is exactly 0
  std::vector<double> living_sds;                         // of all its models, dead neurons left out
  std::vector<double> train_accuracies, test_accuracies;  // [models]
  std::vector<LayerMetrics> layers;                       // [models]
  SpreadShape pooled =
      unknown_shape();  // of the sds of all its models in one sample, as the journal took them
};

/// Ascending in width. Models must have one hidden layer. Without `shapes` what needs it is NaN.
std::vector<WidthRow> rows_by_width(const RunSpec&, const RunResult&, const ShapeOf& shapes = {});

/// One metric over a row's models, those where it is not finite left out.
Summary summary_of(const WidthRow&, double LayerMetrics::*metric);

/// Sum of sds over the rows' means: as a + b log2(width), as a + b width^(1/3), and as a power of the width.
struct SumFits {
  Line line, cube_root;
  PowerLaw power;
};
SumFits fit_sum_of_sds(const std::vector<WidthRow>&);

/// The narrowest width that no wider one beats in mean test accuracy by more than two standard errors of the
/// difference (of two independent means). -1 when a row has no spread or no accuracy.
int sufficient_width(const std::vector<WidthRow>&);
/// The same for another accuracy.
int sufficient_width(const std::vector<WidthRow>&, const Summary WidthRow::*accuracy);

/// What the rows say, in a few plain sentences.
std::vector<std::string> verdict(const std::vector<WidthRow>&);

/// The columns of width.csv and of the events, in order; a number that is not there is NaN.
std::vector<std::pair<std::string, double>> width_columns(const WidthRow&);

}  // namespace shoal
