#include "tests/reference/optimizer.h"

#include <algorithm>
#include <cmath>

#include "tests/reference/random.h"

namespace reference {

double updated(const Optimizer& o, double w, double gradient, Slots& slots, int t) {
  const double sign = w > 0.0 ? 1.0 : w < 0.0 ? -1.0 : 0.0;
  const double g = gradient + o.penalty.l2 * w + o.penalty.l1 * sign;
  const double shrunk = w * (1.0 - o.lr * o.decay);
  switch (o.rule) {
    case Rule::sgd: return shrunk - o.lr * g;
    case Rule::momentum: slots.a = o.momentum * slots.a + g; return shrunk - o.lr * slots.a;
    case Rule::nesterov:
      slots.a = o.momentum * slots.a + g;
      return shrunk - o.lr * (g + o.momentum * slots.a);
    case Rule::adam: {
      slots.a = o.beta1 * slots.a + (1.0 - o.beta1) * g;
      slots.b = o.beta2 * slots.b + (1.0 - o.beta2) * g * g;
      const double mean = slots.a / (1.0 - std::pow(o.beta1, t));
      const double square = slots.b / (1.0 - std::pow(o.beta2, t));
      return shrunk - o.lr * mean / (std::sqrt(square) + o.eps);
    }
    case Rule::amsgrad: {
      slots.a = o.beta1 * slots.a + (1.0 - o.beta1) * g;
      slots.b = o.beta2 * slots.b + (1.0 - o.beta2) * g * g;
      slots.c = std::max(slots.c, slots.b);
      const double mean = slots.a / (1.0 - std::pow(o.beta1, t));
      return shrunk - o.lr * mean / (std::sqrt(slots.c) / std::sqrt(1.0 - std::pow(o.beta2, t)) + o.eps);
    }
    case Rule::adamax: {
      slots.a = o.beta1 * slots.a + (1.0 - o.beta1) * g;
      slots.b = std::max(o.beta2 * slots.b, std::abs(g) + o.eps);
      return shrunk - o.lr / (1.0 - std::pow(o.beta1, t)) * slots.a / slots.b;
    }
  }
  return std::nan("");
}

LossValue Trainer::step(const Samples& samples) {
  const Trace trace = forward(model, samples.inputs);
  smallest_clearance = std::min(smallest_clearance, clearance(trace));
  LossValue value = loss_of(loss, trace.z.back(), samples.labels);
  Model gradients = backward(model, samples, trace, value.dlogits);
  const std::vector<double*> w = parameters_of(model, false), g = parameters_of(gradients, false);
  slots.resize(w.size());
  ++steps;
  double largest = 0.0;
  for (const double* gradient : g) largest = std::max(largest, std::abs(*gradient));
  Draws draws(noise_seed * 1000003 + static_cast<std::uint64_t>(steps));
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double disturbed = noise == 0.0 ? *g[i] : *g[i] + noise * largest * draws.uniform(-1.0, 1.0);
    *w[i] = updated(optimizer, *w[i], disturbed, slots[i], steps);
  }
  return value;
}

}  // namespace reference
