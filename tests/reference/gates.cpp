#include "tests/reference/gates.h"

#include <algorithm>
#include <cmath>

#include "tests/reference/gate_integral.h"

namespace reference {
namespace {

// 2/3 and the stretched interval of the paper's section 4.
constexpr double kTemperature = 2.0 / 3.0, kLow = -0.1, kHigh = 1.1;

double sigmoid(double u) { return 1.0 / (1.0 + std::exp(-u)); }
double sigmoid_slope(double u) {
  const double c = std::cosh(0.5 * u);
  return 0.25 / (c * c);
}
double sign(double x) { return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0; }

bool has_size(Gate kind) { return kind == Gate::size || kind == Gate::random_size; }
bool learns(Gate kind) { return kind != Gate::mask; }

double slope_of(const GateSettings& s, const Vector& parameters, const GateNoise& noise) {
  return s.kind == Gate::random_size ? noise.slope : parameters[1];
}

/// The argument of the sigmoid in equation 10, and the stretched sample of equation 11.
double concrete_argument(double log_alpha, const GateNoise& noise, std::size_t i) {
  if (noise.uniform.empty()) return log_alpha;
  const double u = noise.uniform[i];
  return (std::log(u) - std::log1p(-u) + log_alpha) / kTemperature;
}
double stretched(double s) { return s * (kHigh - kLow) + kLow; }
/// Equation 12's argument: P(gate > 0) = sigmoid(log alpha - beta log(-gamma / zeta)).
double open_argument(double log_alpha) { return log_alpha - kTemperature * std::log(-kLow / kHigh); }

/// S or the sum of the gates with its derivatives by x0 and k.
struct Size {
  double value, by_x0, by_k;
};
Size size_of(const GateSettings& s, double x0, double k) {
  if (s.size_penalty == SizePenalty::start) return {x0, 1.0, 0.0};
  if (s.size_penalty == SizePenalty::integral) {
    const GateIntegral g = gate_integral(x0, k, s.neurons);
    return {g.value, g.by_x0, g.by_k};
  }
  Size sum{0.0, 0.0, 0.0};
  for (int i = 0; i < s.neurons; ++i) {
    const double distance = x0 - i, slope = sigmoid_slope(k * distance);
    sum.value += sigmoid(k * distance), sum.by_x0 += k * slope, sum.by_k += distance * slope;
  }
  return sum;
}

}  // namespace

double slope_of_zone(double width) { return 2.0 * std::log(99.0) / width; }

Vector gate_values(const GateSettings& s, const Vector& parameters, const GateNoise& noise) {
  Vector gates;
  for (std::size_t i = 0; i < static_cast<std::size_t>(s.neurons); ++i) switch (s.kind) {
      case Gate::mask:
      case Gate::liveness_switch: gates.push_back(parameters[i]); break;
      case Gate::size:
      case Gate::random_size:
        gates.push_back(sigmoid(slope_of(s, parameters, noise) * (parameters[0] - static_cast<double>(i))));
        break;
      case Gate::liveness: gates.push_back(std::max(0.0, parameters[i])); break;
      case Gate::hard_concrete:
        gates.push_back(std::clamp(stretched(sigmoid(concrete_argument(parameters[i], noise, i))), 0.0, 1.0));
    }
  return gates;
}

double gate_penalty(const GateSettings& s, const Vector& parameters, const GateNoise& noise) {
  if (has_size(s.kind)) return s.lambda * size_of(s, parameters[0], slope_of(s, parameters, noise)).value;
  double sum = 0.0;
  for (const double p : parameters) switch (s.kind) {
      case Gate::liveness: sum += std::max(0.0, p); break;
      case Gate::liveness_switch: sum += std::abs(p); break;
      case Gate::hard_concrete: sum += sigmoid(open_argument(p)); break;
      default: break;
    }
  return s.lambda * sum;
}

Vector gate_gradients(const GateSettings& s, const Vector& parameters, const GateNoise& noise,
                      const Vector& dg) {
  Vector d(parameters.size(), 0.0);
  if (has_size(s.kind)) {
    const double x0 = parameters[0], k = slope_of(s, parameters, noise);
    const Size size = size_of(s, x0, k);
    d[0] = s.lambda * size.by_x0, d[1] = s.lambda * size.by_k;
    for (std::size_t i = 0; i < dg.size(); ++i) {
      const double distance = x0 - static_cast<double>(i), slope = sigmoid_slope(k * distance);
      d[0] += dg[i] * k * slope, d[1] += dg[i] * distance * slope;
    }
    if (s.kind == Gate::random_size) d[1] = 0.0;
    return d;
  }
  for (std::size_t i = 0; i < dg.size(); ++i) {
    const double p = parameters[i];
    if (s.kind == Gate::liveness && p > 0.0) d[i] = dg[i] + s.lambda;
    if (s.kind == Gate::liveness_switch) d[i] = dg[i] + s.lambda * sign(p);
    if (s.kind == Gate::hard_concrete) {
      const double u = concrete_argument(p, noise, i), g = stretched(sigmoid(u));
      const double inner = noise.uniform.empty() ? 1.0 : 1.0 / kTemperature;
      d[i] = s.lambda * sigmoid_slope(open_argument(p));
      if (g > 0.0 && g < 1.0) d[i] += dg[i] * (kHigh - kLow) * sigmoid_slope(u) * inner;
    }
  }
  return d;
}

SignMoments sign_moments(const Vector& history, double inertia) {
  // Weighted sums over the past instead of recursions.
  const auto mean_after = [&](std::size_t t) {
    double mean = history[0] * std::pow(inertia, static_cast<double>(t));
    for (std::size_t s = 1; s <= t; ++s)
      mean += (1.0 - inertia) * std::pow(inertia, static_cast<double>(t - s)) * history[s];
    return mean;
  };
  const std::size_t last = history.size() - 1;
  double variance = 0.0;
  for (std::size_t s = 1; s <= last; ++s) {
    const double off = history[s] - mean_after(s - 1);
    variance += (1.0 - inertia) * std::pow(inertia, static_cast<double>(last - s)) * off * off;
  }
  return {mean_after(last), variance};
}

void GateTrainer::step(Optimizer o, const double (&rates)[2], const GateNoise& noise, const Vector& dg) {
  const bool judged = settings.kind == Gate::liveness_switch && settings.inertia >= 0.0;
  slots.resize(parameters.size());
  if (steps == 0)
    for (const double p : parameters) {
      dead.push_back((settings.kind == Gate::liveness && p <= 0.0) || (judged && p == 0.0));
      signs.push_back({sign(p)});
    }
  ++steps;
  if (!learns(settings.kind)) return;
  const Vector gradients = gate_gradients(settings, parameters, noise, dg);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (has_size(settings.kind)) {
      if (i == 1 && settings.kind == Gate::random_size) break;
      o.lr = rates[i];
      if (o.lr > 0.0) parameters[i] = updated(o, parameters[i], gradients[i], slots[i], steps);
      continue;
    }
    if (dead[i]) continue;
    o.lr = rates[0];
    double& p = parameters[i];
    p = updated(o, p, gradients[i], slots[i], steps);
    signs[i].push_back(sign(p));
    if (settings.kind == Gate::liveness) {
      closest_call = std::min(closest_call, std::abs(p));
      dead[i] = p <= 0.0;
    }
    if (judged) {
      const double variance = sign_moments(signs[i], settings.inertia).variance;
      closest_call = std::min({closest_call, std::abs(p), std::abs(variance - settings.threshold)});
      dead[i] = variance > settings.threshold;
    }
    if (dead[i]) p = 0.0, slots[i] = {};
  }
}

}  // namespace reference
