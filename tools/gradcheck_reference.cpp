#include "tools/gradcheck_reference.h"

#include <algorithm>
#include <cmath>

#include "kernels/gate_integral.h"

namespace shoal::gradcheck {
namespace {

double sigma(double u) { return 1.0 / (1.0 + std::exp(-u)); }
/// sigma'(u) = sigma(u) (1 - sigma(u)).
double sigma_slope(double u) { return sigma(u) * sigma(-u); }
double sign(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0; }

double slope_of(const Gates& gates) {
  return gates.kind == GateKind::random_size ? gates.slope : gates.parameters[1];
}

/// Hard concrete: the argument of s_i and the gate before it is folded onto [0, 1].
constexpr double kTau = 2.0 / 3.0;
double concrete_argument(const Gates& gates, std::size_t i) {
  const double u = gates.uniform[i];
  return (std::log(u / (1.0 - u)) + gates.parameters[i]) / kTau;
}
double stretched(const Gates& gates, std::size_t i) { return 1.2 * sigma(concrete_argument(gates, i)) - 0.1; }
/// P(g_i > 0) is sigma of this.
double open_argument(double log_alpha) { return log_alpha + kTau * std::log(11.0); }

/// docs/gradients.md, section 14.
double gate_value(const Gates& gates, std::size_t i) {
  switch (gates.kind) {
    case GateKind::none: return 1.0;
    case GateKind::size:
    case GateKind::random_size:
      return sigma(slope_of(gates) * (gates.parameters[0] - static_cast<double>(i)));
    case GateKind::liveness: return std::max(0.0, gates.parameters[i]);
    case GateKind::hard_concrete: return std::clamp(stretched(gates, i), 0.0, 1.0);
    default: return gates.parameters[i];
  }
}

/// What a size gate's penalty multiplies, with its derivatives.
GateIntegral<double> size_of(const Gates& gates, std::size_t neurons) {
  const double x0 = gates.parameters[0], k = slope_of(gates);
  switch (gates.size_penalty) {
    case SizePenalty::start: return {x0, 1.0, 0.0};
    case SizePenalty::sum: {
      GateIntegral<double> sum{0, 0, 0};
      for (std::size_t i = 0; i < neurons; ++i) {
        const double ahead = x0 - static_cast<double>(i), g = sigma(k * ahead);
        sum.value += g, sum.by_x0 += g * (1 - g) * k, sum.by_k += g * (1 - g) * ahead;
      }
      return sum;
    }
    default: return gate_integral(x0, k, static_cast<double>(neurons));
  }
}

double penalty_of(const Gates& gates, std::size_t neurons) {
  if (has_size(gates.kind)) return gates.penalty * size_of(gates, neurons).value;
  double sum = 0;
  for (const double p : gates.parameters) {
    if (gates.kind == GateKind::liveness) sum += std::max(0.0, p);
    if (gates.kind == GateKind::liveness_switch) sum += std::abs(p);
    if (gates.kind == GateKind::hard_concrete) sum += sigma(open_argument(p));
  }
  return gates.penalty * sum;
}

/// z = xW + bias
Matrix affine(const Matrix& x, const Layer& layer) {
  Matrix z;
  for (const Vector& row : x) {
    Vector sum = layer.bias;
    for (std::size_t k = 0; k < row.size(); ++k)
      for (std::size_t n = 0; n < sum.size(); ++n) sum[n] += row[k] * layer.weight[k][n];
    z.push_back(std::move(sum));
  }
  return z;
}

/// y = g max(0, z)
Matrix activate(const Matrix& z, const Vector& g) {
  Matrix y = z;
  for (Vector& row : y)
    for (std::size_t n = 0; n < row.size(); ++n) row[n] = g[n] * std::max(0.0, row[n]);
  return y;
}

/// ln sum_c exp(z_c), with the largest taken out.
double log_sum_exp(const Vector& z) {
  const double largest = *std::max_element(z.begin(), z.end());
  double sum = 0;
  for (const double x : z) sum += std::exp(x - largest);
  return std::log(sum) + largest;
}

double loss_of(LossKind kind, const Matrix& logits, const std::vector<int>& labels) {
  double sum = 0;
  for (std::size_t b = 0; b < logits.size(); ++b) {
    const auto label = static_cast<std::size_t>(labels[b]);
    if (kind == LossKind::cross_entropy) sum += log_sum_exp(logits[b]) - logits[b][label];
    for (std::size_t c = 0; kind == LossKind::squared_error && c < logits[b].size(); ++c)
      sum += 0.5 * std::pow(logits[b][c] - (c == label ? 1.0 : 0.0), 2);
  }
  return sum / static_cast<double>(logits.size());
}

/// The pass from layer `from` on, whose z is there already.
void finish(const Model& model, const Rows& rows, std::size_t from, Pass& pass) {
  for (std::size_t l = from; l + 1 < model.layers.size(); ++l) {
    pass.y[l] = activate(pass.z[l], pass.g[l]);
    pass.z[l + 1] = affine(pass.y[l], model.layers[l + 1]);
  }
  pass.loss = loss_of(model.loss, pass.z.back(), rows.labels);
}

Vector gates_of(const Model& model, std::size_t l) {
  Vector g;
  for (std::size_t n = 0; n < model.layers[l].bias.size(); ++n) g.push_back(gate_value(model.gates[l], n));
  return g;
}

/// d L / d logits: (p - t) / B, or (logit - t) / B.
Matrix logit_deltas(const Model& model, const Rows& rows, const Pass& pass) {
  Matrix d = pass.z.back();
  for (std::size_t b = 0; b < d.size(); ++b) {
    const double norm = log_sum_exp(d[b]);
    for (std::size_t c = 0; c < d[b].size(); ++c) {
      const double target = static_cast<int>(c) == rows.labels[b] ? 1.0 : 0.0;
      const double p = model.loss == LossKind::cross_entropy ? std::exp(d[b][c] - norm) : d[b][c];
      d[b][c] = (p - target) / static_cast<double>(d.size());
    }
  }
  return d;
}

/// dg to the derivatives of what a layer's gates learn, with their penalty.
void gate_gradients(const Gates& gates, const Vector& dg, Vector& d, Vector& scale) {
  d.assign(gates.parameters.size(), 0.0), scale = d;
  const auto add = [&](std::size_t i, double term) { d[i] += term, scale[i] += std::abs(term); };
  const double lambda = gates.penalty;
  if (has_size(gates.kind)) {
    const double k = slope_of(gates);
    for (std::size_t i = 0; i < dg.size(); ++i) {
      const double v = gates.parameters[0] - static_cast<double>(i), s = sigma_slope(k * v);
      add(0, dg[i] * k * s), add(1, dg[i] * v * s);
    }
    const GateIntegral<double> size = size_of(gates, dg.size());
    add(0, lambda * size.by_x0), add(1, lambda * size.by_k);
    if (gates.kind == GateKind::random_size) d.resize(1), scale.resize(1);
    return;
  }
  for (std::size_t i = 0; i < d.size(); ++i) {
    const double p = gates.parameters[i];
    if (gates.kind == GateKind::liveness && p > 0) add(i, dg[i]), add(i, lambda);
    if (gates.kind == GateKind::liveness_switch) add(i, dg[i]), add(i, lambda * sign(p));
    if (gates.kind == GateKind::hard_concrete) {
      const double g = stretched(gates, i);
      if (g > 0 && g < 1) add(i, dg[i] * 1.2 / kTau * sigma_slope(concrete_argument(gates, i)));
      add(i, lambda * sigma_slope(open_argument(p)));
    }
  }
}

bool is_on(double x) { return x > 0; }

/// Whether no number of the two passes stands on another side of a kink, from layer `from` on.
bool same_sides(const Model& model, const Pass& a, const Pass& b, std::size_t from) {
  for (std::size_t l = from; l + 1 < model.layers.size(); ++l) {
    for (std::size_t row = 0; row < a.z[l].size(); ++row)
      for (std::size_t n = 0; n < a.z[l][row].size(); ++n)
        if (is_on(a.z[l][row][n]) != is_on(b.z[l][row][n])) return false;
  }
  return true;
}

/// On which piece of its formula gate parameter i is.
int piece_of(const Gates& gates, std::size_t i) {
  if (gates.kind == GateKind::liveness || gates.kind == GateKind::liveness_switch)
    return static_cast<int>(sign(gates.parameters[i]));
  if (gates.kind != GateKind::hard_concrete) return 0;
  const double g = stretched(gates, i);
  return g < 0 ? -1 : g > 1 ? 1 : 0;
}

/// The pass after one number has moved by `by`; `model` is as it was, but for a gate.
Pass moved_pass(Model& model, const Rows& rows, const Pass& pass, const Place& at, double by) {
  Pass moved = pass;
  if (at.kind == Place::Kind::gate) {
    model.gates[at.layer].parameters[at.neuron] += by;
    moved.g[at.layer] = gates_of(model, at.layer);
  }
  // z is linear in weights and biases: one column of it changes.
  for (std::size_t b = 0; b < moved.z[at.layer].size(); ++b) {
    const Vector& x = at.layer == 0 ? rows.inputs[b] : pass.y[at.layer - 1][b];
    if (at.kind == Place::Kind::weight) moved.z[at.layer][b][at.neuron] += by * x[at.input];
    if (at.kind == Place::Kind::bias) moved.z[at.layer][b][at.neuron] += by;
  }
  finish(model, rows, at.layer, moved);
  return moved;
}

}  // namespace

Pass forward(const Model& model, const Rows& rows) {
  Pass pass;
  pass.z.resize(model.layers.size()), pass.y.resize(model.layers.size() - 1);
  for (std::size_t l = 0; l + 1 < model.layers.size(); ++l) pass.g.push_back(gates_of(model, l));
  pass.z[0] = affine(rows.inputs, model.layers[0]);
  finish(model, rows, 0, pass);
  return pass;
}

double objective(const Model& model, const Pass& pass) {
  double sum = pass.loss;
  for (std::size_t l = 0; l < model.gates.size(); ++l)
    sum += penalty_of(model.gates[l], model.layers[l].bias.size());
  return sum;
}

Gradients backward(const Model& model, const Rows& rows, const Pass& pass) {
  Gradients gradients;
  gradients.layers.resize(model.layers.size());
  gradients.gates.resize(model.gates.size()), gradients.scales.resize(model.gates.size());
  Matrix dz = logit_deltas(model, rows, pass);
  for (std::size_t l = model.layers.size(); l-- > 0;) {
    const Layer& layer = model.layers[l];
    const Matrix& x = l == 0 ? rows.inputs : pass.y[l - 1];
    Layer& d = gradients.layers[l];
    d.bias.assign(layer.bias.size(), 0.0), d.weight.assign(layer.weight.size(), d.bias);
    // dW = x^T dz, dbias = 1^T dz
    for (std::size_t b = 0; b < x.size(); ++b)
      for (std::size_t n = 0; n < d.bias.size(); ++n) {
        d.bias[n] += dz[b][n];
        for (std::size_t k = 0; k < x[b].size(); ++k) d.weight[k][n] += x[b][k] * dz[b][n];
      }
    if (l == 0) break;
    // Below: dy = dz W^T, dg = sum_b dy r, dz = [z > 0] g dy.
    const Vector& g = pass.g[l - 1];
    Vector dg(g.size(), 0.0);
    Matrix below = pass.z[l - 1];
    for (std::size_t b = 0; b < x.size(); ++b)
      for (std::size_t k = 0; k < g.size(); ++k) {
        double dy = 0;
        for (std::size_t n = 0; n < layer.bias.size(); ++n) dy += dz[b][n] * layer.weight[k][n];
        const double z = pass.z[l - 1][b][k];
        dg[k] += dy * std::max(0.0, z);
        below[b][k] = is_on(z) ? g[k] * dy : 0.0;
      }
    gate_gradients(model.gates[l - 1], dg, gradients.gates[l - 1], gradients.scales[l - 1]);
    dz = std::move(below);
  }
  return gradients;
}

Difference difference(const Model& model, const Rows& rows, const Pass& pass, const Place& at, double h) {
  Model above = model, below = model;
  const Pass up = moved_pass(above, rows, pass, at, h), down = moved_pass(below, rows, pass, at, -h);
  bool smooth = same_sides(model, up, pass, at.layer) && same_sides(model, down, pass, at.layer);
  if (at.kind == Place::Kind::gate) {
    const int piece = piece_of(model.gates[at.layer], at.neuron);
    smooth &= piece == piece_of(above.gates[at.layer], at.neuron) &&
              piece == piece_of(below.gates[at.layer], at.neuron);
  }
  return {(objective(above, up) - objective(below, down)) / (2.0 * h), smooth};
}

double clearance(const Model& model, const Rows& rows, const Pass& pass, std::size_t row) {
  constexpr double kUnit = 0x1p-24;
  double nearest = 1e300;
  for (std::size_t l = 0; l + 1 < model.layers.size(); ++l) {
    const Layer& layer = model.layers[l];
    const Vector& x = l == 0 ? rows.inputs[row] : pass.y[l - 1][row];
    for (std::size_t n = 0; n < layer.bias.size(); ++n) {
      double squares = layer.bias[n] * layer.bias[n];
      for (std::size_t k = 0; k < x.size(); ++k) squares += std::pow(x[k] * layer.weight[k][n], 2);
      // Roundings of a sum of K terms of random signs add up like a walk; 16 of its standard deviations.
      const double error = 16.0 * kUnit * std::sqrt(static_cast<double>(x.size()) * squares);
      if (error > 0) nearest = std::min(nearest, std::abs(pass.z[l][row][n]) / error);
    }
  }
  return nearest;
}

}  // namespace shoal::gradcheck
