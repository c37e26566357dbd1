#include "kernels/simt/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <vector>

#include "kernels/simt/host.h"

#if defined(SIMT_UCONTEXT)
#include <ucontext.h>
#endif

namespace simt {
#if defined(SIMT_UCONTEXT)
const char* switch_mechanism() { return "ucontext"; }
#else
const char* switch_mechanism() { return "x86-64"; }
#endif
}  // namespace simt

namespace simt::detail {

#if defined(SIMT_UCONTEXT)

static ucontext_t* saved_context(Context& c) {
  if (!c.saved) c.saved = new ucontext_t;
  return static_cast<ucontext_t*>(c.saved);
}

void raw_switch(Context& from, Context& to) { swapcontext(saved_context(from), saved_context(to)); }

static void start(Context& c, char* stack, size_t bytes, void (*entry)()) {
  ucontext_t* u = saved_context(c);
  getcontext(u);
  u->uc_stack.ss_sp = stack;
  u->uc_stack.ss_size = bytes;
  u->uc_link = nullptr;
  makecontext(u, entry, 0);
}

#else

// The callee-saved registers of the System V ABI go on the old stack and come from the new one. A new stack
// is laid out as if it had switched away just before the first instruction of its entry.
asm(R"(
.text
.globl simt_switch_stack
.type simt_switch_stack,@function
simt_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmp *%rcx
.size simt_switch_stack,.-simt_switch_stack
)");

static void start(Context& c, char* stack, size_t bytes, void (*entry)()) {
  // On entry the stack pointer is 8 below a multiple of 16, with a return address of null: nobody returns
  // from here.
  auto* top = reinterpret_cast<void**>((reinterpret_cast<uintptr_t>(stack + bytes) & ~uintptr_t{63}) - 8);
  *top = nullptr;
  *--top = reinterpret_cast<void*>(entry);
  for (int saved_register = 0; saved_register < 6; ++saved_register) *--top = nullptr;
  c.saved = top;
}

#endif

void prepare(Context& c, char* stack, size_t bytes, size_t skew, void (*entry)()) {
#if SIMT_ASAN
  c.bottom = stack;
  c.bytes = bytes;
#endif
  start(c, stack, bytes - skew, entry);
}

void entered([[maybe_unused]] const void** from_bottom, [[maybe_unused]] size_t* from_bytes) {
#if SIMT_ASAN
  __sanitizer_finish_switch_fiber(nullptr, from_bottom, from_bytes);
#endif
}

// ---- stacks

namespace {
constexpr size_t kGuardBytes = 4096;
constexpr size_t kMostStacks = 1024;

// One reservation for all stacks, so that membership is two comparisons; pages cost memory only when touched.
struct StackArea {
  char* base = nullptr;
  size_t made = 0;
  std::vector<char*> free;
} area;

constexpr size_t slot_bytes(size_t stack) { return stack + kGuardBytes; }
}  // namespace

size_t stack_bytes() { return SIMT_ASAN ? 256 * 1024 : 64 * 1024; }

char* take_stack() {
  if (!area.free.empty()) {
    char* s = area.free.back();
    area.free.pop_back();
    return s;
  }
  const size_t slot = slot_bytes(stack_bytes());
  if (!area.base) {
    void* m = mmap(nullptr, slot * kMostStacks, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED) throw std::bad_alloc();
    area.base = static_cast<char*>(m);
    area.free.reserve(kMostStacks);
  }
  char* s = area.base + slot * area.made++;
  mprotect(s, kGuardBytes, PROT_NONE);
  return s + kGuardBytes;
}

void give_stack(char* stack) { area.free.push_back(stack); }

void give_all_stacks() {
  area.free.clear();
  for (size_t i = area.made; i-- > 0;) {
    char* s = area.base + slot_bytes(stack_bytes()) * i + kGuardBytes;
#if SIMT_ASAN
    __asan_unpoison_memory_region(s, stack_bytes());
#endif
    area.free.push_back(s);
  }
}

bool on_any_stack(const void* p) {
  const char* c = static_cast<const char*>(p);
  return area.base && c >= area.base && c < area.base + slot_bytes(stack_bytes()) * area.made;
}

size_t stack_index(const char* stack) {
  return static_cast<size_t>(stack - area.base) / slot_bytes(stack_bytes());
}

}  // namespace simt::detail
