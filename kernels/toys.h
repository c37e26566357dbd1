// Op: training populations of toy networks, so small that a whole training run stays in registers and in the
// first-level cache: one hidden layer of at most 64 neurons, at most 4 inputs and 10 classes, full batches.
//
// 16 networks are a group: number p of a group's parameters stands in 16 neighbouring floats, one a network.
// A CPU trains as many of them at once as its vectors have lanes, a GPU one a warp. Narrower networks of a
// group have neurons whose weights are 0 and stay 0.
//
// Letters: i neuron, f input, c class, x inputs of a point, w, b weights and bias of a neuron, V weights that
// read it. z_i = b_i + sum_f w_if x_f, r_i = relu(z_i).
#pragma once

#include <cstdint>

#include "kernels/portable.h"
#include "kernels/update_rule.h"

namespace shoal {

constexpr int kToyLanes = 16;  // networks of a group
constexpr int kMaxToyHidden = 64;
constexpr int kMaxToyFeatures = 4;
constexpr int kMaxToyClasses = 10;
constexpr int kToyPointStep = 8;  // the points' stride is a multiple of it

/// 16 networks with one update rule. Parameters of a network, in order: per neuron w_i1 .. w_iF, b_i, V_i1 ..
/// V_iC; then the C biases of the outputs.
struct ToyGroup {
  std::int64_t first;  // floats in front of its parameters, and of its slots; a multiple of 16
  int hidden;          // neurons of the widest of its networks
  int rule;            // UpdateRule
};

SHOAL_INLINE constexpr int toy_parameters(int hidden, int features, int classes) {
  return hidden * (features + 1 + classes) + classes;
}

/// `steps` steps of every network over all points at once. Per point, with label t, m_c = the logit of class
/// c less that of class 0 (m_0 = 0), p = softmax(m), d_c = p_c - [c = t], the means over the points of
///   loss     log(sum_c exp(m_c - max)) + max - m_t
///   dV_ic    r_i d_c
///   dw_if    x_f dz_i,  db_i = dz_i,  dz_i = [z_i > 0] sum_c d_c V_ic
/// then the update rule (kernels/update_rule.h). Only products of d with the inputs are added up over the
/// points: with S_icf = sum [z_i > 0] d_c x_f and x_{F+1} = 1,
///   dV_ic = sum_f w_if S_icf + b_i S_ic,F+1,   dw_if = sum_c V_ic S_icf,   sum_c S_icf = 0
/// (docs/gradients.md, section 16). A network whose logits are not all finite is frozen before that step: its
/// parameters and slots stay as they were, `diverged` says which step it was, and its losses from there on
/// are NaN.
struct TrainToys {
  const ToyGroup* groups;
  int group_count;
  int hidden;             // neurons of the widest group
  int features, classes;  // 1 .. 4, 2 .. 10
  int points;
  int point_stride;            // a multiple of 8, not less than points
  const float* inputs;         // [features][point_stride]; behind the points 0
  const std::int32_t* labels;  // [point_stride]; behind the points 0
  const UpdateSettings* settings;
  const int* setting;       // [groups][16] which of the settings; -1: there is no network
  std::int64_t first_step;  // number of the first step; 1 in a new run
  int steps;
  float* parameters;
  float* slot_a;  // as in Update; null where no group needs it
  float* slot_b;
  float* slot_c;
  int* diverged;   // [groups][16] step; 0: not diverged
  double* losses;  // [groups][records][16] of the whole run: that before step t is at (t - 1) / loss_every,
  int loss_every;  // where loss_every divides t - 1
  int records;
  float* scratch;  // CPU: toy_scratch(hidden, features, classes) floats, aligned to 64 bytes
};

/// Losses that a run records for a network.
SHOAL_INLINE constexpr std::int64_t toy_records(std::int64_t steps, std::int64_t loss_every) {
  return (steps + loss_every - 1) / loss_every;
}

/// Room that one call needs on the CPU, in floats.
SHOAL_INLINE constexpr std::int64_t toy_scratch(int hidden, int features, int classes) {
  const std::int64_t others = classes - 1, neurons = hidden, products = features + 1;
  return kToyLanes * (neurons * (features + 1 + others)              // weights as the forward pass reads them
                      + neurons * kToyPointStep                      // r
                      + others * kToyPointStep * (products + 1)      // margins, products
                      + 2 * others * (neurons * products + 1)        // sums
                      + toy_parameters(hidden, features, classes));  // gradients
}

}  // namespace shoal
