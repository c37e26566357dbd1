// The files that a finished run leaves in its directory, and the table that ends it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/run.h"
#include "tools/run_directory.h"

namespace shoal {

/// curves.npz: float64 [epochs][models] of train_loss, train_accuracy, test_loss, test_accuracy; NaN where
/// nothing was measured. With gates the sizes, too (sizes.h).
void write_curves(const RunDirectory&, const RunSpec&, const RunResult&);

/// population.csv: a row per model; empty cells where a thing does not exist or was not measured. With gates
/// their settings, the sizes and effective parameters, too.
void write_population(const RunDirectory&, const RunSpec&, const RunResult&, TaskShape);

/// neurons.npz: columns model, layer, neuron, count, mean, sd, min, max, zeros (a share) of all hidden
/// neurons, and gate of gated runs; and neurons.csv when they are fewer than 200,000. Nothing without
/// moments.
void write_neurons(const RunDirectory&, const RunSpec&, const RunResult&);

/// One line of metrics.jsonl and one event "epoch": five numbers of every metric over the wave's models.
nlohmann::ordered_json epoch_fields(const EpochReport&);

/// The event "model".
nlohmann::ordered_json model_fields(const RunSpec&, const RunResult&, std::size_t model);

/// The event "result": five numbers of the final metrics over the models that did not diverge.
nlohmann::ordered_json result_fields(const RunSpec&, const RunResult&);

/// A row per model for 40 models or fewer, otherwise medians and extremes by width.
std::string result_table(const RunSpec&, const RunResult&, bool colour);

}  // namespace shoal
