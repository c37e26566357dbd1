// The machine `cuda` in a build without nvcc: it says so.
#include "kernels/machine.h"

namespace shoal {

CudaStatus cuda_status() { return {0, "this build has no CUDA: it was made without nvcc", {}, ""}; }

DeviceMachine cuda_machine(int, Gemm) { throw DeviceError("no CUDA device: " + cuda_status().reason); }

}  // namespace shoal
