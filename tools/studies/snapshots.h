// Weights of a population after some of its epochs, kept in the run's directory for what looks at them when
// training has ended.
//
//   extras.weight_epochs = snapshot_epochs;
//   extras.epoch_weights = keep_snapshot;
//   ... after: snapshot_of(p.directory, epoch)
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "engine/given_models.h"
#include "engine/run.h"
#include "tools/run_directory.h"

namespace shoal {

/// 1, 2, 3, 5, 7, 10, 15, 20, 30, ... and the last.
std::vector<int> snapshot_epochs(const RunSpec&);

/// Weights of a wave on the disk, so that a run which is resumed has those of earlier epochs, too.
void keep_snapshot(const RunDirectory&, const EpochWeights&);

/// All models of an epoch, by number.
std::map<std::int64_t, Layers> snapshot_of(const RunDirectory&, int epoch);

}  // namespace shoal
