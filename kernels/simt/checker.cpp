// The access checker. Every load and store of instrumented kernel code arrives here with the emulated thread
// known, and is looked at three ways: does the address belong to the kernel, has the word been written, and
// is the access ordered with the last ones by other threads. Order is decided by clocks, not by luck of the
// schedule: a block barrier starts a new epoch; within an epoch lanes of one warp are ordered by __syncwarp
// and warps by named barriers; blocks of one launch are never ordered.
#include "kernels/simt/checker.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "kernels/simt/checker_report.h"
#include "kernels/simt/machine.h"
#include "kernels/simt/shadow.h"

extern "C" char __executable_start, __data_start, _end;
extern "C" char __start_simt_builtins, __stop_simt_builtins;  // threadIdx and the like (scheduler.cpp)

namespace simt {
bool checked() { return true; }
}  // namespace simt

namespace simt::detail {

namespace {

// When the readers of one word, warps 0..31, read it: needed only in blocks that use named barriers.
using ReaderClocks = std::array<uint32_t, kMaxWarps>;
constexpr uint32_t kNeverRead = 0xffffffff;
std::vector<ReaderClocks> reader_clocks;

Cell* static_shadow;
std::vector<Cell> dynamic_shadow;
const Allocation* last_allocation;

char* static_begin() {
  return reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(&__data_start) & ~uintptr_t{15});
}

Cell* shadow_array(size_t bytes) {
  auto* cells = static_cast<Cell*>(std::calloc(bytes / 4 + 2, sizeof(Cell)));
  if (!cells) throw std::bad_alloc();
  return cells;
}

uint16_t warp_of(uint16_t who) { return (who & kThreadBits) / kWarpLanes; }

// One access of the current thread to one word.
struct Event {
  Access kind;
  bool device_memory;
  const void* p;
  size_t bytes;
  uint32_t pc;
};

// ---- order

bool ordered_by_named_barrier(const Thread& t, uint16_t warp, uint32_t clock) {
  return machine.clocks.used && machine.clocks.known[t.warp][warp] > clock;
}

// Is the trace (same epoch, other thread) certainly before what t does now?
bool before(const Trace& trace, const Thread& t) {
  const uint16_t warp = warp_of(trace.who);
  if (warp == t.warp) return trace.sync_clock < static_cast<uint16_t>(t.sync_clock);
  return ordered_by_named_barrier(t, warp, trace.named_clock);
}

bool readers_before(const Trace& read, const Thread& t) {
  if (!(read.who & kSeveralWarps)) return before(read, t);
  if (!machine.clocks.used || read.named_clock >= reader_clocks.size()) return false;
  const ReaderClocks& clocks = reader_clocks[read.named_clock];
  for (uint16_t w = 0; w < kMaxWarps; ++w) {
    if (clocks[w] == kNeverRead) continue;
    if (w == t.warp ? read.sync_clock >= static_cast<uint16_t>(t.sync_clock)
                    : !ordered_by_named_barrier(t, w, clocks[w]))
      return false;
  }
  return true;
}

// ---- one word

bool in_another_block(const Trace& trace, const Event& e) {
  return e.device_memory && machine.options.check_between_blocks && trace.epoch >= machine.launch_start &&
         trace.epoch < machine.block_start;
}

void compare_with_write(const Cell& cell, const Event& e, unsigned byte_mask, const Thread& t) {
  const Trace& w = cell.write;
  const bool both_atomic = e.kind == Access::atomic && (w.who & kAtomicBit);
  if (!(w.who >> kByteShift & byte_mask) || both_atomic) return;
  const Access other = w.who & kAtomicBit ? Access::atomic : Access::write;
  if (w.epoch == machine.epoch) {
    if ((w.who & kThreadBits) != t.id && !before(w, t))
      report_race(e.device_memory ? "global race" : "shared race", e.kind, e.p, e.pc, other, w, false);
  } else if (in_another_block(w, e)) {
    report_race("inter-block race", e.kind, e.p, e.pc, other, w, true);
  }
}

void compare_with_reads(const Cell& cell, const Event& e, unsigned byte_mask, const Thread& t) {
  const Trace& r = cell.read;
  if (!(r.who >> kByteShift & byte_mask)) return;
  if (r.epoch == machine.epoch) {
    const bool only_me = (r.who & kThreadBits) == t.id && !(r.who & (kSeveralLanes | kSeveralWarps));
    if (!only_me && !readers_before(r, t))
      report_race(e.device_memory ? "global race" : "shared race", e.kind, e.p, e.pc, Access::read, r, false);
  } else if (in_another_block(r, e)) {
    report_race("inter-block race", e.kind, e.p, e.pc, Access::read, r, true);
  }
}

void add_reading_warp(Trace& r, const Thread& t) {
  if (!machine.clocks.used) {  // no named barrier yet: the reads of every warp so far carry time 0
    r.who |= kSeveralWarps;
    r.named_clock = kNeverRead;
    return;
  }
  if (!(r.who & kSeveralWarps) || r.named_clock >= reader_clocks.size()) {
    ReaderClocks fresh;
    fresh.fill(r.who & kSeveralWarps ? 0 : kNeverRead);
    if (!(r.who & kSeveralWarps)) fresh[warp_of(r.who)] = r.named_clock;
    reader_clocks.push_back(fresh);
    r.named_clock = static_cast<uint32_t>(reader_clocks.size() - 1);
    r.who |= kSeveralWarps;
  }
  reader_clocks[r.named_clock][t.warp] = machine.clocks.time[t.warp];
}

void note_read(Trace& r, const Event& e, unsigned byte_mask, const Thread& t) {
  const auto bytes = static_cast<uint16_t>(byte_mask << kByteShift);
  const auto clock = static_cast<uint16_t>(t.sync_clock);
  if (r.epoch != machine.epoch) {
    r = {machine.epoch, e.pc, machine.clocks.time[t.warp], clock, static_cast<uint16_t>(t.id | bytes)};
    return;
  }
  const bool same_warp = warp_of(r.who) == t.warp;
  if (!same_warp || (r.who & kSeveralWarps)) add_reading_warp(r, t);
  if (same_warp && !(r.who & kSeveralWarps)) {
    if ((r.who & kThreadBits) != t.id) r.who |= kSeveralLanes;
    r.named_clock = machine.clocks.time[t.warp];
  }
  r.who |= bytes;
  r.sync_clock = std::max(r.sync_clock, clock);
}

void check_word(Cell& cell, const Event& e, unsigned byte_mask) {
  const Thread& t = *machine.current;
  const bool written = e.device_memory ? cell.write.epoch != 0 : cell.write.epoch >= machine.block_start;
  if (e.kind != Access::write && !written)
    report_access(e.device_memory ? "uninitialised global read" : "uninitialised shared read", e.kind, e.p,
                  e.bytes, e.pc,
                  e.device_memory ? "neither host nor kernel wrote it" : "not written in this block");
  compare_with_write(cell, e, byte_mask, t);
  if (e.kind == Access::read) return note_read(cell.read, e, byte_mask, t);
  compare_with_reads(cell, e, byte_mask, t);
  const unsigned atomic = e.kind == Access::atomic ? kAtomicBit : 0;
  cell.write = {machine.epoch, e.pc, machine.clocks.time[t.warp], static_cast<uint16_t>(t.sync_clock),
                static_cast<uint16_t>(t.id | atomic | byte_mask << kByteShift)};
}

void check_words(Cell* cells, size_t offset, const Event& e) {
  if (e.bytes == 4 && offset % 4 == 0) return check_word(cells[offset / 4], e, 15);
  for (size_t at = offset; at < offset + e.bytes;) {
    const size_t inside = at % 4, here = std::min<size_t>(4 - inside, offset + e.bytes - at);
    check_word(cells[at / 4], e, ((1u << here) - 1) << inside);
    at += here;
  }
}

// ---- which memory is it?

const Allocation* allocation_around(const char* p) {
  const Allocation* a = last_allocation;
  if (a && p >= a->base && p < a->base + a->bytes) return a;
  a = allocation_at_or_below(p);
  if (a && p < a->base + a->bytes) last_allocation = a;
  return a;
}

[[gnu::noinline, gnu::cold]] void outside_everything(const Event& e, const Allocation* below) {
  if (!pthread_equal(machine.owner, pthread_self()))
    return;  // host code of a thread that is about to be refused
  const char* p = static_cast<const char*>(e.p);
  const auto stop = [&](const char* kind, const std::string& why) {
    fatal_access(kind, e.kind, e.p, e.bytes, e.pc, why);
  };
  if (on_any_stack(p))
    stop("wild access",
         "local memory or a parameter of another thread: an address of one thread means nothing to another");
  if (below && p < below->base + below->bytes + kGuardBytesOfBuffers)
    stop("global out of bounds", std::to_string(p - below->base - static_cast<std::ptrdiff_t>(below->bytes)) +
                                     " bytes after the end of a device buffer of " +
                                     std::to_string(below->bytes) + " bytes");
  const Allocation* above = allocation_at_or_below(p + kGuardBytesOfBuffers);
  if (above && above->base > p)
    stop("global out of bounds", std::to_string(above->base - p) + " bytes before a device buffer of " +
                                     std::to_string(above->bytes) + " bytes");
  constexpr std::ptrdiff_t kNear = 65536;
  const std::ptrdiff_t past = p - machine.smem - static_cast<std::ptrdiff_t>(machine.smem_bytes);
  if (past >= 0 && past < kNear)
    stop("shared out of bounds", std::to_string(past) + " bytes after the " +
                                     std::to_string(machine.smem_bytes) + " bytes of dynamic shared memory");
  stop("wild access", "neither a device buffer, nor shared memory, nor a local of this thread");
}

bool inside(const char* p, const char* base, size_t bytes) { return p >= base && p < base + bytes; }

void check_device_or_foreign(const Event& e) {
  const char* p = static_cast<const char*>(e.p);
  const Allocation* a = allocation_around(p);
  if (a && inside(p, a->base, a->bytes)) {
    if (p + e.bytes > a->base + a->bytes)
      fatal_access("global out of bounds", e.kind, e.p, e.bytes, e.pc, "crosses the end of a device buffer");
    Event global = e;
    global.device_memory = true;
    return check_words(static_cast<Cell*>(a->shadow), static_cast<size_t>(p - a->base), global);
  }
  if (p >= &__executable_start && p < &__data_start) {  // constants of the program
    if (e.kind == Access::read) return;
    fatal_access("write to a constant", e.kind, e.p, e.bytes, e.pc, "read-only data of the program");
  }
  outside_everything(e, a);
}

}  // namespace

