// The machine `cuda`: memory, streams and graphs of the CUDA runtime. Only calls of the runtime in here, no
// device code.
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "kernels/cuda/cublas.h"
#include "kernels/cuda/launchers.h"
#include "kernels/cuda/tile_shape.h"
#include "kernels/machine.h"

namespace shoal {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

[[noreturn]] void fail(const std::string& what, cudaError_t error) {
  cudaGetLastError();  // the runtime would report it again for the next, innocent call
  throw DeviceError(fmt::format("{}: {} ({})", what, cudaGetErrorString(error), cudaGetErrorName(error)));
}

cudaStream_t stream_of(void* stream) { return static_cast<cudaStream_t>(stream); }

std::size_t available() {
  std::size_t free = 0, total = 0;
  if (const cudaError_t e = cudaMemGetInfo(&free, &total)) fail("cudaMemGetInfo", e);
  return free;
}

void* allocate(std::size_t bytes) {
  void* p = nullptr;
  if (const cudaError_t e = cudaMalloc(&p, bytes ? bytes : 1)) {
    cudaGetLastError();
    std::size_t free = 0, total = 0;
    if (cudaMemGetInfo(&free, &total) != cudaSuccess) fail(fmt::format("cudaMalloc of {} bytes", bytes), e);
    fail(fmt::format("cudaMalloc of {} bytes ({:.2f} GiB) with {:.2f} of {:.2f} GiB free", bytes,
                     static_cast<double>(bytes) / kGiB, static_cast<double>(free) / kGiB,
                     static_cast<double>(total) / kGiB),
         e);
  }
  return p;
}

void release(void* p) {
  if (const cudaError_t e = cudaFree(p)) fail("cudaFree", e);
}

void synchronize(void* stream) {
  if (const cudaError_t e = cudaStreamSynchronize(stream_of(stream))) fail("waiting for the device", e);
}

void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, void* stream) {
  if (bytes == 0) return;
  const char* what = kind == cudaMemcpyHostToDevice ? "upload" : "download";
  if (const cudaError_t e = cudaMemcpyAsync(to, from, bytes, kind, stream_of(stream)))
    fail(fmt::format("{} of {} bytes", what, bytes), e);
  // Whether an asynchronous copy has read the host's memory when it returns depends on the kind of memory;
  // after this it has.
  if (const cudaError_t e = cudaStreamSynchronize(stream_of(stream)))
    fail(fmt::format("{} of {} bytes", what, bytes), e);
}

void upload(void* device, const void* host, std::size_t bytes, void* stream) {
  copy(device, host, bytes, cudaMemcpyHostToDevice, stream);
}

void download(void* host, const void* device, std::size_t bytes, void* stream) {
  copy(host, device, bytes, cudaMemcpyDeviceToHost, stream);
}

void clear(void* device, std::size_t bytes, void* stream) {
  if (bytes == 0) return;
  if (const cudaError_t e = cudaMemsetAsync(device, 0, bytes, stream_of(stream)))
    fail(fmt::format("clearing {} bytes", bytes), e);
}

void* open_stream() {
  cudaStream_t stream = nullptr;
  if (const cudaError_t e = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking))
    fail("cudaStreamCreate", e);
  return stream;
}

void close_stream(void* stream) {
  if (const cudaError_t e = cudaStreamDestroy(stream_of(stream))) fail("cudaStreamDestroy", e);
}

void begin_recording(void* stream) {
  if (const cudaError_t e = cudaStreamBeginCapture(stream_of(stream), cudaStreamCaptureModeThreadLocal))
    fail("cudaStreamBeginCapture", e);
}

void* end_recording(void* stream) {
  cudaGraph_t graph = nullptr;
  if (const cudaError_t e = cudaStreamEndCapture(stream_of(stream), &graph)) fail("cudaStreamEndCapture", e);
  cudaGraphExec_t recording = nullptr;
  const cudaError_t e = cudaGraphInstantiate(&recording, graph, 0);
  cudaGraphDestroy(graph);
  if (e) fail("cudaGraphInstantiate", e);
  return recording;
}

