// How far an optimizer's last step moved the weights, read from what it remembers.
#pragma once

#include <cstdint>

#include "kernels/update_rule.h"

namespace shoal {

/// Sums over parameters. `scale` is what a rule divides by, without eps: adam sqrt(b), amsgrad the root of
/// the largest b (both corrected for the beginning), adamax b; 0 for rules that divide by nothing.
struct StepSize {
  double parameters = 0;
  double step_squares =
      0;  // of the change that the last step made to the weight, without penalties and decay
  double scale_squares = 0;  // of scale
  double below_eps = 0;      // parameters whose scale is below eps
};

/// Adds a block of parameters: `rows` runs of `width` floats, `stride` apart, in each slot. `t`: steps done,
/// 1 or more. Slots that the rule does not have are not read. For nesterov, whose step needs the last
/// gradient, the step is that of its momentum, as for momentum; sgd keeps nothing, and its steps count as 0.
/// Plain loops on the host; sums in the order of the block.
void add_steps(StepSize&, const UpdateSettings&, double t, std::int64_t rows, int width, std::int64_t stride,
               const float* slot_a, const float* slot_b, const float* slot_c);

}  // namespace shoal
