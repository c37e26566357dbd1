// The machine `emu`: the kernels of this folder under kernels/simt. Device memory is host memory that the
// checker watches.
#include <unistd.h>

#include <cstring>

#include "kernels/cuda/launchers.h"
#include "kernels/cuda/tile_shape.h"
#include "kernels/machine.h"
#include "kernels/simt/host.h"

namespace shoal {
namespace {

void upload(void* device, const void* host, std::size_t bytes, void*) {
  if (bytes == 0) return;
  std::memcpy(device, host, bytes);
  simt::mark_initialised(device, bytes);
}

void download(void* host, const void* device, std::size_t bytes, void*) {
  if (bytes != 0) std::memcpy(host, device, bytes);
}

void clear(void* device, std::size_t bytes, void*) {
  if (bytes == 0) return;
  std::memset(device, 0, bytes);
  simt::mark_initialised(device, bytes);
}

std::size_t available() {
  return static_cast<std::size_t>(sysconf(_SC_AVPHYS_PAGES)) *
         static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

#define SHOAL_OP(function, Op) emu::function,
constexpr Ops kOps = check_complete(CompleteOps{SHOAL_OPS(SHOAL_OP)});
constexpr StatisticsOps kStatistics = check_complete(CompleteStatisticsOps{SHOAL_STATISTICS(SHOAL_OP)});
#undef SHOAL_OP
constexpr Memory kMemory{simt::device_alloc,
                         simt::device_free,
                         upload,
                         download,
                         clear,
                         available,
                         []() -> void* { return nullptr; },
                         [](void*) {},
                         [](void*) {}};

}  // namespace

// A launch of the emulation ends well or throws simt::Error.
void emu::check(int, const char*) {}

DeviceMachine emu_machine() {
  const char* description = simt::checked() ? "CUDA kernels emulated on the CPU, every access checked"
                                            : "CUDA kernels emulated on the CPU";
  return {"emu",
          description,
          kOps,
          kStatistics,
          kMemory,
          Recording{},
          {kTileRows, kTileRows, kTileRows},
          emu::shuffle_scratch,
          emu::sort_scratch};
}

}  // namespace shoal
