// What kernel code compiled with -fsanitize=thread calls at every load and store. libtsan is not linked:
// these are all it has. (The Linux kernel's KCSAN uses the same compiler pass in the same way.)
#include <cstddef>
#include <cstdint>

#include "kernels/simt/checker.h"
#include "kernels/simt/checker_report.h"

using simt::detail::Access;
using simt::detail::check_access;

namespace {

// The compiler says "aligned" where the language promises it; a device faults when the promise is broken.
inline void aligned_access(const void* p, size_t bytes, Access kind, const void* pc) {
  if (reinterpret_cast<uintptr_t>(p) & (bytes - 1)) simt::detail::check_misaligned(p, bytes, kind, pc);
  check_access(p, bytes, kind, pc);
}

}  // namespace

#define SIMT_PC __builtin_return_address(0)
#define SIMT_HOOKS(n)                                                                            \
  void __tsan_read##n(void* p) { aligned_access(p, n, Access::read, SIMT_PC); }                  \
  void __tsan_write##n(void* p) { aligned_access(p, n, Access::write, SIMT_PC); }                \
  void __tsan_volatile_read##n(void* p) { aligned_access(p, n, Access::read, SIMT_PC); }         \
  void __tsan_volatile_write##n(void* p) { aligned_access(p, n, Access::write, SIMT_PC); }       \
  void __tsan_unaligned_read##n(void* p) { check_access(p, n, Access::read, SIMT_PC); }          \
  void __tsan_unaligned_write##n(void* p) { check_access(p, n, Access::write, SIMT_PC); }        \
  void __tsan_unaligned_volatile_read##n(void* p) { check_access(p, n, Access::read, SIMT_PC); } \
  void __tsan_unaligned_volatile_write##n(void* p) { check_access(p, n, Access::write, SIMT_PC); }

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
SIMT_HOOKS(1)
SIMT_HOOKS(2)
SIMT_HOOKS(4)
SIMT_HOOKS(8)
SIMT_HOOKS(16)
void __tsan_read_range(void* p, size_t n) { check_access(p, n, Access::read, SIMT_PC); }
void __tsan_write_range(void* p, size_t n) { check_access(p, n, Access::write, SIMT_PC); }
}
