// What the neurons of one hidden layer say about the layer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/moments.h"

namespace shoal {

struct LayerSummary {
  std::int64_t neurons = 0;
  std::int64_t dead = 0;  // sd exactly 0: the output never changed over the samples
  double mean_sd = 0;     // of the neurons' sds (divided by the number of samples); NaN without neurons
  double sum_sd = 0;
};

/// `neurons`: moments of each neuron's output over the samples.
LayerSummary summarize_layer(std::span<const Moments> neurons);

/// The sd of every neuron, in order; divided by the number of samples.
std::vector<double> neuron_sds(std::span<const Moments> neurons);

}  // namespace shoal
