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
  enum class Part {
    always,
    group_lasso,
    decay,
    gates
  } part = Part::always;  // where a model has such a thing
};

/// hidden, seed, init, batch, optimizer, lr, momentum, ...; lr_decay, ... when the learning rate of one of
/// the models decays; gate, gate_penalty, ... when one has gates or weights that rest.
std::vector<ModelColumn> model_columns(std::span<const ModelSpec>);

bool has_gates(const ModelSpec&);

}  // namespace shoal
