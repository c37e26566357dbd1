// Eigen and Orthonormalize (kernels/eigen.h, orthonormalize.h) by cuSOLVER: neighbours of one size as a
// batch, the others one by one. The library is looked for when it is asked for, and never linked (see
// cublas.h).
#include "kernels/eigen.h"

#include <cuda_runtime_api.h>
#include <cusolverDn.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/cuda/launchers.h"
#include "kernels/machine.h"

namespace shoal::gpu {
namespace {

/// The functions we use, found by name.
struct Library {
  decltype(&cusolverDnCreate) create;
  decltype(&cusolverDnSetStream) set_stream;
  decltype(&cusolverDnCreateParams) create_params;
  decltype(&cusolverDnDsyevd_bufferSize) syevd_room;
  decltype(&cusolverDnDsyevd) syevd;
  decltype(&cusolverDnXsyevBatched_bufferSize) batched_room;
  decltype(&cusolverDnXsyevBatched) batched;
  decltype(&cusolverDnDgeqrf_bufferSize) geqrf_room;
  decltype(&cusolverDnDgeqrf) geqrf;
  decltype(&cusolverDnDorgqr_bufferSize) orgqr_room;
  decltype(&cusolverDnDorgqr) orgqr;
};

void* open_library() {
  const std::string name = fmt::format("libcusolver.so.{}", CUSOLVER_VER_MAJOR);
  for (const std::string& path : {name, std::string(SHOAL_CUDA_LIBRARIES "/") + name})
    if (void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
  throw DeviceError(
      fmt::format("eigenvalues on the GPU are computed by cuSOLVER, and {} was found neither on the loader's "
                  "path nor in {}: install it (NVIDIA's package: libcusolver), or use --device cpu",
                  name, SHOAL_CUDA_LIBRARIES));
}

template <class F>
void find(F& function, void* library, const char* name) {
  function = reinterpret_cast<F>(dlsym(library, name));
  if (!function)
    throw DeviceError(
        fmt::format("the cuSOLVER found here has no {}: it is too old, use --device cpu", name));
}

Library load() {
  void* opened = open_library();
  Library l{};
  find(l.create, opened, "cusolverDnCreate");
  find(l.set_stream, opened, "cusolverDnSetStream");
  find(l.create_params, opened, "cusolverDnCreateParams");
  find(l.syevd_room, opened, "cusolverDnDsyevd_bufferSize");
  find(l.syevd, opened, "cusolverDnDsyevd");
  find(l.batched_room, opened, "cusolverDnXsyevBatched_bufferSize");
  find(l.batched, opened, "cusolverDnXsyevBatched");
  find(l.geqrf_room, opened, "cusolverDnDgeqrf_bufferSize");
  find(l.geqrf, opened, "cusolverDnDgeqrf");
  find(l.orgqr_room, opened, "cusolverDnDorgqr_bufferSize");
  find(l.orgqr, opened, "cusolverDnDorgqr");
  return l;
}

/// Loaded once for the process, by whoever asks first.
const Library& library() {
  static const Library loaded = load();
  return loaded;
}

void check_solver(cusolverStatus_t status, const char* what) {
  if (status != CUSOLVER_STATUS_SUCCESS)
    throw DeviceError(fmt::format("{}: cuSOLVER error {}", what, static_cast<int>(status)));
}

struct Handle {
  cusolverDnHandle_t solver = nullptr;
  cusolverDnParams_t parameters = nullptr;
};

/// The current device's handle, kept for the process: opening one takes long.
Handle handle() {
  static std::mutex mutex;
  static std::map<int, Handle> handles;
  const std::lock_guard lock(mutex);
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  if (const auto found = handles.find(device); found != handles.end()) return found->second;
  Handle opened;
  check_solver(library().create(&opened.solver), "cusolverDnCreate");
  check_solver(library().create_params(&opened.parameters), "cusolverDnCreateParams");
  return handles[device] = opened;
}

/// Device memory for the length of a call.
class Room {
 public:
  explicit Room(std::size_t bytes) { check(cudaMalloc(&data_, bytes ? bytes : 1), "eigen (workspace)"); }
  ~Room() { cudaFree(data_); }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
};

cusolverEigMode_t mode_of(const Eigen& op) {
  return op.vectors ? CUSOLVER_EIG_MODE_VECTOR : CUSOLVER_EIG_MODE_NOVECTOR;
}
constexpr auto kLower = CUBLAS_FILL_MODE_LOWER;

void solve_one(const Handle& h, cusolverEigMode_t mode, const EigenTask& t, int* info) {
  int room = 0;
  check_solver(library().syevd_room(h.solver, mode, kLower, t.size, t.matrix, t.size, t.values, &room),
               "cusolverDnDsyevd_bufferSize");
  const Room work(static_cast<std::size_t>(room) * sizeof(double));
  check_solver(library().syevd(h.solver, mode, kLower, t.size, t.matrix, t.size, t.values, work.as<double>(),
                               room, info),
               "cusolverDnDsyevd");
}

void solve_batch(const Handle& h, cusolverEigMode_t mode, const EigenTask& first, int count, int* info) {
  std::size_t on_device = 0, on_host = 0;
  check_solver(
      library().batched_room(h.solver, h.parameters, mode, kLower, first.size, CUDA_R_64F, first.matrix,
                             first.size, CUDA_R_64F, first.values, CUDA_R_64F, &on_device, &on_host, count),
      "cusolverDnXsyevBatched_bufferSize");
  const Room work(on_device);
  std::vector<char> host_work(on_host);
  check_solver(library().batched(h.solver, h.parameters, mode, kLower, first.size, CUDA_R_64F, first.matrix,
                                 first.size, CUDA_R_64F, first.values, CUDA_R_64F, work.as<void>(), on_device,
                                 host_work.data(), on_host, info, count),
               "cusolverDnXsyevBatched");
}

/// Tasks from `first` on that stand in memory one behind the other, as a batch wants them.
int run_length(const Eigen& op, int first) {
  const EigenTask& t = op.tasks[first];
  const std::int64_t step = static_cast<std::int64_t>(t.size) * t.size;
  int count = 1;
  while (first + count < op.task_count && op.tasks[first + count].size == t.size &&
         op.tasks[first + count].matrix == t.matrix + count * step &&
         op.tasks[first + count].values == t.values + static_cast<std::int64_t>(count) * t.size)
    ++count;
  return count;
}

}  // namespace

void eigen(const Eigen& op, void* stream) {
  if (op.task_count == 0) return;
  const Handle h = handle();
  const auto s = static_cast<cudaStream_t>(stream);
  check_solver(library().set_stream(h.solver, s), "cusolverDnSetStream");
  const Room info(static_cast<std::size_t>(op.task_count) * sizeof(int));
  for (int i = 0; i < op.task_count;) {
    const int count = run_length(op, i);
    if (count == 1) solve_one(h, mode_of(op), op.tasks[i], info.as<int>() + i);
    else solve_batch(h, mode_of(op), op.tasks[i], count, info.as<int>() + i);
    i += count;
  }
  std::vector<int> said(static_cast<std::size_t>(op.task_count));
  check(cudaMemcpyAsync(said.data(), info.as<int>(), said.size() * sizeof(int), cudaMemcpyDeviceToHost, s),
        "eigen");
  check(cudaStreamSynchronize(s), "eigen");
  for (int i = 0; i < op.task_count; ++i)
    if (said[static_cast<std::size_t>(i)] != 0)
      throw DeviceError(fmt::format("cuSOLVER found no eigenvalues of a {0} x {0} matrix (info = {1})",
                                    op.tasks[i].size, said[static_cast<std::size_t>(i)]));
}

void orthonormalize(const Orthonormalize& op, void* stream) {
  if (op.count == 0) return;
  const Handle h = handle();
  const auto s = static_cast<cudaStream_t>(stream);
  check_solver(library().set_stream(h.solver, s), "cusolverDnSetStream");
  const Room tau(static_cast<std::size_t>(op.count) * sizeof(double)), info(sizeof(int));
  int first = 0, second = 0;
  check_solver(library().geqrf_room(h.solver, op.length, op.count, op.rows, op.length, &first),
               "cusolverDnDgeqrf_bufferSize");
  check_solver(library().orgqr_room(h.solver, op.length, op.count, op.count, op.rows, op.length,
                                    tau.as<double>(), &second),
               "cusolverDnDorgqr_bufferSize");
  const int room = std::max(first, second);
  const Room work(static_cast<std::size_t>(room) * sizeof(double));
  check_solver(library().geqrf(h.solver, op.length, op.count, op.rows, op.length, tau.as<double>(),
                               work.as<double>(), room, info.as<int>()),
               "cusolverDnDgeqrf");
  check_solver(library().orgqr(h.solver, op.length, op.count, op.count, op.rows, op.length, tau.as<double>(),
                               work.as<double>(), room, info.as<int>()),
               "cusolverDnDorgqr");
  check(cudaStreamSynchronize(s), "orthonormalize");
}

}  // namespace shoal::gpu
