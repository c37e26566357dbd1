// The line of progress of a run.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/run.h"

namespace shoal {

/// "96 models  epoch 3/5  41 %  1.69 M model-samples/s  0:12 elapsed  0:17 left  0 diverged". The time left
/// is counted from this process's own share of the work: `already_done` is what a resumed run began with.
std::string progress_text(const Progress&, double already_done = 0.0);

/// The same as fields of an event.
nlohmann::ordered_json progress_fields(const Progress&, double already_done = 0.0);

}  // namespace shoal
