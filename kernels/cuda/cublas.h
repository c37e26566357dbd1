// cuBLAS as the matrix product of layer 0: a yardstick for our own kernel. The library is looked for when it
// is asked for, and never linked: it would cost every start of the program 70 ms and 220 MB.
#pragma once

#include "kernels/ops.h"

namespace shoal::gpu {

/// Loads the library and opens it for the current device; DeviceError when that fails.
void open_cublas();

/// Forward with cuBLAS for the slabs that read the data and our own kernel for the others. Reads the tables
/// of slabs, tiles and batches back from the device in every call, because the library wants extents from the
/// host: so it cannot be part of a recording.
void forward_with_cublas(const Forward&, void* stream);

}  // namespace shoal::gpu
