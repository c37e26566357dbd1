// Runs a grid: blocks one after another, the threads of a block as fibers that switch directly from one to
// the next. A thread starts on the stack of the one that just ended, so a kernel without barriers never
// switches.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "kernels/simt/checker.h"
#include "kernels/simt/machine.h"

// The device language sees these as const (language.h). A section of their own, so that the checker knows
// their addresses.
#define SIMT_BUILTIN __attribute__((section("simt_builtins")))
SIMT_BUILTIN uint3 threadIdx, blockIdx;
SIMT_BUILTIN dim3 blockDim, gridDim;

namespace simt {
const Options& options() { return detail::machine.options; }
void set_options(const Options& o) { detail::machine.options = o; }
const Statistics& statistics() { return detail::machine.statistics; }
}  // namespace simt

namespace simt::detail {

Machine machine;

namespace {

// SIMT_ORDER = forward, reverse or random:SEED is where the options of a process start.
Options options_of_environment() {
  const char* text = std::getenv("SIMT_ORDER");
  const std::string order = text ? text : "forward";
  if (order == "forward") return {};
  if (order == "reverse") return {.order = Order::reverse};
  if (order.rfind("random:", 0) == 0)
    return {.order = Order::random,
            .seed = static_cast<uint32_t>(std::strtoul(order.c_str() + 7, nullptr, 10))};
  std::fprintf(stderr, "SIMT_ORDER=%s is none of forward, reverse, random:SEED\n", text);
  std::exit(2);
}
[[maybe_unused]] const bool options_read = (machine.options = options_of_environment(), true);

std::atomic<bool> occupied{false};
Context nowhere;  // where a fiber that ends saves itself
}  // namespace

Occupied::Occupied(const char* what) {
  if (machine.current && occupied.load())
    throw Error(std::string(what) + ": called from inside a kernel", {});
  if (occupied.exchange(true))
    throw Error(std::string(what) +
                    ": another thread of this process is using the emulator, which is one machine for one "
                    "thread at a time",
                {});
}
Occupied::~Occupied() { occupied.store(false); }

// ---- order

uint32_t next_random() {  // xorshift32
  uint32_t& s = machine.random_state;
  s ^= s << 13;
  s ^= s >> 17;
  s ^= s << 5;
  return s;
}

void arrange(uint16_t* ids, unsigned n) {
  if (machine.options.order == Order::reverse) std::reverse(ids, ids + n);
  if (machine.options.order == Order::random)
    for (unsigned i = n; i > 1; --i) std::swap(ids[i - 1], ids[next_random() % i]);
}

// ---- fibers

static void run_fiber();

static void make_current(Thread& t) {
  machine.current = &t;
  t.state = State::running;
  threadIdx = t.index;
}

static void start_fiber(Thread& t) {
  t.stack = take_stack();
  // Stacks a power of two apart would share cache sets: begin each at a different line.
  const size_t skew = (stack_index(t.stack) * 7 & 63) * 64;
  prepare(t.context, t.stack, stack_bytes(), skew, run_fiber);
}

void wait_for_others() {
  Thread* self = machine.current;
  Thread* next = next_runnable();
  if (!next) no_thread_can_run();
  if (next == self) return make_current(*self);
  if (next->state == State::unstarted) start_fiber(*next);
  make_current(*next);
  ++machine.statistics.switches;
  switch_context(self->context, next->context, false);
}

static void leave_to_host() {
  machine.current = nullptr;
  switch_context(nowhere, machine.host, true);
  __builtin_unreachable();
}

static void finish_thread(Thread& t) {
  t.state = State::exited;
  --machine.live;
  machine.live_lanes[t.warp] &= ~(1u << t.lane);
  if (!t.flights.empty()) {
    report("cp.async", describe(t) + " left the kernel with asynchronous copies on their way");
    t.flights.clear();
  }
  if (machine.waiting)
    fatal("barrier divergence", describe(t) + " left the kernel while others wait at a barrier" + census());
  // Lanes that only waited for this one can go on (or learn that their mask names a lane that has left).
  if (machine.waiting_lanes[t.warp])
    for (unsigned lane = 0; lane < kWarpLanes; ++lane) {
      const unsigned id = t.warp * kWarpLanes + lane;
      if (id < machine.threads && machine.thread[id].state == State::at_warp_operation)
        try_warp_operation(machine.thread[id]);
    }
}

// Runs threads on this stack until none is left that could, and returns when the whole block is done.
static void run_threads() {
  for (;;) {
    machine.invoke(machine.call);
    Thread& t = *machine.current;
    finish_thread(t);
    Thread* next = next_runnable();
    if (!next) {
      if (machine.live) no_thread_can_run();
      return;
    }
    if (next->state == State::unstarted) {
      next->stack = t.stack;
#if SIMT_ASAN
      next->context.bottom = t.context.bottom;
      next->context.bytes = t.context.bytes;
#endif
      make_current(*next);
      continue;
    }
    give_stack(t.stack);
    make_current(*next);
    ++machine.statistics.switches;
    switch_context(nowhere, next->context, true);
  }
}

static void run_fiber() {
  const void* bottom = nullptr;
  size_t bytes = 0;
  entered(&bottom, &bytes);
#if SIMT_ASAN
  if (!machine.host.bottom) {
    machine.host.bottom = bottom;
    machine.host.bytes = bytes;
  }
#endif
  try {
    run_threads();
  } catch (const Abandoned&) { machine.abandoned = true; } catch (...) {
    machine.abandoned = true;
    machine.failure = std::current_exception();
  }
  leave_to_host();
}

// ---- blocks and grids

static void reset_threads() {
  const dim3 size = machine.block_size;
  uint16_t ids[kMaxThreads];
  for (unsigned i = 0; i < machine.threads; ++i) {
    Thread& t = machine.thread[i];
    t.id = static_cast<uint16_t>(i);
    t.lane = static_cast<uint16_t>(i % kWarpLanes);
    t.warp = static_cast<uint16_t>(i / kWarpLanes);
    t.index = {i % size.x, i / size.x % size.y, i / size.x / size.y};
    t.state = State::unstarted;
    t.sync_clock = 0;
    t.group = 0;
    t.flights.clear();
    ids[i] = static_cast<uint16_t>(i);
  }
  machine.ring_head = machine.ring_count = 0;
  arrange(ids, machine.threads);
  for (unsigned i = 0; i < machine.threads; ++i) make_runnable(ids[i]);
}

static void reset_sync() {
  machine.live = machine.threads;
  machine.waiting = 0;
  for (unsigned w = 0; w < kMaxWarps; ++w) {
    const unsigned first = w * kWarpLanes, lanes = machine.threads > first ? machine.threads - first : 0;
    machine.live_lanes[w] = lanes >= kWarpLanes ? ~0u : (1u << lanes) - 1;
    machine.waiting_lanes[w] = 0;
  }
  for (NamedBarrier& b : machine.named) b = {};
  if (machine.clocks.used) machine.clocks = {};
}

static void check_named_barriers_empty() {
  for (unsigned id = 0; id < kNamedBarriers; ++id) {
    const NamedBarrier& b = machine.named[id];
    if (b.arrived)
      report("named barrier", "block(" + std::to_string(machine.block.x) + "," +
                                  std::to_string(machine.block.y) + "," + std::to_string(machine.block.z) +
                                  ") ended with " + std::to_string(b.arrived) + " of " +
                                  std::to_string(b.expected) + " threads at barrier " + std::to_string(id) +
                                  " (" + describe(b.first) + ")");
  }
}

static void run_block(uint64_t number) {
  const dim3 grid = machine.grid_size;
  machine.block = {static_cast<unsigned>(number % grid.x), static_cast<unsigned>(number / grid.x % grid.y),
                   static_cast<unsigned>(number / grid.x / grid.y)};
  blockIdx = machine.block;
  if (machine.smem_bytes) std::memset(machine.smem, 0xFF, machine.smem_bytes);
  machine.block_start = ++machine.epoch;
  reset_sync();
  reset_threads();
  checker_begin_block();
  Thread* first = next_runnable();
  start_fiber(*first);
  make_current(*first);
  switch_context(machine.host, first->context, false);
  machine.current = nullptr;
  give_all_stacks();
  if (!machine.abandoned) check_named_barriers_empty();
}

static std::vector<uint32_t> order_of_blocks(uint64_t blocks) {
  std::vector<uint32_t> order(machine.options.order == Order::forward ? 0 : blocks);
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<uint32_t>(i);
  if (machine.options.order == Order::reverse) std::reverse(order.begin(), order.end());
  if (machine.options.order == Order::random)
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[next_random() % i]);
  return order;
}

