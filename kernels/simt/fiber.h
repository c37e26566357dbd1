// Private to the emulator: the switch between two stacks of one OS thread. About 10 ns with the hand-written
// x86-64 switch; elsewhere, or with SIMT_UCONTEXT, swapcontext() (about 250 ns: it saves the signal mask, a
// system call).
#pragma once

#include <cstddef>

#if !defined(__x86_64__) || defined(__ILP32__) || !defined(__ELF__)
#if !defined(SIMT_UCONTEXT)
#define SIMT_UCONTEXT
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SIMT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIMT_ASAN 1
#endif
#endif
#if !defined(SIMT_ASAN)
#define SIMT_ASAN 0
#endif

#if SIMT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace simt::detail {

struct Context {
  void* saved = nullptr;  // the stack pointer, or the ucontext_t
#if SIMT_ASAN
  void* fake_stack = nullptr;
  const void* bottom = nullptr;
  size_t bytes = 0;
#endif
};

// Makes `entry` run on this stack at the next switch to the context. `skew` bytes at the top stay unused.
void prepare(Context& c, char* stack, size_t bytes, size_t skew, void (*entry)());
// First call on a new stack. Returns the bounds of the stack that switched here (ASan builds only).
void entered(const void** from_bottom, size_t* from_bytes);

#if defined(SIMT_UCONTEXT)
void raw_switch(Context& from, Context& to);
#else
extern "C" void simt_switch_stack(void** save, void* to);
inline void raw_switch(Context& from, Context& to) { simt_switch_stack(&from.saved, to.saved); }
#endif

// `dying`: nobody will switch back to `from`.
__attribute__((always_inline)) inline void switch_context(Context& from, Context& to,
                                                          [[maybe_unused]] bool dying) {
#if SIMT_ASAN
  __sanitizer_start_switch_fiber(dying ? nullptr : &from.fake_stack, to.bottom, to.bytes);
  raw_switch(from, to);
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#else
  raw_switch(from, to);
#endif
}

// Stacks with a guard page below. They are kept for the life of the process and used again by every launch.
size_t stack_bytes();
char* take_stack();
void give_stack(char* stack);
void give_all_stacks();                 // every fiber is gone, also those that were abandoned
bool on_any_stack(const void* p);       // for reports: does the address lie on some fiber's stack?
size_t stack_index(const char* stack);  // 0, 1, ... in order of creation

}  // namespace simt::detail
