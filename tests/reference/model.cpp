#include "tests/reference/model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/reference/random.h"

namespace reference {

Model make_model(const std::vector<int>& sizes, std::uint64_t seed) {
  Draws draws(seed);
  Model model;
  for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
    const double limit = 1.0 / std::sqrt(static_cast<double>(sizes[l]));
    Layer layer;
    layer.weight.assign(static_cast<std::size_t>(sizes[l]), Vector(static_cast<std::size_t>(sizes[l + 1])));
    for (Vector& row : layer.weight)
      for (double& w : row) w = static_cast<float>(draws.uniform(-limit, limit));
    layer.bias.resize(static_cast<std::size_t>(sizes[l + 1]));
    for (double& b : layer.bias) b = static_cast<float>(draws.uniform(-limit, limit));
    if (l + 2 < sizes.size()) layer.gate.assign(static_cast<std::size_t>(sizes[l + 1]), 1.0);
    model.layers.push_back(std::move(layer));
  }
  return model;
}

Samples make_samples(int rows, int features, int classes, std::uint64_t seed) {
  Draws draws(seed);
  Samples samples;
  samples.inputs.assign(static_cast<std::size_t>(rows), Vector(static_cast<std::size_t>(features)));
  for (Vector& row : samples.inputs)
    for (double& x : row) x = static_cast<float>(draws.uniform(-1.0, 1.0));
  for (int row = 0; row < rows; ++row) samples.labels.push_back(draws.below(classes));
  return samples;
}

Model zeros_like(const Model& model) {
  Model zeros = model;
  for (double* p : parameters_of(zeros, true)) *p = 0.0;
  return zeros;
}

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

Trace forward(const Model& model, const Matrix& inputs) {
  Trace trace;
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const Layer& layer = model.layers[l];
    trace.z.push_back(affine(l == 0 ? inputs : trace.y.back(), layer));
    if (l + 1 == model.layers.size()) break;
    Matrix y = trace.z.back();
    for (Vector& row : y)
      for (std::size_t n = 0; n < row.size(); ++n) row[n] = layer.gate[n] * std::max(0.0, row[n]);
    trace.y.push_back(std::move(y));
  }
  return trace;
}

double clearance(const Trace& trace) {
  double smallest = std::numeric_limits<double>::infinity();
  for (std::size_t l = 0; l + 1 < trace.z.size(); ++l)
    for (const Vector& row : trace.z[l])
      for (const double z : row) smallest = std::min(smallest, std::abs(z));
  return smallest;
}

bool same_pattern(const Trace& a, const Trace& b) {
  for (std::size_t l = 0; l + 1 < a.z.size(); ++l)
    for (std::size_t row = 0; row < a.z[l].size(); ++row)
      for (std::size_t n = 0; n < a.z[l][row].size(); ++n)
        if ((a.z[l][row][n] > 0.0) != (b.z[l][row][n] > 0.0)) return false;
  return true;
}

namespace {

// log sum exp(logit), with the largest taken out so that nothing overflows
double log_sum_exp(const Vector& logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const double logit : logits) sum += std::exp(logit - largest);
  return std::log(sum) + largest;
}

}  // namespace

LossValue loss_of(Loss kind, const Matrix& logits, const std::vector<int>& labels) {
  LossValue value;
  const double rows = static_cast<double>(logits.size());
  for (std::size_t b = 0; b < logits.size(); ++b) {
    const Vector& row = logits[b];
    const auto label = static_cast<std::size_t>(labels[b]);
    if (std::max_element(row.begin(), row.end()) - row.begin() == labels[b]) ++value.correct;
    Vector delta(row.size());
    if (kind == Loss::cross_entropy) {
      const double norm = log_sum_exp(row);
      value.sum += norm - row[label];
      for (std::size_t c = 0; c < row.size(); ++c)
        delta[c] = (std::exp(row[c] - norm) - (c == label ? 1.0 : 0.0)) / rows;
    } else {
      for (std::size_t c = 0; c < row.size(); ++c) {
        const double difference = row[c] - (c == label ? 1.0 : 0.0);
        value.sum += 0.5 * difference * difference;
        delta[c] = difference / rows;
      }
    }
    value.dlogits.push_back(std::move(delta));
  }
  return value;
}

Model backward(const Model& model, const Samples& samples, const Trace& trace, const Matrix& dlogits) {
  Model gradients = zeros_like(model);
  Matrix dz = dlogits;
  for (std::size_t l = model.layers.size(); l-- > 0;) {
    const Matrix& x = l == 0 ? samples.inputs : trace.y[l - 1];
    Layer& d = gradients.layers[l];
    for (std::size_t b = 0; b < x.size(); ++b)
      for (std::size_t n = 0; n < d.bias.size(); ++n) {
        d.bias[n] += dz[b][n];
        for (std::size_t k = 0; k < x[b].size(); ++k) d.weight[k][n] += x[b][k] * dz[b][n];
      }
    if (l == 0) break;
    // Through the gate and the ReLU of the layer below: y = g r, r = max(0, z).
    const Layer &layer = model.layers[l], &below = model.layers[l - 1];
    Matrix dz_below;
    for (std::size_t b = 0; b < x.size(); ++b) {
      Vector row(below.bias.size());
      for (std::size_t k = 0; k < row.size(); ++k) {
        double dy = 0.0;
        for (std::size_t n = 0; n < dz[b].size(); ++n) dy += dz[b][n] * layer.weight[k][n];
        const double z = trace.z[l - 1][b][k];
        gradients.layers[l - 1].gate[k] += dy * std::max(0.0, z);
        row[k] = z > 0.0 ? below.gate[k] * dy : 0.0;
      }
      dz_below.push_back(std::move(row));
    }
    dz = std::move(dz_below);
  }
  return gradients;
}

double penalty_of(const Model& model, Penalty penalty) {
  Model copy = model;
  double sum = 0.0;
  for (const double* w : parameters_of(copy, false))
    sum += penalty.l1 * std::abs(*w) + 0.5 * penalty.l2 * *w * *w;
  return sum;
}

void add_penalty_gradient(Model& gradients, const Model& model, Penalty penalty) {
  Model copy = model;
  const std::vector<double*> g = parameters_of(gradients, false), w = parameters_of(copy, false);
  for (std::size_t i = 0; i < g.size(); ++i) {
    const double sign = *w[i] > 0.0 ? 1.0 : *w[i] < 0.0 ? -1.0 : 0.0;
    *g[i] += penalty.l1 * sign + penalty.l2 * *w[i];
  }
}

std::vector<double*> parameters_of(Model& model, bool gates) {
  std::vector<double*> all;
  for (Layer& layer : model.layers) {
    for (Vector& row : layer.weight)
      for (double& w : row) all.push_back(&w);
    for (double& b : layer.bias) all.push_back(&b);
    if (gates)
      for (double& g : layer.gate) all.push_back(&g);
  }
  return all;
}

}  // namespace reference
