// Block barriers and named barriers. Every arrival notes its call site, so that a barrier which not all
// threads reach alike is reported with a census of who stands where.
#include <algorithm>
#include <cstring>

#include "kernels/simt/checker.h"
#include "kernels/simt/machine.h"

namespace simt::detail {

static bool same_place(const Location& a, const Location& b) {
  return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

[[gnu::noinline, gnu::cold]] static void diverged(Thread& t) {
  const std::string others = describe(machine.barrier_at);
  t.state = State::at_barrier;
  fatal("barrier divergence", describe(t) + " reached the barrier at " + describe(t.at) +
                                  " while others wait at " + others + census());
}

[[gnu::noinline, gnu::cold]] static void somebody_left(Thread& t) {
  t.state = State::at_barrier;
  fatal("barrier divergence", describe(t) + " reached the barrier at " + describe(t.at) +
                                  " after other threads of the block left the kernel" + census());
}

void release_block_barrier() {
  uint16_t ids[kMaxThreads];
  unsigned n = 0;
  for (unsigned i = 0; i < machine.threads; ++i)
    if (machine.thread[i].state == State::at_barrier) ids[n++] = static_cast<uint16_t>(i);
  arrange(ids, n);
  for (unsigned i = 0; i < n; ++i) make_runnable(ids[i]);
  machine.barrier_result = machine.barrier_value;
  machine.waiting = 0;
  ++machine.epoch;
  ++machine.statistics.block_barriers;
}

int block_barrier(BarrierKind kind, int predicate, Location at) {
  Thread* t = machine.current;
  if (!t) outside_kernel("__syncthreads");
  t->at = at;
  if (machine.live != machine.threads) somebody_left(*t);
  if (machine.waiting == 0) {
    machine.barrier_at = at;
    machine.barrier_kind = kind;
    machine.barrier_value = kind == BarrierKind::all;
  } else if (machine.barrier_kind != kind || !same_place(machine.barrier_at, at)) {
    diverged(*t);
  }
  const int yes = predicate != 0;
  if (kind == BarrierKind::count) machine.barrier_value += yes;
  if (kind == BarrierKind::all) machine.barrier_value &= yes;
  if (kind == BarrierKind::any) machine.barrier_value |= yes;
  t->state = State::at_barrier;
  if (++machine.waiting == machine.live) release_block_barrier();
  wait_for_others();
  return machine.barrier_result;
}

// ---- named barriers

static void check_named(const Thread& t, int id, int threads) {
  const bool right =
      id >= 1 && id < static_cast<int>(kNamedBarriers) && threads > 0 &&
      threads % static_cast<int>(kWarpLanes) == 0 && static_cast<unsigned>(threads) <= machine.threads &&
      (!machine.named[id].arrived || machine.named[id].expected == static_cast<unsigned>(threads));
  if (right) return;
  const std::string who = describe(t) + " at " + describe(t.at) + ": ";
  if (id < 1 || id >= static_cast<int>(kNamedBarriers))
    fatal("named barrier",
          who + "barrier " + std::to_string(id) + " is not between 1 and 15 (0 is __syncthreads)");
  if (threads <= 0 || threads % static_cast<int>(kWarpLanes) != 0)
    fatal("named barrier", who + std::to_string(threads) + " threads are not a positive multiple of 32");
  if (static_cast<unsigned>(threads) > machine.threads)
    fatal("named barrier", who + std::to_string(threads) + " threads are more than the block has");
  const NamedBarrier& b = machine.named[id];
  fatal("named barrier", who + "barrier " + std::to_string(id) + " for " + std::to_string(threads) +
                             " threads, but others use it at " + describe(b.first) + " for " +
                             std::to_string(b.expected));
}

// What the warp did so far becomes visible to those who pass the barrier.
static void release_clocks(int id, unsigned warp) {
  WarpClocks& c = machine.clocks;
  c.used = true;
  for (unsigned v = 0; v < kMaxWarps; ++v)
    if (c.known[warp][v] > c.released[id][v]) c.released[id][v] = c.known[warp][v];
  c.released[id][warp] = ++c.time[warp];
}

static void acquire_clocks(int id, unsigned warp) {
  WarpClocks& c = machine.clocks;
  for (unsigned v = 0; v < kMaxWarps; ++v)
    if (c.released[id][v] > c.known[warp][v]) c.known[warp][v] = c.released[id][v];
}

static void release_named(int id) {
  uint16_t ids[kMaxThreads];
  unsigned n = 0;
  uint32_t lanes_clock = 0;
  for (unsigned i = 0; i < machine.threads; ++i) {
    Thread& t = machine.thread[i];
    if (t.state != State::at_named_barrier || t.named != id) continue;
    t.state = State::ready;
    acquire_clocks(id, t.warp);
    lanes_clock = std::max(lanes_clock, t.sync_clock);
    ids[n++] = static_cast<uint16_t>(i);
  }
  // The barrier orders the lanes of one warp as __syncwarp does.
  for (unsigned i = 0; i < n; ++i) machine.thread[ids[i]].sync_clock = lanes_clock + 1;
  arrange(ids, n);
  for (unsigned i = 0; i < n; ++i) make_runnable(ids[i]);
  machine.named[id].arrived = 0;
}

void named_barrier(int id, int threads, bool wait, Location at) {
  Thread* t = machine.current;
  if (!t) outside_kernel("a named barrier");
  t->at = at;
  check_named(*t, id, threads);
  NamedBarrier& b = machine.named[id];
  if (b.arrived == 0) b = {0, static_cast<unsigned>(threads), at};
  release_clocks(id, t->warp);
  if (wait) {
    t->state = State::at_named_barrier;
    t->named = id;
  }
  if (++b.arrived == b.expected) release_named(id);
  if (wait) wait_for_others();
}

}  // namespace simt::detail
