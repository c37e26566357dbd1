// Mixtures of two components fitted by expectation-maximisation (Dempster, Laird & Rubin 1977): the op that
// fits many at once, and the mathematics of one fit, which every machine compiles.
//
//   exp_normal     w Exp(scale)          + (1 - w) Normal(mean, sd)       the normal is not truncated at 0
//   gamma_gamma    w Gamma(shape, mean)  + (1 - w) Gamma(shape, mean)     scale = mean / shape
//   normal_normal  w Normal(mean, sd)    + (1 - w) Normal(mean, sd)
//
// Every component's log-density is linear in two functions of the value: a + b u + c v, with u = x, v = ln x
// for gammas, u = x, v = 0 for exponentials, and u = x - mean, v = u^2 for normals. So an E-step is the same
// sum for all kinds, six weighted sums and the log-likelihood, and the M-step reads nothing else.
//
// Between E-steps the parameters are extrapolated by SQUAREM (Varadhan & Roland 2008, scheme S3), and an
// extrapolation that lowers the log-likelihood is thrown away: what a fit accepts never decreases.
#pragma once

#include <math.h>

#include <cstdint>

#include "kernels/portable.h"
#include "kernels/special_functions.h"

namespace shoal {

enum class MixtureKind : int { exp_normal, gamma_gamma, normal_normal };

/// `first` and `second` hold a component each: {scale, 1} of an exponential, {shape, mean} of a gamma,
/// {mean, sd} of a normal.
struct MixtureParameters {
  double weight;  // of the first component
  double first[2], second[2];
};

/// The bounds of an M-step. A fit that ends on one of them has no maximum inside: its component would have
/// collapsed, and the caller leaves it out.
struct MixtureBounds {
  double weight;  // both weights are at least this
  double sd;      // of a normal, at least
  double scale;   // of an exponential, at least
  double shape_low, shape_high;
};

/// Sums of an E-step over a sample, r_1 = responsibility of the first component, r_2 = 1 - r_1.
struct MixtureSums {
  double count[2];  // sum r
  double u[2];      // sum r u
  double v[2];      // sum r v
  double log_likelihood;
};

/// ln(weight * density) of component j = a[j] + b[j] u + c[j] v, u = x - offset[j] (0 but for normals).
struct MixtureTerms {
  double offset[2], a[2], b[2], c[2];
};

/// Where the walk of one fit stands. `current` is what the next E-step looks at.
struct MixtureWalk {
  MixtureParameters current;
  MixtureParameters start, middle, last;  // of a cycle: theta, EM(theta), EM(EM(theta))
  double start_value, middle_value;       // their log-likelihoods
  double longest;                         // extrapolation allowed
  int phase;                              // 0, 1, 2: what `current` is (see advance_mixture)
  int iterations;                         // E-steps done
  int converged;
};

/// One fit: a sample and where to start.
struct MixtureTask {
  std::int64_t begin;  // of the sample's values; a multiple of kMixtureAlignment
  std::int64_t count;  // of values, at least 1
  MixtureParameters start;
  MixtureBounds bounds;
};

struct MixtureResult {
  MixtureParameters parameters;  // the best that the fit has accepted
  double log_likelihood;         // at these
  int iterations;                // E-steps
  int converged;                 // 1: the estimated gain still to come is below the tolerance
};

constexpr int kMixtureAlignment = 8;

/// results[i] = tasks[i].start improved until the estimated remaining gain of log-likelihood is at most
/// `tolerance`, or after max_iterations E-steps. The values of a sample begin at a multiple of
/// kMixtureAlignment, and the room up to the next multiple is filled with finite values (which do not count).
/// A result depends on its own task alone.
struct FitMixtures {
  MixtureKind kind;
  const double* values;      // ln x must exist for gammas
  const double* log_values;  // gammas only; else null
  const MixtureTask* tasks;  // [task_count]
  int task_count;
  int max_iterations;      // at least 1
  double tolerance;        // in log-likelihood
  int accelerate;          // 0: plain EM
  MixtureResult* results;  // [task_count] written
  double* trace;           // [task_count][max_iterations] the accepted log-likelihood after each E-step; the
                           // rest is NaN. May be null
};

// ---- One component ----------------------------------------------------------------------------------------

enum class MixtureComponent : int { exponential, gamma, normal };

SHOAL_INLINE MixtureComponent component_of(MixtureKind kind, int j) {
  if (kind == MixtureKind::gamma_gamma) return MixtureComponent::gamma;
  return kind == MixtureKind::exp_normal && j == 0 ? MixtureComponent::exponential : MixtureComponent::normal;
}

/// Terms of component j with these two parameters and this weight.
SHOAL_INLINE void component_terms(MixtureComponent component, const double* p, double weight, int j,
                                  MixtureTerms* t) {
  constexpr double kHalfLogTwoPi = 0.91893853320467274178;
  t->offset[j] = t->b[j] = t->c[j] = 0.0;
  const double log_weight = log(weight);
  switch (component) {
    case MixtureComponent::exponential:
      t->a[j] = log_weight - log(p[0]);
      t->b[j] = -1.0 / p[0];
      break;
    case MixtureComponent::gamma:
      // k ln(k/m) - ln Gamma(k) + (k - 1) ln x - k x / m
      t->a[j] = log_weight + gamma_terms(p[0]).stirling_gap + p[0] * (1.0 - log(p[1]));
      t->b[j] = -p[0] / p[1];
      t->c[j] = p[0] - 1.0;
      break;
    case MixtureComponent::normal:
      t->offset[j] = p[0];
      t->a[j] = log_weight - log(p[1]) - kHalfLogTwoPi;
      t->c[j] = -0.5 / (p[1] * p[1]);
      break;
  }
}

SHOAL_INLINE MixtureTerms mixture_terms(MixtureKind kind, const MixtureParameters& p) {
  MixtureTerms t;
  component_terms(component_of(kind, 0), p.first, p.weight, 0, &t);
  component_terms(component_of(kind, 1), p.second, 1.0 - p.weight, 1, &t);
  return t;
}

SHOAL_INLINE double clamp_to(double x, double low, double high) {
  return x < low ? low : x > high ? high : x;
}

/// The maximiser of the expected log-likelihood within the bounds. Each bound cuts a function of one
/// parameter that has a single maximum, so the cut value is the maximiser, and EM stays monotone.
/// `p` holds the component's parameters before; a component without any weight keeps them.
SHOAL_INLINE void component_m_step(MixtureComponent component, double count, double u, double v,
                                   const MixtureBounds& bounds, double* p) {
  if (!(count > 1e-200)) return;
  const double mean_u = u / count, mean_v = v / count;
  switch (component) {
    case MixtureComponent::exponential: p[0] = mean_u > bounds.scale ? mean_u : bounds.scale; break;
    case MixtureComponent::gamma: {
      if (!(mean_u > 0.0)) return;
      const double s = log(mean_u) - mean_v;
      // Of equal values s is 0 up to rounding: the shape has no maximum.
      p[0] = s > 1e-15 ? clamp_to(solve_gamma_shape(s, p[0]), bounds.shape_low, bounds.shape_high)
                       : bounds.shape_high;
      p[1] = mean_u;
      break;
    }
    case MixtureComponent::normal: {
      const double variance = mean_v - mean_u * mean_u;  // u is counted from the mean before: little cancels
      p[0] += mean_u;
      p[1] = variance > bounds.sd * bounds.sd ? sqrt(variance) : bounds.sd;
      break;
    }
  }
}

SHOAL_INLINE MixtureParameters m_step(MixtureKind kind, const MixtureSums& sums, const MixtureBounds& bounds,
                                      MixtureParameters p) {
  p.weight = clamp_to(sums.count[0] / (sums.count[0] + sums.count[1]), bounds.weight, 1.0 - bounds.weight);
  component_m_step(component_of(kind, 0), sums.count[0], sums.u[0], sums.v[0], bounds, p.first);
  component_m_step(component_of(kind, 1), sums.count[1], sums.u[1], sums.v[1], bounds, p.second);
  return p;
}

/// Whether a component has collapsed onto a bound.
SHOAL_INLINE bool touches_bound(MixtureKind kind, const MixtureParameters& p, const MixtureBounds& bounds) {
  constexpr double kNear = 1.0 + 1e-9;
  if (p.weight <= bounds.weight * kNear || 1.0 - p.weight <= bounds.weight * kNear) return true;
  for (int j = 0; j < 2; ++j) {
    const double* q = j == 0 ? p.first : p.second;
    switch (component_of(kind, j)) {
      case MixtureComponent::exponential:
        if (q[0] <= bounds.scale * kNear) return true;
        break;
      case MixtureComponent::gamma:
        if (q[0] <= bounds.shape_low * kNear || q[0] >= bounds.shape_high / kNear) return true;
        break;
      case MixtureComponent::normal:
        if (q[1] <= bounds.sd * kNear) return true;
        break;
    }
  }
  return false;
}

// ---- The walk ---------------------------------------------------------------------------------------------

/// Coordinates in which parameters are extrapolated: all reals are legal.
struct MixturePoint {
  double x[5];
};

SHOAL_INLINE MixturePoint point_of(MixtureKind kind, const MixtureParameters& p) {
  MixturePoint q;
  q.x[0] = log(p.weight / (1.0 - p.weight));
  for (int j = 0; j < 2; ++j) {
    const double* c = j == 0 ? p.first : p.second;
    q.x[1 + 2 * j] = component_of(kind, j) == MixtureComponent::normal ? c[0] : log(c[0]);
    q.x[2 + 2 * j] = log(c[1]);
  }
  return q;
}

SHOAL_INLINE MixtureParameters parameters_of(MixtureKind kind, const MixturePoint& q,
                                             const MixtureBounds& bounds) {
  MixtureParameters p;
  p.weight = clamp_to(1.0 / (1.0 + exp(-q.x[0])), bounds.weight, 1.0 - bounds.weight);
  for (int j = 0; j < 2; ++j) {
    double* c = j == 0 ? p.first : p.second;
    const double first = q.x[1 + 2 * j], second = exp(clamp_to(q.x[2 + 2 * j], -600.0, 600.0));
    switch (component_of(kind, j)) {
      case MixtureComponent::exponential:
        c[0] = exp(clamp_to(first, -600.0, 600.0));
        if (!(c[0] > bounds.scale)) c[0] = bounds.scale;
        c[1] = 1.0;
        break;
      case MixtureComponent::gamma:
        c[0] = clamp_to(exp(clamp_to(first, -600.0, 600.0)), bounds.shape_low, bounds.shape_high);
        c[1] = second;
        break;
      case MixtureComponent::normal:
        c[0] = first;
        c[1] = second > bounds.sd ? second : bounds.sd;
        break;
    }
  }
  return p;
}

SHOAL_INLINE MixtureWalk begin_walk(const MixtureParameters& start) {
  MixtureWalk w;
  w.current = w.start = w.middle = w.last = start;
  w.start_value = w.middle_value = -HUGE_VAL;
  w.longest = 4.0;
  w.phase = w.iterations = w.converged = 0;
  return w;
}

/// The log-likelihood that the walk has accepted so far, and its parameters.
SHOAL_INLINE double accepted_value(const MixtureWalk& w) {
  return w.phase == 1 ? w.start_value : w.middle_value;
}
SHOAL_INLINE MixtureParameters accepted_parameters(const MixtureWalk& w) {
  return w.phase == 1 ? w.start : w.middle;
}

/// Takes the sums at `current` and chooses the next one. A cycle has two E-steps:
///   phase 0, 2  current = theta. In phase 2 it is the extrapolation of the cycle before; where it is worse
///               than that cycle's middle it is dropped, and EM's own next step taken: phase 0 again
///   phase 1     current = EM(theta)
/// Returns whether to go on.
SHOAL_INLINE bool advance_mixture(MixtureKind kind, const MixtureBounds& bounds, const MixtureSums& sums,
                                  double tolerance, int accelerate, MixtureWalk* w) {
  const double value = sums.log_likelihood;
  ++w->iterations;
  if (w->phase == 2 && !(value >= w->middle_value)) {
    w->longest = w->longest > 4.0 ? w->longest * 0.25 : 1.0;
    w->current = w->last;
    w->phase = 0;
    return true;
  }
  const MixtureParameters next = m_step(kind, sums, bounds, w->current);
  if (w->phase != 1) {
    w->start = w->current;
    w->start_value = value;
    w->middle = w->current = next;
    w->phase = 1;
    return true;
  }
  w->last = next;
  w->middle_value = value;
  const MixturePoint p0 = point_of(kind, w->start), p1 = point_of(kind, w->middle), p2 = point_of(kind, next);
  double r[5], v[5], rr = 0.0, vv = 0.0;
  for (int i = 0; i < 5; ++i) {
    r[i] = p1.x[i] - p0.x[i];
    v[i] = (p2.x[i] - p1.x[i]) - r[i];
    rr += r[i] * r[i];
    vv += v[i] * v[i];
  }
  // Steps of EM shrink by a factor rho each, and ratio = 1 / (1 - rho): what EM would still gain is at most
  // the last gain times ratio. A gain that drowns in the rounding of the sum tells nothing more.
  const double gain = value - w->start_value, ratio = vv > 0.0 ? sqrt(rr / vv) : 1.0;
  const double noise = 0x1p-50 * (fabs(value) + sums.count[0] + sums.count[1]);
  w->phase = 2;
  if (gain * (ratio > 1.0 ? ratio : 1.0) <= tolerance || gain <= noise) {
    w->converged = 1;
    return false;
  }
  double alpha = ratio > w->longest ? w->longest : ratio;
  if (!accelerate || !(alpha > 1.0)) {
    w->current = next;
  } else {
    if (alpha == w->longest) w->longest *= 4.0;
    MixturePoint q;
    for (int i = 0; i < 5; ++i) q.x[i] = p0.x[i] + alpha * (2.0 * r[i] + alpha * v[i]);
    w->current = parameters_of(kind, q, bounds);
  }
  return true;
}

}  // namespace shoal
