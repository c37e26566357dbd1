// What tells the models of a population apart, as text: one table for population.csv and for the terminal.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/spec.h"

namespace shoal {

struct ModelColumn {
  std::string_view name;
  std::string (*text)(const ModelSpec&);  // empty where the model has no such thing
  bool of_gates = false;
};

/// hidden, seed, init, batch, optimizer, lr, momentum, ...; and those of gates, gate, gate_penalty, ..., when
/// one of the models has gates or weights that rest.
std::vector<ModelColumn> model_columns(std::span<const ModelSpec>);

bool has_gates(const ModelSpec&);

}  // namespace shoal
