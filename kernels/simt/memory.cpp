// Device buffers of the emulator.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "kernels/simt/checker.h"
#include "kernels/simt/machine.h"

namespace simt::detail {

namespace {
std::vector<Allocation> allocations;  // sorted by base
constexpr size_t kAlignment = 256;
constexpr size_t round_up(size_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }
}  // namespace

const Allocation* allocation_at_or_below(const void* p) {
  const auto it = std::upper_bound(allocations.begin(), allocations.end(), static_cast<const char*>(p),
                                   [](const char* q, const Allocation& a) { return q < a.base; });
  return it == allocations.begin() ? nullptr : &*(it - 1);
}

// The image's data and bss: every __shared__ array is in there.
extern "C" char __data_start, _end;

bool is_shared(const void* p) {
  const char* c = static_cast<const char*>(p);
  return (c >= machine.smem && c < machine.smem + machine.smem_bytes) || (c >= &__data_start && c < &_end);
}

static void set_poison([[maybe_unused]] const Allocation& a, [[maybe_unused]] bool poisoned) {
#if SIMT_ASAN
  const size_t guarded = round_up(a.bytes) + 2 * kGuardBytesOfBuffers;
  __asan_unpoison_memory_region(a.raw, guarded);
  if (!poisoned) return;
  __asan_poison_memory_region(a.raw, guarded);
  __asan_unpoison_memory_region(a.base, a.bytes);
#endif
}

}  // namespace simt::detail

namespace simt {

using namespace detail;

void* device_alloc(size_t bytes) {
  const Occupied guard("device_alloc");
  const size_t guarded = round_up(bytes) + 2 * kGuardBytesOfBuffers;
  char* raw = static_cast<char*>(std::aligned_alloc(kAlignment, guarded));
  if (!raw) throw std::bad_alloc();
  std::memset(raw, 0xFF, guarded);
  const Allocation a{raw + kGuardBytesOfBuffers, bytes, raw, shadow_new(bytes)};
  set_poison(a, true);
  const auto place =
      std::upper_bound(allocations.begin(), allocations.end(), a,
                       [](const Allocation& x, const Allocation& y) { return x.base < y.base; });
  allocations.insert(place, a);
  return a.base;
}

void device_free(void* p) {
  if (!p) return;
  const Occupied guard("device_free");
  const auto it =
      std::find_if(allocations.begin(), allocations.end(), [p](const Allocation& a) { return a.base == p; });
  if (it == allocations.end())
    throw Error("device_free: this address did not come from device_alloc, or was freed", {});
  set_poison(*it, false);
  shadow_delete(it->shadow);
  std::free(it->raw);
  allocations.erase(it);
}

void mark_initialised(const void* p, size_t bytes) {
  if (bytes == 0) return;
  const Occupied guard("mark_initialised");
  const Allocation* a = allocation_at_or_below(p);
  const size_t offset = a ? static_cast<size_t>(static_cast<const char*>(p) - a->base) : 0;
  if (!a || offset > a->bytes || bytes > a->bytes - offset)
    throw Error("mark_initialised: the range does not lie in a device buffer", {});
  shadow_written_by_host(a->shadow, offset, bytes);
}

}  // namespace simt
