// The state of a wave: the models that are trained together, and everything that changes while they are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/layout.h"
#include "engine/run.h"
#include "kernels/array.h"
#include "kernels/step_size.h"

namespace shoal {

/// How far a pack has been trained: `step` steps of epoch `epoch` are done.
struct Position {
  std::int64_t epoch = 0, step = 0;
};

/// What GateState points to, per neuron; empty where nobody has gates.
struct GateArrays {
  std::vector<float> parameters, slot_a, slot_b, slot_c, sign_mean, sign_variance;
};

/// Per hidden layer of a model: its neurons in the numbers of the specification, ascending; per model.
using KeptNeurons = std::vector<std::vector<int>>;
using Kept = std::vector<KeptNeurons>;

struct Wave {
  std::vector<std::int64_t> models;      // indices into RunSpec::models; index m below means models[m]
  std::vector<ModelSpec> specs;          // [m] with the widths that they have now
  Kept kept;                             // [m] which neurons these are
  std::vector<UpdateSettings> settings;  // [m]
  Layout layout;
  AlignedArray<float> parameters, slot_a, slot_b, slot_c;
  std::vector<GateLayer> gates;  // beside Layout::gates
  GateArrays gate;
  std::vector<Position> positions;    // [pack]
  std::vector<double> loss;           // [m] sum over the samples of the epoch under way
  std::vector<std::int64_t> correct;  // [m]
  std::vector<int> frozen;            // [m]
  std::vector<int> frozen_epoch;      // [m] -1 while alive
};

/// A wave whose parameters are all 0; with these neurons only, where they are given.
Wave empty_wave(std::span<const std::int64_t> models, const RunSpec&, const Task&, Kept = {});
/// A fresh wave: layout, initial weights or those that are given, zero state. SpecError when given ones do
/// not fit their model or are not finite.
Wave make_wave(std::span<const std::int64_t> models, const RunSpec&, const Task&, const StartWeights& = {});

/// The last step of model m of the wave, `steps` having been done (slots as Driver::fetch leaves them).
StepSize last_step(const Wave&, std::size_t m, std::int64_t steps);

UpdateSettings update_settings(const OptimizerSpec&, std::int64_t steps_per_epoch);

/// A layer's size: x0, or how many gates are not 0.
double gate_size(const GateLayer&, const GateArrays&);
/// [neuron] A layer's gates in an evaluation after so many epochs.
std::vector<float> evaluation_gates(const GateLayer&, const GateArrays&, int epochs);

}  // namespace shoal
