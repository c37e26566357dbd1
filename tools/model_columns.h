// What tells the models of a population apart, as text: one table for population.csv and for the terminal.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/spec.h"

namespace shoal {

struct ModelColumn {
  std::string_view name;
  std::string (*text)(const ModelSpec&);  // empty where the model has no such thing
};

/// hidden, seed, init, batch, optimizer, lr, momentum, ...
std::span<const ModelColumn> model_columns();

}  // namespace shoal
