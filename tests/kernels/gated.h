// Gates on the hidden layers of a population, and the same layers in the reference's words.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tests/kernels/cases.h"
#include "tests/reference/gates.h"

namespace shoal::test {

struct Gated {
  Population population;  // its slabs know where their sums go
  std::vector<GateLayer> layers;
  std::vector<int> hidden;    // [layer] which hidden layer of its model it is
  std::int64_t partials = 0;  // floats of Update::partials
};

/// Gates of the kind that choose(model, hidden layer) says (none: no gates). Settings differ from layer to
/// layer.
Gated make_gated(const PopulationSpec&, const std::function<GateKind(int model, int layer)>& choose);

/// Layers of 1, 7, 15, 16, 17, 63, 64, 65 and 300 neurons, deep ones, neighbours in one panel, every rule;
/// some without gates, and one group that rests. 100 classes fill two panels of the slab that reads the last
/// layer. Round 0 .. 6 gives every layer another of the six kinds, or none.
inline constexpr int kRounds = 7;
Gated mixed_gates(int classes, int round);
PopulationSpec mixed_population(int classes);

/// Coefficients of a step for every model; all of them train.
std::vector<StepCoefficients> coefficients_at(const Gated&, std::int64_t step);

bool is_size(const GateLayer&);
/// k in a step.
double slope_of(const GateLayer&, const reference::Vector& parameters, const reference::GateNoise&);
/// The argument of a hard-concrete gate's sigmoid, and how far a machine's may be off: the logit of a number
/// near 1/2 cancels, so its error is that of a number of size 1.
struct Argument {
  double value, error;
};
Argument concrete_argument(double log_alpha, const reference::GateNoise&, std::size_t neuron);

/// Parameters that suit the kind, all of them floats: x0 and k, or one per neuron; some gates shut, some
/// open.
reference::Vector random_parameters(const GateLayer&, std::uint64_t seed);
std::vector<reference::Vector> random_parameters(const Gated&, std::uint64_t seed);
/// An array of the neurons, `elsewhere` where no layer has a learned number.
std::vector<float> gate_array(const Gated&, const std::vector<reference::Vector>& of_layers, float elsewhere);
/// A layer's numbers out of such an array.
reference::Vector of_layer(const std::vector<float>& array, const GateLayer&, std::size_t count);

reference::GateSettings in_reference(const GateLayer&);
/// What chance adds in a step; step 0: in an evaluation.
reference::GateNoise noise_of(const GateLayer&, std::int64_t step);
/// The rule of a layer's learned numbers; its learning rate is what the model's decay leaves in the step.
reference::Optimizer rule_of(const GateLayer&, std::int64_t step);

/// The gates' arrays on a machine.
struct GateRig {
  GateRig(Rig&, const Gated&, const std::vector<reference::Vector>& parameters);

  Rig& rig;
  const Gated& gated;
  GateLayer* layers;
  GateState state;
  float *partials, *gradients;

  void set_gates(bool evaluation, int epochs = 0);
  void update_gates(bool only_gradients);
};

/// What untouched places hold.
inline constexpr float kUntouched = -77.0f;

}  // namespace shoal::test
