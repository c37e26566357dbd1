// What a model loses when one of its neurons is removed, and what the derivatives say about it beforehand:
// sums over samples that the op Removal (kernels/ops.h) adds up. The derivation is section 13 of
// docs/gradients.md.
#pragma once

#include <cstdint>

#include "kernels/portable.h"

namespace shoal {

/// Of one neuron with output y and outgoing weights V, sums over the samples, all in double precision. s is a
/// factor on y: s = 1 is the model as it is, s = 0 the model without the neuron.
struct RemovalSums {
  double loss;           // cross-entropy without the neuron
  double slope;          // d loss / d s at s = 1
  double curvature;      // d2 loss / d s2 at s = 1
  double squared_slope;  // (d loss / d s)^2 sample by sample: the empirical Fisher information of s
  std::int64_t correct;  // samples whose first largest logit is the label's without the neuron
};

SHOAL_INLINE RemovalSums no_removal() { return {0.0, 0.0, 0.0, 0.0, 0}; }

SHOAL_INLINE RemovalSums merge(const RemovalSums& a, const RemovalSums& b) {
  return {a.loss + b.loss, a.slope + b.slope, a.curvature + b.curvature, a.squared_slope + b.squared_slope,
          a.correct + b.correct};
}

}  // namespace shoal
