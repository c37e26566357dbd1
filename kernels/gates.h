// Gates: a factor g_i on the output of every neuron of a hidden layer, and how it depends on what is learned.
// One formula each, for every machine; the ops that walk the layers are SetGates and UpdateGates
// (kernels/ops.h).
//
//   kind             g_i                                 learned      objective gains
//
//   mask             given                               nothing
//
//   size             sigma(k (x0 - i)), i = 0 .. N-1     x0, k        lambda S, S as SizePenalty says
//
//   random_size      the same, k drawn anew each step    x0           lambda S
//
//   liveness         max(0, beta_i); at 0 it stays 0     beta_i       lambda sum max(0, beta_i)
//
//   liveness_switch  beta_i                              beta_i       lambda sum |beta_i|
//
//   hard_concrete    min(1, max(0, 1.2 s_i - 0.1))       log_alpha_i  lambda sum P(g_i > 0)
//
//                    with s_i = sigma((logit u_i + log_alpha_i) / tau), u_i uniform
//
// Sources: the size gate and the strict liveness gate are those of the journal that docs/design.md names; the
// switch is Smallify's (Leclerc et al. 2018, arXiv 1806.03723) with its rule of sign variance; hard-concrete
// gates: Louizos, Welling & Kingma 2018 (arXiv 1712.01312), with tau = 2/3, and in an evaluation s_i =
// sigma(log_alpha_i).
//
// The learned numbers of a layer stand in the per-neuron arrays from its first neuron on: beta_i or
// log_alpha_i at place i; x0 at place 0 and k at place 1 (a layer has room for 16).
#pragma once

#include <cstdint>

#include "kernels/gate_integral.h"
#include "kernels/philox.h"
#include "kernels/update_rule.h"

