// The mathematics of a small MLP made executable, in double precision and in the plainest way: what the
// program's kernels are measured against. Nothing here is shared with the program, not even a header.
//
// Letters: x inputs, W weights, b bias, z = xW + b, r = relu(z), g gate, y = g r (what the next layer reads),
// L loss. A gradient is `d` + name.
#pragma once

#include <cstdint>
#include <vector>

namespace reference {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;  // [row][column]

struct Layer {
  Matrix weight;  // [fan_in][fan_out]
  Vector bias;    // [fan_out]
  Vector gate;    // [fan_out] factor on each output of a hidden layer; of the last layer: empty
};

/// Hidden layers with ReLU and gates, then one layer that gives the logits.
struct Model {
  std::vector<Layer> layers;
};

struct Samples {
  Matrix inputs;            // [rows][features]
  std::vector<int> labels;  // [rows]
};

/// `sizes`: features, hidden widths, classes. Weights and biases uniform in +-1/sqrt(fan_in), gates 1; all of
/// them numbers that a float can hold, so that a machine starts from the same ones.
Model make_model(const std::vector<int>& sizes, std::uint64_t seed);
/// Inputs uniform in [-1, 1) (float numbers), labels uniform.
Samples make_samples(int rows, int features, int classes, std::uint64_t seed);
/// A model of the same shape, filled with zeros.
Model zeros_like(const Model&);

/// What a forward pass leaves behind.
struct Trace {
  std::vector<Matrix> z;  // [layer][rows][fan_out]; the last are the logits
  std::vector<Matrix> y;  // [hidden layer][rows][fan_out] = gate * relu(z)
};

/// z = xW + b
Matrix affine(const Matrix& x, const Layer&);
Trace forward(const Model&, const Matrix& inputs);
/// Smallest |z| of the hidden layers: how far the model is from a kink of a ReLU.
double clearance(const Trace&);
/// Whether two passes switch the same neurons on.
bool same_pattern(const Trace&, const Trace&);

enum class Loss { cross_entropy, squared_error };

struct LossValue {
  double sum = 0.0;          // over the rows
  std::int64_t correct = 0;  // rows whose first largest logit is the label's
  Matrix dlogits;            // [rows][classes] of the mean over the rows
};
LossValue loss_of(Loss, const Matrix& logits, const std::vector<int>& labels);

/// Gradients of the mean loss with respect to weights, biases and gates.
Model backward(const Model&, const Samples&, const Trace&, const Matrix& dlogits);

/// l1 * sum |w| + l2/2 * sum w^2, over weights and biases.
struct Penalty {
  double l1 = 0.0, l2 = 0.0;
};
double penalty_of(const Model&, Penalty);
/// Adds the penalty's gradient (0 where w = 0 for the l1 part).
void add_penalty_gradient(Model& gradients, const Model&, Penalty);

/// Every weight, bias and, where `gates` says so, gate of the model, in a fixed order.
std::vector<double*> parameters_of(Model&, bool gates);

}  // namespace reference
