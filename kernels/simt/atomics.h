// Atomics of emulated kernels. One thread runs at a time, so a plain read-modify-write is atomic; the checker
// is told that it is one.
#pragma once

#include <cstddef>

namespace simt::detail {

void atomic_access(void* p, size_t bytes, void* pc);

// Not instrumented (it reports itself), not inlined (so that the return address is the caller's line).
template <class T, class Update>
__attribute__((noinline, no_sanitize("thread"))) T atomic_update(T* p, Update update) {
  atomic_access(p, sizeof(T), __builtin_return_address(0));
  const T old = *p;
  *p = update(old);
  return old;
}

}  // namespace simt::detail

#define SIMT_ATOMIC(name, type, expression)                                              \
  __forceinline__ type name(type* p, type v) {                                           \
    return simt::detail::atomic_update(p, [v](type old) -> type { return expression; }); \
  }
#define SIMT_ATOMIC_NUMBERS(type)       \
  SIMT_ATOMIC(atomicAdd, type, old + v) \
  SIMT_ATOMIC(atomicExch, type, ((void)old, v))
#define SIMT_ATOMIC_INTEGERS(type)                                                                           \
  SIMT_ATOMIC_NUMBERS(type)                                                                                  \
  SIMT_ATOMIC(atomicMax, type, old > v ? old : v)                                                            \
  SIMT_ATOMIC(atomicMin, type, old < v ? old : v)                                                            \
  SIMT_ATOMIC(atomicAnd, type, old& v)                                                                       \
  SIMT_ATOMIC(atomicOr, type, old | v)                                                                       \
  SIMT_ATOMIC(atomicXor, type, old ^ v)                                                                      \
  __forceinline__ type atomicCAS(type* p, type compare, type v) {                                            \
    return simt::detail::atomic_update(p,                                                                    \
                                       [compare, v](type old) -> type { return old == compare ? v : old; }); \
  }
SIMT_ATOMIC_NUMBERS(float)
SIMT_ATOMIC_NUMBERS(double)
SIMT_ATOMIC_INTEGERS(int)
SIMT_ATOMIC_INTEGERS(unsigned)
SIMT_ATOMIC_INTEGERS(unsigned long long)
SIMT_ATOMIC(atomicSub, int, old - v)
SIMT_ATOMIC(atomicSub, unsigned, old - v)
SIMT_ATOMIC(atomicInc, unsigned, old >= v ? 0 : old + 1)
SIMT_ATOMIC(atomicDec, unsigned, old == 0 || old > v ? v : old - 1)
#undef SIMT_ATOMIC_INTEGERS
#undef SIMT_ATOMIC_NUMBERS
#undef SIMT_ATOMIC
