#include "tests/reference/removal.h"

#include <algorithm>
#include <cmath>

namespace reference {

LossValue loss_with_factor(Model model, const Samples& samples, int neuron, double factor) {
  Layer& hidden = model.layers[model.layers.size() - 2];
  hidden.gate[static_cast<std::size_t>(neuron)] *= factor;
  return loss_of(Loss::cross_entropy, forward(model, samples.inputs).z.back(), samples.labels);
}

Derivatives derivatives_of(const Vector& logits, int label, double y, const Vector& v) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  Vector p;
  double sum = 0.0;
  for (const double l : logits) p.push_back(std::exp(l - largest)), sum += p.back();
  for (double& x : p) x /= sum;
  Derivatives d{0.0, 0.0};
  for (std::size_t i = 0; i < p.size(); ++i) {
    d.first += (p[i] - (static_cast<int>(i) == label ? 1.0 : 0.0)) * v[i];
    for (std::size_t j = 0; j < p.size(); ++j)
      d.second += v[i] * ((i == j ? p[i] : 0.0) - p[i] * p[j]) * v[j];
  }
  return {y * d.first, y * y * d.second};
}

Removal removal_of(const Model& model, const Samples& samples, int neuron) {
  const LossValue without = loss_with_factor(model, samples, neuron, 0.0);
  Removal r{without.sum, without.correct};
  const Trace trace = forward(model, samples.inputs);
  const Vector& v = model.layers.back().weight[static_cast<std::size_t>(neuron)];
  for (std::size_t b = 0; b < samples.labels.size(); ++b) {
    const double y = trace.y.back()[b][static_cast<std::size_t>(neuron)];
    const Derivatives d = derivatives_of(trace.z.back()[b], samples.labels[b], y, v);
    r.slope += d.first, r.curvature += d.second, r.squared_slope += d.first * d.first;
  }
  return r;
}

}  // namespace reference
