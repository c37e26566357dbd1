// Sizes of models with gates: how much of each hidden layer is left.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/npz.h"
#include "engine/run.h"

namespace shoal {

bool any_gates(const RunSpec&);

/// Of a hidden layer: x0, or how many of its gates are not 0; NaN of a layer without gates.
std::vector<double> layer_sizes(const ModelResult&);
/// The same, joined by x: "12x30.5". Layers without gates are "-".
std::string layer_sizes_text(const ModelResult&);
/// Their sum over the layers with gates; NaN of a model without.
double size_of(const ModelResult&);
/// Of the models that did not diverge.
std::vector<double> sizes_of_ok(const RunResult&);

/// Parameters of the model without the neurons whose gate is exactly 0.
std::int64_t effective_parameters(const ModelSpec&, const ModelResult&, TaskShape);

/// The factor on a neuron's output in an evaluation; NaN without gates.
double gate_of(const ModelResult&, std::size_t layer, std::size_t neuron);

/// `size` [epochs][models], the sum over the layers with gates, and `layer_sizes` [epochs][models][layers];
/// NaN where there is none.
void add_sizes(NpzWriter&, const RunSpec&, const RunResult&);

}  // namespace shoal
