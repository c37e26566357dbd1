// Warp operations: all lanes of a mask meet, the last one combines what they brought.
#include <algorithm>
#include <bit>

#include "kernels/simt/machine.h"

namespace simt::detail {

static std::string describe_operation(const Thread& t) {
  return describe(t) + " " + t.operation + " at " + describe(t.at);
}

[[gnu::noinline, gnu::cold]] static void bad_lane(const Thread& t, unsigned lane, const char* why) {
  fatal("warp mask", describe_operation(t) + ": lane " + std::to_string(lane) + " of the mask " + why);
}

[[gnu::noinline, gnu::cold]] static void different_operations(const Thread& a, const Thread& b) {
  fatal("warp divergence", describe_operation(a) + " while lane " + std::to_string(b.lane) + " is in " +
                               b.operation + " at " + describe(b.at));
}

// The lanes that have met, or 0 while somebody is missing.
static unsigned lanes_present(Thread& any) {
  const unsigned mask = any.mask, base = any.warp * kWarpLanes;
  if (mask & machine.live_lanes[any.warp] & ~machine.waiting_lanes[any.warp]) return 0;
  unsigned present = 0;
  for (unsigned rest = mask; rest; rest &= rest - 1) {
    const auto lane = static_cast<unsigned>(std::countr_zero(rest));
    if (base + lane >= machine.threads) {
      // A block that is no multiple of 32 may use the full mask in its last warp.
      if (mask != ~0u) bad_lane(any, lane, "does not exist");
      continue;
    }
    Thread& t = machine.thread[base + lane];
    if (t.state == State::exited) {
      if (!machine.options.allow_exited_lanes) bad_lane(any, lane, "has left the kernel");
      continue;
    }
    if (t.state != State::at_warp_operation || t.mask != mask) return 0;
    if (t.combine != any.combine) different_operations(t, any);
    present |= 1u << lane;
  }
  return present;
}

bool try_warp_operation(Thread& any) {
  const unsigned present = lanes_present(any), base = any.warp * kWarpLanes;
  if (!present) return false;
  void* frames[kWarpLanes] = {};
  uint32_t clock = 0;
  for (unsigned rest = present; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const Thread& t = machine.thread[base + static_cast<unsigned>(lane)];
    frames[lane] = t.frame;
    clock = std::max(clock, t.sync_clock);
  }
  any.combine(frames, present);
  ++machine.statistics.warp_operations;
  machine.waiting_lanes[any.warp] &= ~present;
  // As in CUDA only __syncwarp orders memory.
  const bool orders_memory = any.combine == combine_nothing;
  uint16_t ids[kWarpLanes];
  unsigned n = 0;
  for (unsigned rest = present; rest; rest &= rest - 1) {
    Thread& t = machine.thread[base + static_cast<unsigned>(std::countr_zero(rest))];
    t.state = State::ready;
    if (orders_memory) t.sync_clock = clock + 1;
    ids[n++] = t.id;
  }
  arrange(ids, n);
  for (unsigned i = 0; i < n; ++i) make_runnable(ids[i]);
  return true;
}

void warp_collective(unsigned mask, void* frame, Combine combine, const char* name, Location at) {
  Thread* t = machine.current;
  if (!t) outside_kernel(name);
  t->mask = mask;
  t->frame = frame;
  t->combine = combine;
  t->operation = name;
  t->at = at;
  if (!(mask >> t->lane & 1))
    fatal("warp mask", describe_operation(*t) + ": the calling lane is not in its own mask");
  t->state = State::at_warp_operation;
  machine.waiting_lanes[t->warp] |= 1u << t->lane;
  try_warp_operation(*t);
  wait_for_others();
}

// ---- what the lanes combine

static LaneFrame& frame(void* p) { return *static_cast<LaneFrame*>(p); }

// `source(lane, argument, width)` gives the lane to read from, or -1 for the own value.
template <class Source>
static void shuffle_lanes(void* const* frames, unsigned mask, Source source) {
  for (unsigned rest = mask; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    LaneFrame& f = frame(frames[lane]);
    const int from = source(lane, f.argument, f.width);
    const int s = from < 0 ? lane : from;
    if (mask >> s & 1) {
      f.result = frame(frames[s]).value;
    } else {
      const Thread& t = machine.thread[machine.current->warp * kWarpLanes + static_cast<unsigned>(lane)];
      report("warp shuffle",
             describe_operation(t) + " reads lane " + std::to_string(s) + ", which takes no part");
      f.result = ~uint64_t{0};
    }
  }
}

void combine_nothing(void* const*, unsigned) {}

void combine_shfl(void* const* f, unsigned mask) {
  shuffle_lanes(f, mask,
                [](int lane, int a, int width) { return (lane & ~(width - 1)) + (a & (width - 1)); });
}
void combine_shfl_up(void* const* f, unsigned mask) {
  shuffle_lanes(f, mask, [](int lane, int a, int width) { return (lane & (width - 1)) < a ? -1 : lane - a; });
}
void combine_shfl_down(void* const* f, unsigned mask) {
  shuffle_lanes(f, mask,
                [](int lane, int a, int width) { return (lane & (width - 1)) + a >= width ? -1 : lane + a; });
}
// A lane of an earlier segment may be read, one of a later segment not (CUDA C++ Programming Guide, warp
// shuffle functions).
void combine_shfl_xor(void* const* f, unsigned mask) {
  shuffle_lanes(f, mask, [](int lane, int a, int width) {
    const int s = lane ^ a;
    return s > (lane | (width - 1)) || s >= 32 ? -1 : s;
  });
}

template <class Result>
static void give_every_lane(void* const* frames, unsigned mask, Result result) {
  for (unsigned rest = mask; rest; rest &= rest - 1) {
    LaneFrame& f = frame(frames[std::countr_zero(rest)]);
    f.result = result(f.value);
  }
}

static unsigned lanes_with(void* const* frames, unsigned mask, uint64_t value) {
  unsigned lanes = 0;
  for (unsigned rest = mask; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    if (frame(frames[lane]).value == value) lanes |= 1u << lane;
  }
  return lanes;
}

void combine_ballot(void* const* f, unsigned mask) {
  const unsigned yes = mask & ~lanes_with(f, mask, 0);
  give_every_lane(f, mask, [yes](uint64_t) { return uint64_t{yes}; });
}
void combine_match_any(void* const* f, unsigned mask) {
  give_every_lane(f, mask, [f, mask](uint64_t v) { return uint64_t{lanes_with(f, mask, v)}; });
}
void combine_match_all(void* const* f, unsigned mask) {
  const uint64_t first = frame(f[std::countr_zero(mask)]).value;
  const uint64_t result = lanes_with(f, mask, first) == mask ? mask : 0;
  give_every_lane(f, mask, [result](uint64_t) { return result; });
}

template <class T, class Operation>
static void reduce(void* const* frames, unsigned mask, Operation operation) {
  T all = static_cast<T>(frame(frames[std::countr_zero(mask)]).value);
  for (unsigned rest = mask & (mask - 1); rest; rest &= rest - 1)
    all = operation(all, static_cast<T>(frame(frames[std::countr_zero(rest)]).value));
  give_every_lane(frames, mask, [all](uint64_t) { return uint64_t{static_cast<uint32_t>(all)}; });
}

void combine_add(void* const* f, unsigned m) {
  reduce<uint32_t>(f, m, [](uint32_t a, uint32_t b) { return a + b; });
}
void combine_min_signed(void* const* f, unsigned m) {
  reduce<int32_t>(f, m, [](int32_t a, int32_t b) { return std::min(a, b); });
}
void combine_max_signed(void* const* f, unsigned m) {
  reduce<int32_t>(f, m, [](int32_t a, int32_t b) { return std::max(a, b); });
}
void combine_min_unsigned(void* const* f, unsigned m) {
  reduce<uint32_t>(f, m, [](uint32_t a, uint32_t b) { return std::min(a, b); });
}
void combine_max_unsigned(void* const* f, unsigned m) {
  reduce<uint32_t>(f, m, [](uint32_t a, uint32_t b) { return std::max(a, b); });
}
void combine_and(void* const* f, unsigned m) {
  reduce<uint32_t>(f, m, [](uint32_t a, uint32_t b) { return a & b; });
}
void combine_or(void* const* f, unsigned m) {
  reduce<uint32_t>(f, m, [](uint32_t a, uint32_t b) { return a | b; });
}
void combine_xor(void* const* f, unsigned m) {
  reduce<uint32_t>(f, m, [](uint32_t a, uint32_t b) { return a ^ b; });
}

}  // namespace simt::detail