namespace shoal {

enum class GateKind : int { none, mask, size, random_size, liveness, liveness_switch, hard_concrete };
/// What the size gate's lambda is multiplied by: the integral S(x0, k; N), the sum of the gates, or x0 itself
/// (then the objective has no lower bound: here to show that).
enum class SizePenalty : int { integral, sum, start };

constexpr float kGateTemperature = 2.0f / 3.0f;  // tau of hard-concrete gates
constexpr float kGateStretch = 1.2f, kGateShift = -0.1f;
/// A grey zone of width w, from g = 99 % to 1 %, belongs to the slope k = 2 ln 99 / w.
constexpr float kZoneSlope = 9.190239700269f;

/// One hidden layer of one model whose neurons have gates.
struct GateLayer {
  std::int64_t neuron;  // its first in the per-neuron arrays
  int neurons;          // N
  int slab;             // the slab that reads the layer
  int model;
  GateKind kind;
  SizePenalty size_penalty;
  int begin_epoch;          // all gates are open (1) in the epochs before
  std::int64_t first_step;  // of begin_epoch; steps count from 1
  float penalty;            // lambda
  float rates[2];           // learning rates of x0 and k; of beta or log_alpha: the first
  float zone[2];            // random_size: the width of the grey zone is uniform between these
  float inertia;            // liveness_switch: of the mean and the variance of sign(beta); below 0: no rule
  float threshold;          // a neuron whose variance exceeds this is switched off for good
  UpdateSettings settings;  // the model's rule; lr = 1, no penalties
  std::uint64_t seed, stream;  // Philox
};

/// Everything that is learned or remembered; per neuron.
struct GateState {
  float* parameters;
  float *slot_a, *slot_b, *slot_c;  // of the update rule; slot_c: null where no rule needs it
  float *sign_mean, *sign_variance;
};

SHOAL_INLINE bool has_size(GateKind k) { return k == GateKind::size || k == GateKind::random_size; }
SHOAL_INLINE bool learns(GateKind k) { return k != GateKind::none && k != GateKind::mask; }

/// In (0, 1).
SHOAL_INLINE float gate_uniform(const GateLayer& l, std::int64_t index) {
  const std::uint32_t word = philox_word(l.seed, l.stream, static_cast<std::uint64_t>(index));
  return (static_cast<float>(word >> 9) + 0.5f) * 0x1p-23f;  // 24 digits: exact, and never 1
}

/// Whether the layer's gates are at work in a step; in an evaluation after so many epochs.
SHOAL_INLINE bool gates_work(const GateLayer& l, std::int64_t step) { return step >= l.first_step; }
SHOAL_INLINE bool gates_work_after(const GateLayer& l, int epochs) {
  return l.begin_epoch == 0 || epochs > l.begin_epoch;
}

/// k of a step. An evaluation (step 0) of a random slope uses that of the mean width.
SHOAL_INLINE float gate_slope(const GateLayer& l, const float* parameters, std::int64_t step) {
  if (l.kind != GateKind::random_size) return parameters[l.neuron + 1];
  const float share = step == 0 ? 0.5f : gate_uniform(l, step);
  return kZoneSlope / (l.zone[0] + share * (l.zone[1] - l.zone[0]));
}

/// s_i of a hard-concrete gate; step 0: an evaluation.
SHOAL_INLINE float concrete_share(const GateLayer& l, float log_alpha, int i, std::int64_t step) {
  if (step == 0) return gate::logistic(log_alpha);
  const float u = gate_uniform(l, step * l.neurons + i);
  return gate::logistic((logf(u / (1.0f - u)) + log_alpha) / kGateTemperature);
}

/// g_i; `slope`: of gate_slope, for the size kinds. step 0: an evaluation.
SHOAL_INLINE float gate_value(const GateLayer& l, const float* parameters, int i, float slope,
                              std::int64_t step) {
  const float p = parameters[l.neuron + i];
  switch (l.kind) {
    case GateKind::size:
    case GateKind::random_size: return gate::logistic(slope * (parameters[l.neuron] - static_cast<float>(i)));
    case GateKind::liveness: return p < 0.0f ? 0.0f : p;  // NaN stays NaN: it must be seen
    case GateKind::hard_concrete: {
      const float stretched = kGateStretch * concrete_share(l, p, i, step) + kGateShift;
      return stretched < 0.0f ? 0.0f : stretched > 1.0f ? 1.0f : stretched;
    }
    default: return p;
  }
}

/// What a neuron adds to dL/dx0 and dL/dk, apart from the penalty.
struct SizeTerms {
  double by_x0, by_k;
};
SHOAL_INLINE SizeTerms size_terms(const GateLayer& l, const float* parameters, int i, float slope, float dg) {
  const float v = parameters[l.neuron] - static_cast<float>(i), rise = dg * gate::logistic_slope(slope * v);
  return {static_cast<double>(rise) * slope, static_cast<double>(rise) * v};
}

/// The penalty's derivatives.
SHOAL_INLINE SizeTerms size_penalty(const GateLayer& l, const float* parameters, float slope) {
  const double lambda = l.penalty;
  if (l.size_penalty == SizePenalty::start) return {lambda, 0.0};
  const float x0 = parameters[l.neuron];
  const GateIntegral<float> s = l.size_penalty == SizePenalty::sum
                                    ? gate_sum(x0, slope, l.neurons)
                                    : gate_integral(x0, slope, static_cast<float>(l.neurons));
  return {lambda * s.by_x0, lambda * s.by_k};
}

/// dL/dbeta_i or dL/dlog_alpha_i with its penalty. A strict gate at 0 has none.
SHOAL_INLINE float neuron_gate_gradient(const GateLayer& l, float parameter, int i, float dg,
                                        std::int64_t step) {
  switch (l.kind) {
    case GateKind::liveness: return parameter > 0.0f ? dg + l.penalty : 0.0f;
    case GateKind::liveness_switch: return dg + l.penalty * Elementwise<float>::sign(parameter);
    case GateKind::hard_concrete: {
      const float s = concrete_share(l, parameter, i, step), g = kGateStretch * s + kGateShift;
      const float through = g > 0.0f && g < 1.0f ? kGateStretch * s * (1.0f - s) / kGateTemperature : 0.0f;
      // P(g > 0) = sigma(log_alpha - tau ln(0.1 / 1.1)).
      const float open = parameter + kGateTemperature * 2.3978953f;
      return dg * through + l.penalty * gate::logistic_slope(open);
    }
    default: return 0.0f;
  }
}

/// Coefficients of a gate's step: the model's rule, counted from when the gates began; a decay of the
/// learning rate counts from the model's first step.
SHOAL_INLINE StepCoefficients gate_coefficients(const GateLayer& l, std::int64_t step, int which) {
  UpdateSettings s = l.settings;
  s.lr = lr_share(s.lr_decay, static_cast<double>(s.decay_steps), static_cast<double>(step));
  s.lr_decay = LrDecay::none;
  StepCoefficients c = step_coefficients(s, static_cast<double>(step - l.first_step + 1), 1);
  c.rate *= l.rates[which];
  return c;
}

/// One learned number by the model's rule.
SHOAL_INLINE void update_gate(const GateLayer& l, const GateState& s, int i, float gradient,
                              const StepCoefficients& c) {
  const std::int64_t at = l.neuron + i;
  float &w = s.parameters[at], &a = s.slot_a[at], &b = s.slot_b[at], none = 0.0f;
  switch (l.settings.rule) {
    case UpdateRule::sgd: return apply_update<UpdateRule::sgd, false>(w, a, b, none, gradient, c);
    case UpdateRule::momentum: return apply_update<UpdateRule::momentum, false>(w, a, b, none, gradient, c);
    case UpdateRule::nesterov: return apply_update<UpdateRule::nesterov, false>(w, a, b, none, gradient, c);
    case UpdateRule::adam: return apply_update<UpdateRule::adam, false>(w, a, b, none, gradient, c);
    case UpdateRule::adamax: return apply_update<UpdateRule::adamax, false>(w, a, b, none, gradient, c);
    case UpdateRule::amsgrad:
      return apply_update<UpdateRule::amsgrad, false>(w, a, b, s.slot_c[at], gradient, c);
  }
}

SHOAL_INLINE void switch_off(const GateLayer& l, const GateState& s, int i) {
  const std::int64_t at = l.neuron + i;
  s.parameters[at] = 0.0f, s.slot_a[at] = 0.0f, s.slot_b[at] = 0.0f;
  if (slot_count(l.settings.rule) > 2) s.slot_c[at] = 0.0f;
}

/// Smallify's rule: the mean and the variance of sign(beta_i), exponentially forgotten; a sign that changes
/// too often belongs to a neuron that is not needed.
SHOAL_INLINE bool changes_sign_too_often(const GateLayer& l, const GateState& s, int i) {
  const std::int64_t at = l.neuron + i;
  const float from_mean = Elementwise<float>::sign(s.parameters[at]) - s.sign_mean[at];
  s.sign_variance[at] = l.inertia * s.sign_variance[at] + (1.0f - l.inertia) * (from_mean * from_mean);
  s.sign_mean[at] = s.sign_mean[at] + (1.0f - l.inertia) * from_mean;
  return s.sign_variance[at] > l.threshold;
}

/// A step of x0 and k, or their gradients, from the sum over the neurons.
SHOAL_INLINE void finish_size(const GateLayer& l, const GateState& s, float* gradients, SizeTerms sum,
                              float slope, std::int64_t step) {
  const SizeTerms penalty = size_penalty(l, s.parameters, slope);
  const float gradient[2] = {static_cast<float>(sum.by_x0 + penalty.by_x0),
                             static_cast<float>(sum.by_k + penalty.by_k)};
  // A random slope is drawn, not learned.
  const int count = l.kind == GateKind::random_size ? 1 : 2;
  for (int i = 0; i < count; ++i) {
    if (gradients) gradients[l.neuron + i] = gradient[i];
    else if (l.rates[i] > 0.0f) update_gate(l, s, i, gradient[i], gate_coefficients(l, step, i));
  }
}

/// A step of neuron i's own gate (liveness, liveness_switch, hard_concrete). One that is off stays off.
SHOAL_INLINE void step_neuron_gate(const GateLayer& l, const GateState& s, int i, float dg, std::int64_t step,
                                   const StepCoefficients& c) {
  const float before = s.parameters[l.neuron + i];
  const bool strict = l.kind == GateKind::liveness,
             judged = l.kind == GateKind::liveness_switch && l.inertia >= 0.0f;
  if ((strict && before <= 0.0f) || (judged && before == 0.0f)) return;
  update_gate(l, s, i, neuron_gate_gradient(l, before, i, dg, step), c);
  if (strict && s.parameters[l.neuron + i] <= 0.0f) switch_off(l, s, i);
  if (judged && changes_sign_too_often(l, s, i)) switch_off(l, s, i);
}

}  // namespace shoal
