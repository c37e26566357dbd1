// What removing a neuron of the last hidden layer does, in double precision: by running the model without it,
// and the derivatives by a factor on its output from the covariance of the logits.
#pragma once

#include "tests/reference/model.h"

namespace reference {

/// Of one neuron, sums over the samples; s is a factor on its output, derivatives at s = 1.
struct Removal {
  double loss = 0.0;  // cross-entropy without the neuron
  std::int64_t correct = 0;
  double slope = 0.0, curvature = 0.0, squared_slope = 0.0;
};

/// The model's loss when the outputs of neuron `neuron` of its last hidden layer are multiplied by `factor`:
/// a forward pass.
LossValue loss_with_factor(Model, const Samples&, int neuron, double factor);

/// The derivatives of one sample by the factor: y (p - t)^T v and y^2 v^T (diag p - p p^T) v, with the
/// neuron's output y and outgoing weights v.
struct Derivatives {
  double first, second;
};
Derivatives derivatives_of(const Vector& logits, int label, double y, const Vector& v);

/// All of it, by forward passes.
Removal removal_of(const Model&, const Samples&, int neuron);

}  // namespace reference