void launch_recording(void* recording, void* stream) {
  if (const cudaError_t e = cudaGraphLaunch(static_cast<cudaGraphExec_t>(recording), stream_of(stream)))
    fail("cudaGraphLaunch", e);
}

void discard_recording(void* recording) {
  if (const cudaError_t e = cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(recording)))
    fail("cudaGraphExecDestroy", e);
}

#define SHOAL_OP(function, Op) gpu::function,
constexpr Ops kOps = check_complete(CompleteOps{SHOAL_OPS(SHOAL_OP)});
constexpr StatisticsOps kStatistics = check_complete(CompleteStatisticsOps{SHOAL_STATISTICS(SHOAL_OP)});
#undef SHOAL_OP
constexpr Memory kMemory{allocate,  release,     upload,       download,   clear,
                         available, open_stream, close_stream, synchronize};
constexpr Recording kRecording{begin_recording, end_recording, launch_recording, discard_recording};

std::string version_name(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

/// Why there is no device. The driver is found at run time; without one the runtime answers "insufficient
/// driver".
std::string reason_for(cudaError_t error) {
  if (error == cudaErrorInsufficientDriver) {
    int driver = 0;
    cudaDriverGetVersion(&driver);
    if (driver == 0) return "no NVIDIA driver on this machine";
    return fmt::format("the NVIDIA driver is too old: it speaks CUDA {}, this build needs {}",
                       version_name(driver), version_name(CUDART_VERSION));
  }
  if (error == cudaErrorNoDevice) return "the NVIDIA driver finds no device";
  return fmt::format("{} ({})", cudaGetErrorString(error), cudaGetErrorName(error));
}

std::string describe(int device) {
  cudaDeviceProp p{};
  if (const cudaError_t e = cudaGetDeviceProperties(&p, device))
    fail(fmt::format("asking device {}", device), e);
  int driver = 0;
  cudaDriverGetVersion(&driver);
  return fmt::format("{}, {:.1f} GiB, sm_{}{}, driver {}", p.name,
                     static_cast<double>(p.totalGlobalMem) / kGiB, p.major, p.minor, version_name(driver));
}

}  // namespace

void gpu::check(int status, const char* op) {
  if (status != cudaSuccess) fail(op, static_cast<cudaError_t>(status));
}

CudaStatus cuda_status() {
  CudaStatus status;
  status.runtime = version_name(CUDART_VERSION);
  int count = 0;
  if (const cudaError_t e = cudaGetDeviceCount(&count)) {
    cudaGetLastError();
    status.reason = reason_for(e);
    return status;
  }
  for (int device = 0; device < count; ++device) status.names.push_back(describe(device));
  status.devices = count;
  if (count == 0) status.reason = reason_for(cudaErrorNoDevice);
  return status;
}

/// The device becomes the calling thread's current one: the machine is to be used from this thread.
DeviceMachine cuda_machine(int device, Gemm gemm) {
  const CudaStatus status = cuda_status();
  if (status.devices == 0) throw DeviceError("no CUDA device: " + status.reason);
  if (device < 0 || device >= status.devices)
    throw DeviceError(
        fmt::format("there is no CUDA device {}: this machine has 0 to {}", device, status.devices - 1));
  gpu::check(cudaSetDevice(device), "cudaSetDevice");
  DeviceMachine machine{"cuda",
                        status.names[static_cast<std::size_t>(device)],
                        kOps,
                        kStatistics,
                        kMemory,
                        kRecording,
                        {kTileRows, kTileRows, kTileRows},
                        gpu::shuffle_scratch,
                        gpu::sort_scratch};
  if (gemm == Gemm::cublas) {
    gpu::open_cublas();
    machine.description += ", layer 0 by cuBLAS";
    machine.ops.forward = gpu::forward_with_cublas;
    machine.record = {};
  }
  return machine;
}

}  // namespace shoal
