// WalshHadamard (kernels/walsh_hadamard.h): a block transforms one tile in shared memory.
#include "kernels/walsh_hadamard.h"

#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) walsh_hadamard_kernel(WalshHadamard op) {
  __shared__ double tile[1 << kWalshTileDevice];  // [row][neighbour]
  const int levels = op.last_bit - op.first_bit, size = 1 << (levels + op.strip);
  double* begin = op.values + walsh_tile_begin(op, op.first + blockIdx.x);
  const auto place = [&](int i) {
    return (static_cast<std::int64_t>(i >> op.strip) << op.first_bit) + (i & ((1 << op.strip) - 1));
  };
  for (int i = static_cast<int>(threadIdx.x); i < size; i += kThreads) tile[i] = begin[place(i)];
  for (int level = 0; level < levels; ++level) {
    __syncthreads();  // or a pair would be read before other threads have written it: loaded, or a level
                      // below
    const int half = 1 << (level + op.strip);
    for (int i = static_cast<int>(threadIdx.x); i < size / 2; i += kThreads) {
      const int at = ((i & ~(half - 1)) << 1) | (i & (half - 1));
      const double a = tile[at], b = tile[at + half];
      tile[at] = a + b, tile[at + half] = a - b;
    }
  }
  __syncthreads();  // or values would be stored before the last level has written them
  for (int i = static_cast<int>(threadIdx.x); i < size; i += kThreads) begin[place(i)] = tile[i];
}

}  // namespace

void walsh_hadamard(const WalshHadamard& op, void* stream) {
  if (op.last <= op.first) return;
  check(simt::launch(dim3(static_cast<unsigned>(op.last - op.first)), dim3(kThreads), 0, stream_of(stream),
                     walsh_hadamard_kernel, op),
        "walsh_hadamard");
}

}  // namespace shoal::KERNEL_NS