// The limits of compute capability 9.0 (CUDA programming guide, technical specifications).
static void check_limits(dim3 grid, dim3 block, size_t smem) {
  const auto fail = [](const std::string& text) {
    throw Error("launch: " + text, {{"launch limits", text}});
  };
  const auto triple = [](dim3 d) {
    return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")";
  };
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  if (threads == 0 || block.x > 1024 || block.y > 1024 || block.z > 64 || threads > kMaxThreads)
    fail("block " + triple(block) + " is not between 1 and 1024 threads with z up to 64");
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
    fail("grid " + triple(grid) +
         " is not at least 1 in every direction and at most 2147483647 x 65535 x 65535");
  if (smem > 227 * 1024) fail(std::to_string(smem) + " bytes of dynamic shared memory are more than 227 KiB");
}

// Dynamic shared memory of one launch, aligned to 128 bytes, with a tail that nobody may touch.
class SmemForLaunch {
 public:
  explicit SmemForLaunch(size_t bytes) : raw_bytes_(bytes + 2 * kTail), raw_(new char[raw_bytes_]) {
    const auto address = reinterpret_cast<uintptr_t>(raw_.get());
    machine.smem = raw_.get() + (128 - address % 128) % 128;
    machine.smem_bytes = bytes;
    std::memset(raw_.get(), 0xFF, raw_bytes_);
#if SIMT_ASAN
    __asan_poison_memory_region(raw_.get(), raw_bytes_);
    __asan_unpoison_memory_region(machine.smem, bytes);
#endif
  }
  ~SmemForLaunch() {
#if SIMT_ASAN
    __asan_unpoison_memory_region(raw_.get(), raw_bytes_);
#endif
    machine.smem = nullptr;
    machine.smem_bytes = 0;
  }
  SmemForLaunch(const SmemForLaunch&) = delete;
  SmemForLaunch& operator=(const SmemForLaunch&) = delete;

