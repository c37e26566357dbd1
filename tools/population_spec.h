// From settings to what the engine and the data sets take: the product of all lists, the machine, the task.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/dataset.h"
#include "engine/run.h"
#include "engine/spec.h"
#include "tools/settings.h"

namespace shoal {

/// All combinations of the lists: hidden slowest, seeds fastest. Hyperparameters that an optimizer does not
/// have are at their defaults, and a model that several combinations describe is there once.
struct Product {
  std::vector<ModelSpec> models;
  std::int64_t combinations = 0;
};
/// UsageError or SpecError for the first model that cannot be.
Product models_of(const Settings&);

/// Seeds of a run: a count from `seed` on, or a list.
std::vector<std::uint64_t> seeds_of(const Settings&);

/// "auto" is decided here: a GPU if there is one. DeviceError for cuda without a GPU, with the reason.
MachineSpec machine_of(const Settings&);
/// The same of the text that --device takes; everything but kind and device is at its default.
MachineSpec machine_named(std::string_view device);
/// As --device takes it: "cpu", "cuda", "cuda:1", "emu".
std::string device_name(const MachineSpec&);

/// Everything but what depends on the data.
RunSpec run_spec_of(const Settings&);

DatasetSpec dataset_spec_of(const Settings&);

/// Inputs enter as x * scale + shift: `how` is "dataset", "none", "mnist" (0.1307,0.3081) or "MEAN,SD" on the
/// scale where bytes are 0..1. UsageError; DataError when "dataset" finds all values equal.
struct Normalization {
  float scale = 1.0f, shift = 0.0f;
};
Normalization normalization_of(std::string_view how, const Split& train);

/// The data as the engine reads them; `data` stays alive.
Task task_of(const Dataset& data, Normalization);

/// What a batch and the data must agree on. SpecError.
void check_against_data(const RunSpec&, const Dataset&);

/// The optimizer as the command line names it: adam with decoupled decay is adamw.
std::string_view optimizer_name(const OptimizerSpec&);
bool has_momentum(UpdateRule);
bool has_betas(UpdateRule);

}  // namespace shoal
