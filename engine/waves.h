// How much memory a population needs, how much there is, and how it is cut into waves that are trained one
// after another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/layout.h"
#include "engine/run.h"

namespace shoal {

/// Bytes of a pack's parameters, optimizer state and per-neuron tables.
std::size_t state_bytes(const Layout&, const Pack&);
/// Bytes of a pack's outputs and deltas.
std::size_t activation_bytes(const Pack&);
/// Bytes of the data as the engine keeps them.
std::size_t data_bytes(const Task&);

/// Memory that this process may still take: what the system has available, within its control group's limit.
std::size_t available_memory();

/// Bytes that the population of a run may take: its limit, or 80 % of what is there now; on a device without
/// the data.
std::size_t memory_budget(const RunSpec&, const Task&, const Layout&);

/// Packs of the whole population's layout in waves that fit into `budget` bytes each; on a device activations
/// of all packs count too. DeviceError when a single pack does not fit. Returns the models of each wave,
/// ascending.
std::vector<std::vector<std::int64_t>> cut_waves(const Layout&, std::size_t budget, bool on_device);

/// The same cut written down model by model, and back.
std::vector<std::int32_t> wave_of_each(const std::vector<std::vector<std::int64_t>>& waves,
                                       std::size_t models);
std::vector<std::vector<std::int64_t>> waves_of(std::span<const std::int32_t> wave_of_model);

}  // namespace shoal
