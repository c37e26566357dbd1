// Launching an emulated kernel, and dynamic shared memory.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "kernels/simt/stream.h"
#include "kernels/simt/vector_types.h"

namespace simt {

using Status = int;
constexpr Status kSuccess = 0;

namespace detail {
// Runs every block of the grid, one after another; `invoke(call)` runs the kernel's body for the current
// thread.
void run_grid(dim3 grid, dim3 block, size_t dynamic_bytes, void (*invoke)(void*), void* call,
              size_t call_bytes);
void* dynamic_smem_base();
}  // namespace detail

// Runs the kernel to its end. Returns kSuccess or throws simt::Error (host.h) with the reports of the launch.
template <class... P, class... A>
Status launch(dim3 grid, dim3 block, size_t dynamic_bytes, Stream, void (*kernel)(P...), A&&... args) {
  static_assert((std::is_trivially_copyable_v<P> && ...), "kernel parameters are copied byte by byte");
  struct Call {
    void (*kernel)(P...);
    std::tuple<P...> args;
  } call{kernel, std::tuple<P...>(static_cast<P>(std::forward<A>(args))...)};
  detail::run_grid(
      grid, block, dynamic_bytes,
      [](void* p) {
        const Call& c = *static_cast<Call*>(p);
        std::apply(c.kernel, c.args);
      },
      &call, sizeof call);
  return kSuccess;
}

template <class T>
inline T* dynamic_smem() {
  return static_cast<T*>(detail::dynamic_smem_base());
}

}  // namespace simt