 private:
  static constexpr size_t kTail = 1024;
  size_t raw_bytes_;
  std::unique_ptr<char[]> raw_;
};

static void throw_reports() {
  if (machine.reports.empty()) return;
  const size_t all = machine.reports.size() + machine.reports_dropped;
  std::string text = "simt: " + std::to_string(all) + (all == 1 ? " problem" : " problems");
  for (const Report& r : machine.reports) text += "\n   [" + r.kind + "] " + r.text;
  if (machine.reports_dropped) text += "\n   and " + std::to_string(machine.reports_dropped) + " more";
  throw Error(text, std::move(machine.reports));
}

void run_grid(dim3 grid, dim3 block, size_t dynamic_bytes, void (*invoke)(void*), void* call,
              size_t call_bytes) {
  const Occupied guard("launch");
  check_limits(grid, block, dynamic_bytes);
  machine.threads = block.x * block.y * block.z;
  machine.block_size = blockDim = block;
  machine.grid_size = gridDim = grid;
  machine.invoke = invoke;
  machine.owner = pthread_self();
  machine.call = call;
  machine.call_bytes = call_bytes;
  machine.host = {};
  machine.abandoned = false;
  machine.reports.clear();
  machine.reports_dropped = 0;
  machine.random_state = machine.options.seed * 2654435761u | 1u;
  machine.launch_start = ++machine.epoch;
  const SmemForLaunch smem(dynamic_bytes);
  checker_begin_launch();
  const uint64_t blocks = uint64_t{grid.x} * grid.y * grid.z;
  const std::vector<uint32_t> order = order_of_blocks(blocks);
  for (uint64_t i = 0; i < blocks && !machine.abandoned; ++i) run_block(order.empty() ? i : order[i]);
  if (machine.failure) std::rethrow_exception(std::exchange(machine.failure, nullptr));
  throw_reports();
}

void* dynamic_smem_base() {
  if (!machine.current) outside_kernel("dynamic_smem");
  return machine.smem;
}
unsigned current_lane() {
  if (!machine.current) outside_kernel("lane number");
  return machine.current->lane;
}
unsigned active_mask() {
  if (!machine.current) outside_kernel("__activemask");
  return machine.live_lanes[machine.current->warp];
}

}  // namespace simt::detail
