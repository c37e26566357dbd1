// What a trained wave hands over: gates and moments of neurons to the results, weights to the hooks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/run.h"
#include "engine/wave.h"

namespace shoal {

/// Where it goes. `results`: of all models of the run.
struct Delivery {
  const RunSpec& spec;
  std::int64_t train_count;
  const RunHooks& hooks;
  std::span<ModelResult> results;
};

/// `moments`: of the wave's neurons as they were measured, without gates; the gates come into them here.
/// Neurons that have left the model are silent ones in the results.
void deliver(const Wave&, std::vector<Moments>& moments, const Delivery&);

}  // namespace shoal
