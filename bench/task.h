// The data of the benchmarks of training: MNIST where SHOAL_DATA (or another known folder) has it, else the
// built-in digits. The arithmetic is the same, the rows say which.
#pragma once

#include "datasets/dataset.h"
#include "engine/run.h"

namespace shoal {

Dataset bench_data();
/// Views of the data, inputs with mean 0 and standard deviation 1 over all pixels.
Task bench_task(const Dataset&);

}  // namespace shoal
