// What the hidden layer of one model says about its size: spread, dead neurons, the shape of the distribution
// of the neurons' sds. Used by the studies of widths and of the conjecture.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/run.h"
#include "kernels/moments.h"

namespace shoal {

/// One mixture fitted to the sds that are not exactly 0. NaN where it cannot be fitted.
struct MixtureWeights {
  double weight;   // of the exponential, or of the gamma with the lower shape: multi-start
  double journal;  // the same by the journal's single start (studied by name: what it gives on the same sds)
  double bic;      // of the multi-start fit
  double shape;    // gamma and gamma: the lower shape; above 1 that component has a hill of its own
};

/// The shape of a sample of sds.
struct SpreadShape {
  std::int64_t count = 0;   // sds in the sample, dead neurons included
  std::int64_t living = 0;  // that are not exactly 0
  double w;                 // of Shapiro and Wilk, of all of them
  MixtureWeights exp_normal, gamma_gamma;
};
/// All NaN.
SpreadShape unknown_shape();

/// Shapes of many samples at once; a study is given one, so that tests can give another.
using ShapeOf = std::function<std::vector<SpreadShape>(std::span<const std::vector<double>>)>;
/// By analysis/shapiro.h and analysis/mixture.h, on the machine that trained.
ShapeOf shapes_on(const MachineSpec&);

/// Shares of the layer's median sd below which a neuron counts as nearly dead.
inline constexpr double kNearlyDead = 1e-3, kFaint = 1e-2;
/// Share of the samples that a neuron must fire on (output > 0) not to count as rarely firing.
inline constexpr double kRarely = 1e-3;

/// Numbers of one model; NaN where something was not measured.
struct LayerMetrics {
  double mean_sd, sum_sd;     // of the neurons' sds
  double dead;                // neurons whose sd is exactly 0
  double nearly_dead, faint;  // sd below kNearlyDead, kFaint of the layer's median sd; dead ones included
  double rarely;              // fire on less than kRarely of the samples
  double w, exp_normal, exp_normal_journal, gamma_gamma, gamma_gamma_journal;  // of SpreadShape
};

/// One line a metric: its name in files, in words, and where it stands.
struct MetricColumn {
  const char* name;   // in files, before _mean and _sd
  const char* words;  // in tables and figures
  double LayerMetrics::*value;
};
std::span<const MetricColumn> metric_columns();

/// Counts and sums from the moments of a layer's neurons after ReLU; the shape's part NaN.
LayerMetrics layer_metrics(std::span<const Moments> neurons);
void add_shape(LayerMetrics&, const SpreadShape&);

}  // namespace shoal
