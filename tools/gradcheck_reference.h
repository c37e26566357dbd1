// The mathematics of one training step in double precision, written to be read beside docs/gradients.md: what
// `shoal gradcheck` holds the machines against. Small models only; no vectors, no threads, no panels.
//
// Letters: b row of the batch, k input of a layer, n neuron, x inputs, W weights, z = xW + bias, r = max(0,
// z), g gate, y = g r (what the next layer reads), L mean loss. A derivative is `d` + name.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/gradients.h"

namespace shoal::gradcheck {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;  // [row][column]

struct Layer {
  Matrix weight;  // [input][neuron]
  Vector bias;
};

/// Gates of a hidden layer; of a layer without: kind none.
struct Gates {
  GateKind kind = GateKind::none;
  SizePenalty size_penalty = SizePenalty::integral;
  double penalty = 0;
  Vector parameters;  // x0 and k, or one per neuron
  double slope = 0;   // random_size: k of the step
  Vector uniform;     // hard_concrete: of the step
};

struct Model {
  std::vector<Layer> layers;  // the last one gives the logits
  std::vector<Gates> gates;   // [hidden layer]
  LossKind loss = LossKind::cross_entropy;
};

struct Rows {
  Matrix inputs;
  std::vector<int> labels;
};

/// What a forward pass leaves behind.
struct Pass {
  std::vector<Vector> g;  // [hidden layer][neuron]
  std::vector<Matrix> z;  // [layer][b][n]; the last are the logits
  std::vector<Matrix> y;  // [hidden layer][b][n]
  double loss = 0;        // mean over the rows
};
Pass forward(const Model&, const Rows&);

/// Mean loss and the gates' penalties: what a step lowers.
double objective(const Model&, const Pass&);

struct Gradients {
  std::vector<Layer> layers;   // dL
  std::vector<Vector> gates;   // d objective / d parameters of the gates; 0 where nothing is learned
  std::vector<Vector> scales;  // of these: the sum of the absolute values of what was added up
};
Gradients backward(const Model&, const Rows&, const Pass&);

/// One number of a model.
struct Place {
  enum class Kind { weight, bias, gate } kind;
  std::size_t layer, input, neuron;  // of a gate: `neuron` counts its parameters
};

/// The central difference of the objective, (f(w + h) - f(w - h)) / 2h. `smooth` is false where a neuron or a
/// gate crosses a kink on the way: then it says nothing about the derivative.
struct Difference {
  double slope;
  bool smooth;
};
Difference difference(const Model&, const Rows&, const Pass&, const Place&, double h);

/// How many times the rounding error to be expected of a float32 pass the hidden neuron of a row that is
/// nearest to its kink stays away from it: below 1 a machine may take the other side.
double clearance(const Model&, const Rows&, const Pass&, std::size_t row);

}  // namespace shoal::gradcheck
