#include "kernels/cuda/cublas.h"

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "kernels/cuda/launchers.h"
#include "kernels/machine.h"

namespace shoal::gpu {
namespace {

/// The functions we use, found by name.
struct Library {
  decltype(&cublasCreate_v2) create;
  decltype(&cublasSetStream_v2) set_stream;
  decltype(&cublasSgemmStridedBatched) gemm;
  decltype(&cublasGetStatusString) describe;
};

void* open_library() {
  const std::string name = fmt::format("libcublas.so.{}", CUBLAS_VER_MAJOR);
  for (const std::string& path : {name, std::string(SHOAL_CUDA_LIBRARIES "/") + name})
    if (void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
  throw DeviceError(
      fmt::format("cuBLAS was asked for, but {} was found neither on the loader's path nor in {}", name,
                  SHOAL_CUDA_LIBRARIES));
}

template <class F>
void find(F& function, void* library, const char* name) {
  function = reinterpret_cast<F>(dlsym(library, name));
  if (!function)
    throw DeviceError(fmt::format("cuBLAS was asked for, but the library found has no {}", name));
}

Library load() {
  void* opened = open_library();
  Library l{};
  find(l.create, opened, "cublasCreate_v2");
  find(l.set_stream, opened, "cublasSetStream_v2");
  find(l.gemm, opened, "cublasSgemmStridedBatched");
  find(l.describe, opened, "cublasGetStatusString");
  return l;
}

/// Loaded once for the process, by whoever asks first.
const Library& library() {
  static const Library loaded = load();
  return loaded;
}

void check_cublas(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw DeviceError(fmt::format("{}: {}", what, library().describe(status)));
}

/// The current device's handle, kept for the process: opening one takes long.
cublasHandle_t handle() {
  static std::mutex mutex;
  static std::map<int, cublasHandle_t> handles;
  const std::lock_guard lock(mutex);
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  if (const auto found = handles.find(device); found != handles.end()) return found->second;
  cublasHandle_t opened = nullptr;
  check_cublas(library().create(&opened), "cublasCreate");
  return handles[device] = opened;
}

template <class T>
std::vector<T> read_back(const T* device, int count, void* stream) {
  std::vector<T> host(static_cast<std::size_t>(count));
  const auto s = static_cast<cudaStream_t>(stream);
  check(cudaMemcpyAsync(host.data(), device, host.size() * sizeof(T), cudaMemcpyDeviceToHost, s),
        "forward (reading tables)");
  check(cudaStreamSynchronize(s), "forward (reading tables)");
  return host;
}

/// outputs = xW for `count` panels of one width, beginning with `panel`. cuBLAS counts columns first, so to
/// it all matrices here are transposed: outputs' [width][rows] = W' [width][fan_in] . x' [fan_in][rows].
void multiply(const Forward& op, const Slab& s, const Batch& batch, int panel, int count,
              cublasHandle_t cublas) {
  if (count == 0) return;
  const float one = 1.0f, zero = 0.0f;
  const Workspace& w = op.workspace;
  const int width = panel_width(s, panel);
  float* out = w.outputs + s.outputs + panel * panel_stride(s);
  check_cublas(library().gemm(cublas, CUBLAS_OP_N, CUBLAS_OP_N, width, batch.rows, s.fan_in, &one,
                              op.parameters + panel_weights(s, panel), width,
                              static_cast<long long>(kPanelWidth) * s.fan_in, w.inputs + batch.inputs,
                              w.input_stride, 0, &zero, out, row_stride(s), panel_stride(s), count),
               "forward (cublasSgemmStridedBatched)");
}

}  // namespace

void open_cublas() { handle(); }

void forward_with_cublas(const Forward& op, void* stream) {
  if (op.tile_count == 0) return;
  const cublasHandle_t cublas = handle();
  check_cublas(library().set_stream(cublas, static_cast<cudaStream_t>(stream)), "cublasSetStream");
  const std::vector<Slab> slabs = read_back(op.slabs, op.slab_count, stream);
  const std::vector<Tile> tiles = read_back(op.tiles, op.tile_count, stream);
  std::vector<char> wanted(slabs.size(), 0);
  int last_group = 0;
  for (const Tile& t : tiles) {
    wanted[static_cast<std::size_t>(t.slab)] = 1;
    last_group = std::max(last_group, slabs[static_cast<std::size_t>(t.slab)].group);
  }
  const std::vector<Batch> batches = read_back(op.workspace.batches, last_group + 1, stream);
  bool hidden = false;
  for (std::size_t i = 0; i < slabs.size(); ++i) {
    const Slab& s = slabs[i];
    if (!wanted[i]) continue;
    if (s.input >= 0) {
      hidden = true;
      continue;
    }
    const Batch& batch = batches[static_cast<std::size_t>(s.group)];
    if (batch.rows == 0) continue;
    const int full = s.columns / kPanelWidth;
    multiply(op, s, batch, 0, full, cublas);
    multiply(op, s, batch, full, panel_count(s) - full, cublas);
  }
  apply_bias(op, stream);
  if (hidden) forward_hidden(op, stream);
}

}  // namespace shoal::gpu
