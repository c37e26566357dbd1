#include "tools/studies/layer_metrics.h"

#include <algorithm>
#include <limits>

#include "analysis/layer.h"
#include "analysis/summary.h"

namespace shoal {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<MetricColumn, 11> kColumns{{
    {"neuron_sd", "mean sd", &LayerMetrics::mean_sd},
    {"neuron_sd_sum", "sum of sds", &LayerMetrics::sum_sd},
    {"dead", "dead neurons", &LayerMetrics::dead},
    {"nearly_dead", "sd < 0.1 % of the median", &LayerMetrics::nearly_dead},
    {"faint", "sd < 1 % of the median", &LayerMetrics::faint},
    {"rarely_firing", "firing on < 0.1 % of the samples", &LayerMetrics::rarely},
    {"w", "W", &LayerMetrics::w},
    {"exp_normal", "weight of the exponential", &LayerMetrics::exp_normal},
    {"exp_normal_journal", "weight of the exponential, single start", &LayerMetrics::exp_normal_journal},
    {"gamma_gamma", "weight of the low-shape gamma", &LayerMetrics::gamma_gamma},
    {"gamma_gamma_journal", "weight of the low-shape gamma, single start",
     &LayerMetrics::gamma_gamma_journal},
}};

double count_below(std::span<const double> sds, double limit) {
  return static_cast<double>(std::count_if(sds.begin(), sds.end(), [&](double sd) { return sd < limit; }));
}

}  // namespace

SpreadShape unknown_shape() {
  const MixtureWeights unknown{kUnknown, kUnknown, kUnknown, kUnknown};
  return {0, 0, kUnknown, unknown, unknown};
}

std::span<const MetricColumn> metric_columns() { return kColumns; }

LayerMetrics layer_metrics(std::span<const Moments> neurons) {
  LayerMetrics m;
  for (const MetricColumn& column : kColumns) m.*column.value = kUnknown;
  if (neurons.empty()) return m;
  const LayerSummary layer = summarize_layer(neurons);
  m.mean_sd = layer.mean_sd, m.sum_sd = layer.sum_sd, m.dead = static_cast<double>(layer.dead);
  const std::vector<double> sds = neuron_sds(neurons);
  const double median = quantile(sorted(sds), 0.5);
  // A dead neuron counts whatever the median is, even 0.
  m.nearly_dead = std::max(m.dead, count_below(sds, kNearlyDead * median));
  m.faint = std::max(m.dead, count_below(sds, kFaint * median));
  m.rarely = static_cast<double>(std::count_if(neurons.begin(), neurons.end(), [](const Moments& n) {
    return n.count - n.zeros < kRarely * n.count;
  }));
  return m;
}

void add_shape(LayerMetrics& m, const SpreadShape& shape) {
  m.w = shape.w;
  m.exp_normal = shape.exp_normal.weight, m.exp_normal_journal = shape.exp_normal.journal;
  m.gamma_gamma = shape.gamma_gamma.weight, m.gamma_gamma_journal = shape.gamma_gamma.journal;
}

}  // namespace shoal
