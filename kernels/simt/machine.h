// Private to the emulator: the state of the one machine, and the few operations that the scheduler's hot path
// is made of.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "kernels/simt/fiber.h"
#include "kernels/simt/host.h"
#include "kernels/simt/location.h"
#include "kernels/simt/sync.h"
#include "kernels/simt/vector_types.h"

namespace simt::detail {

constexpr unsigned kMaxThreads = 1024, kWarpLanes = 32, kMaxWarps = kMaxThreads / kWarpLanes,
                   kNamedBarriers = 16;

enum class State : uint8_t {
  unstarted,
  ready,
  running,
  at_barrier,
  at_warp_operation,
  at_named_barrier,
  exited
};

// An asynchronous copy on its way.
struct Flight {
  void* dst;
  const void* src;
  unsigned bytes;
  int group;
};

struct alignas(64) Thread {
  Context context;
  uint3 index{};
  uint16_t id = 0, lane = 0, warp = 0;
  State state = State::unstarted;
  unsigned mask = 0;  // of the warp operation it waits in
  void* frame = nullptr;
  Combine combine = nullptr;
  Location at{};  // where it waits
  const char* operation = "";
  char* stack = nullptr;
  uint32_t sync_clock = 0;  // advances at every __syncwarp this lane takes part in
  int named = 0;            // the named barrier it waits at
  int group = 0;            // of asynchronous copies
  std::vector<Flight> flights;
};

struct NamedBarrier {
  unsigned arrived = 0, expected = 0;
  Location first{};  // of the current generation
};

// Happens-before between warps through named barriers: known[w][v] is the time up to which warp w knows what
// warp v did. time[v] advances when v arrives at a named barrier. Block barriers order everything and are
// counted by `epoch` instead.
struct WarpClocks {
  bool used = false;
  uint32_t time[kMaxWarps] = {};
  uint32_t known[kMaxWarps][kMaxWarps] = {};
  uint32_t released[kNamedBarriers][kMaxWarps] = {};
};

struct Machine {
  Thread* current = nullptr;
  unsigned threads = 0, live = 0;
  Thread thread[kMaxThreads];

  unsigned waiting = 0;  // at the block barrier
  BarrierKind barrier_kind{};
  Location barrier_at{};
  int barrier_value = 0, barrier_result = 0;

  uint16_t ring[kMaxThreads];  // ids of runnable threads
  unsigned ring_head = 0, ring_count = 0;

  uint32_t live_lanes[kMaxWarps] = {}, waiting_lanes[kMaxWarps] = {};
  NamedBarrier named[kNamedBarriers];
  WarpClocks clocks;

  Context host;
  void (*invoke)(void*) = nullptr;
  void* call = nullptr;  // the kernel and its parameters
  size_t call_bytes = 0;
  dim3 block_size, grid_size;
  uint3 block{};

  char* smem = nullptr;  // dynamic shared memory
  size_t smem_bytes = 0;

  // Time for the checker: one tick per block barrier, block and launch.
  uint32_t epoch = 1, block_start = 1, launch_start = 1;

  Options options;
  Statistics statistics;
  uint32_t random_state = 1;
  pthread_t owner{};  // the thread that launched
  bool abandoned = false;
  std::exception_ptr failure;  // what the kernel itself threw
  std::vector<Report> reports;
  size_t reports_dropped = 0;
};
extern Machine machine;

// One caller at a time: throws Error when the emulator is busy, with another thread or with a kernel.
class Occupied {
 public:
  explicit Occupied(const char* what);
  ~Occupied();
  Occupied(const Occupied&) = delete;
  Occupied& operator=(const Occupied&) = delete;
};

// ---- reports (report.cpp)
struct Abandoned {};  // unwinds the one fiber that found the mistake; the others are dropped where they stand
void report(const char* kind, const std::string& text);  // and go on
[[noreturn]] void fatal(const char* kind,
                        const std::string& text);  // and leave the launch (throws Abandoned)
[[noreturn]] void no_thread_can_run();
[[noreturn]] void outside_kernel(const char* what);
std::string describe(const Thread& t);     // "block(0,0,0) thread 5"
std::string describe(const Location& at);  // "file.cu:12"
std::string census();                      // who waits where

// ---- the ring
inline void make_runnable(unsigned id) {
  machine.ring[(machine.ring_head + machine.ring_count++) & (kMaxThreads - 1)] = static_cast<uint16_t>(id);
}
inline Thread* next_runnable() {
  if (!machine.ring_count) return nullptr;
  Thread* t = &machine.thread[machine.ring[machine.ring_head]];
  machine.ring_head = (machine.ring_head + 1) & (kMaxThreads - 1);
  --machine.ring_count;
  return t;
}
uint32_t next_random();
void arrange(uint16_t* ids, unsigned n);  // into the order of the schedule

// The current thread has noted what it waits for: run others until somebody makes it runnable again.
void wait_for_others();
void release_block_barrier();
bool try_warp_operation(Thread& any);  // runs the operation `any` waits in if its mask is complete

bool is_shared(const void* p);  // static or dynamic shared memory

}  // namespace simt::detail
