// Gates from settings: the rows of the schema, and what they make of a model's hidden layers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/spec.h"
#include "tools/settings.h"

namespace shoal {

/// --gate, --gate-penalty, ...: rows of every training run.
void add_gate_settings(Schema&);

/// One combination of the lists, for models of any width.
struct GateChoice {
  GateSpec gate;                                     // kind none: no gates
  bool automatic_start = true, automatic_lr = true;  // by the layer's width; by the model's learning rate
};
/// A neuron whose gate has reached 0 never comes back.
bool closes_for_good(const GateSpec&);

/// All combinations; what a kind does not read is at its default, and each is there once. UsageError.
std::vector<GateChoice> gate_choices(const Settings&);

/// The hidden layers that have gates, counted from 0; empty: all. UsageError.
std::vector<int> gated_layers(const Settings&);

/// The choice for a model's hidden layers: one GateSpec a layer, or none at all. UsageError when `layers`
/// names one that the model does not have.
std::vector<GateSpec> gates_for(const GateChoice&, const std::vector<int>& layers, const ModelSpec&);

}  // namespace shoal
