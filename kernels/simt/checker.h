// Private to the emulator: the access checker as the scheduler sees it. Two sources implement this:
// checker.cpp, and checker_none.cpp for the builds without one.
#pragma once

#include <cstddef>

namespace simt::detail {

enum class Access { read, write, atomic };

// `pc` is the return address of the access, or null for the line of `current->at`.
void check_access(const void* p, size_t bytes, Access kind, const void* pc);
// The bytes are no longer defined (an asynchronous copy will arrive there).
void forget_values(void* p, size_t bytes);

void* shadow_new(size_t bytes);
void shadow_delete(void* shadow);
void shadow_written_by_host(void* shadow, size_t offset, size_t bytes);
void checker_begin_launch();
void checker_begin_block();

// The device buffer that holds p, or the nearest one below it; null if none. (memory.cpp)
struct Allocation {
  char* base;
  size_t bytes;
  char* raw;
  void* shadow;
};
const Allocation* allocation_at_or_below(const void* p);
constexpr size_t kGuardBytesOfBuffers = 4096;

}  // namespace simt::detail
