// Optimizer updates, one formula for every machine. The value type V is float or a vector of floats.
//
// The forms are chosen so that a compiler that contracts a*b+c into one fused operation has a single way of
// doing it: the same model then gets the same bits wherever it stands in a panel.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/portable.h"

namespace shoal {

/// How the learning rate goes down over the first T steps; after them it is 0.
/// cosine: (1 + cos(pi (t - 1) / T)) / 2 of it is left in step t (Loshchilov & Hutter 2017, arXiv 1608.03983,
/// without restarts); linear: 1 - (t - 1) / T.
enum class LrDecay : int { none, cosine, linear };

enum class UpdateRule : int { sgd, momentum, nesterov, adam, adamax, amsgrad };
constexpr int kUpdateRules = 6;

/// What a person sets, per model. Sources: SGD with momentum as in Sutskever et al. 2013 in PyTorch's form;
/// Adam and AdaMax: Kingma & Ba 2015, algorithms 1 and 2; decoupled decay: Loshchilov & Hutter 2019,
/// algorithm 2; AMSGrad: Reddi, Kale & Kumar 2018, algorithm 2, with Adam's corrections as in PyTorch.
struct UpdateSettings {
  double lr, momentum, beta1, beta2, eps;
  double l1;            // gradient gains l1 * sign(w)
  double l2;            // gradient gains l2 * w   (the penalty is l2/2 * w^2)
  double weight_decay;  // decoupled: w shrinks by the factor 1 - lr * weight_decay
  UpdateRule rule;
  double group = 0.0;           // group lasso: each neuron's incoming weights and bias are one group
  std::int64_t last_step = -1;  // the weights rest after it, gates go on; -1: never
  LrDecay lr_decay = LrDecay::none;
  std::int64_t decay_steps = 0;  // T
};

/// What moves in a step of a model: nothing (it has diverged), everything, or its gates only.
enum Active : int { kFrozen = 0, kTrains = 1, kGatesOnly = 2 };

/// The settings of one model at one step, with everything that depends on the step folded in.
struct StepCoefficients {
  float rate;        // sgd family: lr;  the others: lr / (1 - beta1^t)
  float momentum;    // sgd family: mu
  float gain1;       // adam, adamax, amsgrad: 1 - beta1
  float gain2;       // adam, amsgrad: 1 - beta2;  adamax: beta2
  float root_scale;  // adam, amsgrad: 1 / sqrt(1 - beta2^t)
  float eps;
  float l1, l2;
  float keep;         // 1 - lr * weight_decay
  float group;        // lr * group
  int active;         // Active
  std::int64_t step;  // t
};

/// What the decay leaves of the learning rate in step t = 1, 2, ...
SHOAL_INLINE double lr_share(LrDecay decay, double steps, double t) {
  if (decay == LrDecay::none) return 1.0;
  if (!(t <= steps)) return 0.0;
  const double left = (steps - t + 1.0) / steps;
  constexpr double kHalfPi = 1.57079632679489661923;
  const double root = sin(kHalfPi * left);  // (1 + cos) / 2 would cancel near the end
  return decay == LrDecay::cosine ? root * root : left;
}

/// Coefficients of step t = 1, 2, ... in double precision; not for inner loops. `alive`: it has not diverged.
SHOAL_INLINE StepCoefficients step_coefficients(const UpdateSettings& s, double t, int alive) {
  StepCoefficients c{};
  const bool rooted = s.rule == UpdateRule::adam || s.rule == UpdateRule::amsgrad;
  const bool moments = rooted || s.rule == UpdateRule::adamax;
  const double lr = s.lr * lr_share(s.lr_decay, static_cast<double>(s.decay_steps), t);
  c.rate = static_cast<float>(moments ? lr / (1.0 - pow(s.beta1, t)) : lr);
  c.momentum = static_cast<float>(s.momentum);
  c.gain1 = static_cast<float>(1.0 - s.beta1);
  c.gain2 = static_cast<float>(s.rule == UpdateRule::adamax ? s.beta2 : 1.0 - s.beta2);
  c.root_scale = rooted ? static_cast<float>(1.0 / sqrt(1.0 - pow(s.beta2, t))) : 1.0f;
  c.eps = static_cast<float>(s.eps);
  c.l1 = static_cast<float>(s.l1);
  c.l2 = static_cast<float>(s.l2);
  c.keep = static_cast<float>(1.0 - lr * s.weight_decay);
  c.group = static_cast<float>(lr * s.group);
  c.step = static_cast<std::int64_t>(t);
  c.active = !alive ? kFrozen : s.last_step >= 0 && c.step > s.last_step ? kGatesOnly : kTrains;
  return c;
}

/// How many arrays of the parameters' size a rule keeps beside them.
SHOAL_INLINE constexpr int slot_count(UpdateRule rule) {
  switch (rule) {
    case UpdateRule::sgd: return 0;
    case UpdateRule::momentum:
    case UpdateRule::nesterov: return 1;
    case UpdateRule::adam:
    case UpdateRule::adamax: return 2;
    case UpdateRule::amsgrad: return 3;
  }
  return 0;
}

/// The functions that an update needs of its value type. This one serves float; vector types specialise it.
template <class V>
struct Elementwise {
  static SHOAL_INLINE V root(V x) { return sqrtf(x); }
  static SHOAL_INLINE V magnitude(V x) { return fabsf(x); }
  static SHOAL_INLINE V larger(V x, V y) { return x < y ? y : x; }
  /// -1, 0 or 1; 0 at 0, so that padding weights stay 0 under L1.
  static SHOAL_INLINE V sign(V x) { return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : 0.0f; }
};

/// One parameter (or a vector of them): w and the rule's slots a, b and `top` change in place. `g` is dL/dw
/// without penalties. `penalised` may be false where l1 = l2 = 0 and keep = 1: the same bits with less work.
/// Coefficients: StepCoefficients, or vectors under the same names where every lane has its own.
template <UpdateRule rule, bool penalised = true, class V, class Coefficients>
SHOAL_INLINE void apply_update(V& w, V& a, V& b, V& top, V g, const Coefficients& c) {
  if constexpr (penalised) {
    g = g + V(c.l2) * w;
    g = g + V(c.l1) * Elementwise<V>::sign(w);
    w = w * V(c.keep);
  }
  if constexpr (rule == UpdateRule::sgd) {
    w = w - V(c.rate) * g;
  } else if constexpr (rule == UpdateRule::momentum) {
    a = g + V(c.momentum) * a;
    w = w - V(c.rate) * a;
  } else if constexpr (rule == UpdateRule::nesterov) {
    a = g + V(c.momentum) * a;
    g = g + V(c.momentum) * a;
    w = w - V(c.rate) * g;
  } else if constexpr (rule == UpdateRule::adam) {
    a = a + V(c.gain1) * (g - a);
    const V excess = g * g - b;
    b = b + V(c.gain2) * excess;
    const V root = V(c.eps) + V(c.root_scale) * Elementwise<V>::root(b);
    const V step = V(c.rate) * a;
    w = w - step / root;
  } else if constexpr (rule == UpdateRule::amsgrad) {
    a = a + V(c.gain1) * (g - a);
    const V excess = g * g - b;
    b = b + V(c.gain2) * excess;
    top = Elementwise<V>::larger(top, b);
    const V root = V(c.eps) + V(c.root_scale) * Elementwise<V>::root(top);
    const V step = V(c.rate) * a;
    w = w - step / root;
  } else {
    a = a + V(c.gain1) * (g - a);
    const V grown = Elementwise<V>::magnitude(g) + V(c.eps);
    const V faded = V(c.gain2) * b;
    b = Elementwise<V>::larger(faded, grown);
    const V step = V(c.rate) * a;
    w = w - step / b;
  }
}

}  // namespace shoal
