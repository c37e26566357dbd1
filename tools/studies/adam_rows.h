// The Adam study in numbers: the losses of many models by epoch, how often they jump up, and how far the rule
// has forgotten the gradients it once saw.
//
// L(e): loss over the whole training set when epoch e has ended. R(e): mean loss of its batches, on the way.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/run.h"

namespace shoal {

/// One way of training that the study compares. What is not given is as in the settings.
struct Variant {
  std::string_view name;   // in files
  std::string_view words;  // in figures and sentences
  UpdateRule rule = UpdateRule::adam;
  double lr_factor = 1;
  std::optional<double> beta2 = std::nullopt, eps = std::nullopt;
};
std::span<const Variant> adam_variants();
OptimizerSpec optimizer_of(const Variant&, const OptimizerSpec& settings);

/// Below it a loss counts as low.
inline constexpr double kLowLoss = 1e-3;
/// Losses are not told apart below it: a sample's loss in floats is a multiple of 6e-8 or so near 0.
inline constexpr double kLeastLoss = 1e-8;
/// An epoch after a low loss jumps when the loss on its way, R(e), or at its end, L(e), is at least so many
/// times L(e - 1).
inline constexpr double kJump = 3.0;

/// How far one batch after a long calm can move a weight, summed over the steps in which its gradient fades
/// from the first moment, in learning rates: the gradient outweighs all that the rule remembers.
///   adam    (1 - beta1) / sqrt(1 - beta2) / (1 - beta1 / sqrt(beta2))
///   adamax  (1 - beta1) / (1 - beta1 / beta2)
/// NaN for the others: amsgrad remembers, momentum has no such bound.
double largest_kick(const OptimizerSpec&);

/// An epoch that began at a low loss.
struct LowEpoch {
  double before;  // L(e - 1)
  double jump;    // max(R(e), L(e)) / L(e - 1)
  double
      room;  // (largest scale of any epoch's end so far) / (scale + eps) when the epoch began; NaN: no scale
};

/// Order statistics over the models at one epoch; quartiles interpolate.
struct Band {
  double min, q1, median, q3, max;
};

/// All models of one variant and one shape.
struct AdamRow {
  std::string hidden;
  std::size_t variant = 0;
  OptimizerSpec optimizer;
  int models = 0, diverged = 0;   // the numbers below are of those that did not diverge
  std::vector<Band> loss;         // [epoch] of L
  std::vector<Band> on_the_way;   // [epoch] of R
  std::vector<Band> scale, step;  // [epoch] see EpochDetail
  std::vector<LowEpoch> low;      // of all models
  Band lowest{};                  // over the models: the lowest L of each
  int jumping_models = 0;         // models with at least one jump
  std::int64_t jumps = 0;         // low epochs with one
  double largest_jump = 1;
  double room_before_jumps = 0, room_otherwise = 0;  // medians; NaN where there is none
  /// Medians over the low epochs without a jump, per step: ln L(e - 1) / L(e), and the same of the scale.
  /// What is forgotten and not refilled fades by (1 - beta2) / 2, since sqrt(v) is the divisor.
  double decline = 0, fading = 0;
  double memory_epochs = 0;  // 1 / (1 - beta2) steps, in epochs
  double below_eps = 0;  // at the end, median over the models: share of parameters whose scale is below eps
};

/// Rows in the order of shapes as they come, variants as in adam_variants(). Models are in the order that
/// `with_variants` makes.
/// `samples`: of the training set.
std::vector<AdamRow> adam_rows(const RunSpec&, const RunResult&, std::int64_t samples);
/// Every model once for each variant.
std::vector<ModelSpec> with_variants(std::span<const ModelSpec>);

/// Jumps in 1000 epochs that began at a low loss; NaN when there were none.
double jump_rate(const AdamRow&);

/// Low epochs that began at `loss` or above, and how many of them jumped.
struct Jumps {
  std::int64_t epochs = 0, jumps = 0;
};
Jumps jumps_from(const AdamRow&, double loss);

/// Answers, in sentences made from the numbers.
std::vector<std::string> adam_verdict(std::span<const AdamRow>);

}  // namespace shoal
