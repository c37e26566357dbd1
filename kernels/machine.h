// A machine: memory, a stream of work, and one function per op (their lists: kernels/ops.h and
// kernels/statistics.h). Three machines exist:
//
//   cpu    the vector code of kernels/cpu, compiled for several instruction-set levels and chosen at run time
//   cuda   the kernels of kernels/cuda on an NVIDIA GPU; without nvcc or without a GPU it says so
//   emu    the same kernels, run by kernels/simt on the CPU: slow, and checked
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/ops.h"
#include "kernels/statistics.h"

namespace shoal {

/// No usable device, out of device memory, or a device that failed. The program's exit code 5.
struct DeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A device's memory and stream. Errors are DeviceError with the failing call and size in words.
struct Memory {
  void* (*allocate)(std::size_t bytes);  // contents undefined (the emulation fills them with NaN)
  void (*release)(void*);
  void (*upload)(void* device, const void* host, std::size_t bytes,
                 void* stream);  // returns when the host memory may change
  void (*download)(void* host, const void* device, std::size_t bytes,
                   void* stream);                                // returns when the data are there
  void (*clear)(void* device, std::size_t bytes, void* stream);  // to zero bytes
  std::size_t (*available)();                                    // bytes free now
  void* (*open_stream)();
  void (*close_stream)(void*);
  void (*synchronize)(void* stream);
};

/// A recorded sequence of ops that is launched as one (a CUDA graph). The emulation records nothing: `record`
/// is null there, and the driver calls the ops again.
struct Recording {
  void (*begin)(void* stream);
  void* (*end)(void* stream);
  void (*launch)(void* recording, void* stream);
  void (*discard)(void* recording);
};

/// How a device cuts the slabs: rows of a tile, per op.
struct TileShape {
  int forward_rows;   // samples
  int backward_rows;  // samples
  int update_rows;    // inputs
};

struct DeviceMachine {
  std::string name;         // "cuda" or "emu"
  std::string description;  // e.g. the GPU's name, memory and driver
  Ops ops;
  StatisticsOps statistics;
  Memory memory;
  Recording record;
  TileShape tiles;
  std::size_t (*shuffle_scratch)(int groups, std::int64_t samples);  // bytes for Shuffle::scratch
  /// Bytes for SortSamples::scratch; value_bytes: 4 or 8.
  std::size_t (*sort_scratch)(std::int64_t values, std::int64_t samples, int value_bytes);
};

/// Layer 0 of the CUDA machine: our own kernel, or cuBLAS as a yardstick.
enum class Gemm { own, cublas };

/// How many CUDA devices there are, and why not where there are none ("this build has no CUDA", "no driver").
struct CudaStatus {
  int devices = 0;
  std::string reason;              // empty when devices > 0
  std::vector<std::string> names;  // "NVIDIA H200, 139.8 GiB, sm_90, driver 13.0"
  std::string runtime;             // toolkit version of the build; empty without CUDA
};
CudaStatus cuda_status();

/// Which machine is to work, and with how much of it.
struct MachineSpec {
  enum class Kind { cpu, cuda, emu } kind = Kind::cpu;
  int device = 0;                // CUDA device
  Gemm gemm = Gemm::own;         // CUDA only
  int threads = 0;               // CPU only; 0: as many as this process may use (affinity and cgroup)
  std::size_t memory_limit = 0;  // bytes of data on the machine; 0: what is there (80 % of it)
};

/// DeviceError when the device is not there.
DeviceMachine cuda_machine(int device, Gemm gemm);
DeviceMachine emu_machine();

/// Instruction-set levels of the CPU machine.
enum class CpuLevel { plain, v2, v3, v4 };
const char* name_of(CpuLevel);
/// The best level that this processor and this build have; SHOAL_CPU_LEVEL=v2|v3|v4 lowers it (never raises
/// it).
CpuLevel best_cpu_level();
bool cpu_level_available(CpuLevel);
const Ops& cpu_ops(CpuLevel);
const StatisticsOps& cpu_statistics(CpuLevel);

}  // namespace shoal