void check_access(const void* address, size_t bytes, Access kind, const void* pc) {
  if (!machine.current) return;  // host code in a kernel source
  const char* p = static_cast<const char*>(address);
  ++machine.statistics.accesses;
  if (inside(p, machine.current->stack, stack_bytes())) return;  // own locals
  if (p >= &__start_simt_builtins && p < &__stop_simt_builtins && kind == Access::read) return;
  const Event e{kind, false, p, bytes, image_offset(pc)};
  if (inside(p, static_cast<const char*>(machine.call), machine.call_bytes)) {
    if (kind == Access::read) return;
    fatal_access("write to a constant", kind, p, bytes, e.pc, "parameters of the launch");
  }
  if (inside(p, machine.smem, machine.smem_bytes)) {
    if (p + bytes > machine.smem + machine.smem_bytes)
      fatal_access("shared out of bounds", kind, p, bytes, e.pc, "crosses the end of dynamic shared memory");
    return check_words(dynamic_shadow.data(), static_cast<size_t>(p - machine.smem), e);
  }
  if (p >= static_begin() && p < &_end)
    return check_words(static_shadow, static_cast<size_t>(p - static_begin()), e);
  check_device_or_foreign(e);
}

void forget_values(void* address, size_t bytes) {
  char* p = static_cast<char*>(address);
  Cell* cells = nullptr;
  if (inside(p, machine.smem, machine.smem_bytes)) cells = dynamic_shadow.data() + (p - machine.smem) / 4;
  else if (p >= static_begin() && p < &_end) cells = static_shadow + (p - static_begin()) / 4;
  if (!cells) return;
  for (size_t i = 0; i < (bytes + 3) / 4; ++i) cells[i].write.epoch = 0;
}

void* shadow_new(size_t bytes) { return shadow_array(bytes); }
void shadow_delete(void* shadow) {
  std::free(shadow);
  last_allocation = nullptr;  // the table of allocations changes
}
void shadow_written_by_host(void* shadow, size_t offset, size_t bytes) {
  Cell* cells = static_cast<Cell*>(shadow);
  for (size_t i = offset / 4; i < (offset + bytes + 3) / 4; ++i) cells[i] = {{kHostEpoch, 0, 0, 0, 0}, {}};
}

void checker_begin_launch() {
  if (!static_shadow) static_shadow = shadow_array(static_cast<size_t>(&_end - static_begin()));
  if (dynamic_shadow.size() < machine.smem_bytes / 4 + 2) dynamic_shadow.resize(machine.smem_bytes / 4 + 2);
  last_allocation = nullptr;
  forget_reported();
}

void checker_begin_block() { reader_clocks.clear(); }

}  // namespace simt::detail
