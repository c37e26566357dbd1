// Gates on the neurons of a hidden layer: their values, what they add to the objective, the derivatives of
// both and the steps of what they learn, in double precision. Nothing here is shared with the program.
//
//   mask            g_i given
//   size            g_i = sigma(k (x0 - i)), i = 0, 1, ...; penalty lambda S(x0, k; N), or the sum of the
//   g_i, or
//                   x0 itself
//   random_size     the same, with a k that is drawn in every step
//   liveness        g_i = max(0, beta_i), for good when it has reached 0; penalty lambda sum max(0, beta_i)
//   liveness_switch g_i = beta_i; penalty lambda sum |beta_i|. Leclerc et al. 2018 (Smallify): a neuron is
//   given
//                   up when the exponential variance of sign(beta_i) exceeds a threshold
//   hard_concrete   Louizos, Welling & Kingma 2018, equations 9 to 13, with gamma = -0.1, zeta = 1.1 and
//                   temperature 2/3
#pragma once

#include <vector>

#include "tests/reference/optimizer.h"

namespace reference {

enum class Gate { mask, size, random_size, liveness, liveness_switch, hard_concrete };
enum class SizePenalty { integral, sum, start };

struct GateSettings {
  Gate kind = Gate::mask;
  int neurons = 0;
  double lambda = 0.0;
  SizePenalty size_penalty = SizePenalty::integral;
  double inertia = -1.0;  // liveness_switch; below 0: nobody is given up
  double threshold = 0.5;
};

/// What chance adds to a step. Without `uniform` a hard_concrete gate is that of an evaluation.
struct GateNoise {
  double slope = 0.0;  // random_size: k
  Vector uniform;      // hard_concrete: one per neuron, in (0, 1)
};

/// The slope that belongs to a grey zone (from 99 % to 1 %) of this width.
double slope_of_zone(double width);

/// `parameters`: one per neuron (the factors of a mask, beta, log alpha), or x0 and k.
Vector gate_values(const GateSettings&, const Vector& parameters, const GateNoise&);
/// What the gates add to the objective, lambda included.
double gate_penalty(const GateSettings&, const Vector& parameters, const GateNoise&);
/// Derivatives of the objective by the parameters; `dg`: of the loss by the gates. 0 for what is not learned.
Vector gate_gradients(const GateSettings&, const Vector& parameters, const GateNoise&, const Vector& dg);

/// A layer's gates in training.
struct GateTrainer {
  GateSettings settings;
  Vector parameters;
  std::vector<Slots> slots = {};   // one per parameter
  std::vector<bool> dead = {};     // given up; per neuron
  std::vector<Vector> signs = {};  // sign(beta_i) at the start and after each step
  int steps = 0;
  double closest_call = 1e300;  // how near a decision came: |beta| to 0, the variance to its threshold

  /// A step by the rule; `rates` are the learning rates of parameter 0 and, for a size, of k.
  void step(Optimizer, const double (&rates)[2], const GateNoise&, const Vector& dg);
};

/// The exponential mean and variance of a history of signs, its first entry being where the mean starts and
/// the variance starting at 0.
struct SignMoments {
  double mean, variance;
};
SignMoments sign_moments(const Vector& history, double inertia);

}  // namespace reference
