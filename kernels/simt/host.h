// What a program or a test says to the emulator: options, reports, device memory. No words of the CUDA
// language in here.
//
// The emulator is one machine per process, and single-threaded: a call while another thread of the process
// (or a kernel) is inside it throws Error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace simt {

// The order in which threads, warps and blocks get their turn. A correct kernel gives the same bits in all of
// them.
enum class Order { forward, reverse, random };

struct Options {
  Order order = Order::forward;
  uint32_t seed = 1;                 // of Order::random
  bool allow_exited_lanes = false;   // a mask may name lanes that have left the kernel
  bool check_between_blocks = true;  // off for kernels in which the last block reads what the others wrote
  size_t max_reports = 8;            // kept per launch; the rest is counted
};

struct Report {
  std::string kind;  // e.g. "shared race"; README.md lists them
  std::string text;  // block, thread, both source lines
};

// Everything the emulator has to complain about; what() is all reports together.
struct Error : std::runtime_error {
  std::vector<Report> reports;
  Error(const std::string& message, std::vector<Report> r)
      : std::runtime_error(message), reports(std::move(r)) {}
};

// The options start as the environment says: SIMT_ORDER = forward, reverse or random:SEED.
const Options& options();
void set_options(const Options&);

// Options for the length of a scope.
struct ScopedOptions {
  Options before = options();
  explicit ScopedOptions(const Options& o) { set_options(o); }
  ~ScopedOptions() { set_options(before); }
  ScopedOptions(const ScopedOptions&) = delete;
  ScopedOptions& operator=(const ScopedOptions&) = delete;
};

// Counts since the start of the process.
struct Statistics {
  uint64_t block_barriers = 0, warp_operations = 0, switches = 0, accesses = 0;
};
const Statistics& statistics();

// True in the build whose checker sees every access of a kernel.
bool checked();
const char* switch_mechanism();  // "x86-64" or "ucontext"

// Device memory, aligned to 256 bytes, filled with 0xFF (NaN), with guards on both sides in the checked and
// ASan builds. device_free throws Error for an address that device_alloc did not give; nullptr is ignored.
void* device_alloc(size_t bytes);
void device_free(void* p);

// The host wrote this range of a device buffer (what cudaMemcpy to the device does): it may be read from now
// on.
void mark_initialised(const void* p, size_t bytes);

// A device array owned by the host.
template <class T>
struct Buffer {
  T* data;
  size_t count;

  explicit Buffer(size_t n) : data(static_cast<T*>(device_alloc(n * sizeof(T)))), count(n) {}
  explicit Buffer(const std::vector<T>& v) : Buffer(v.size()) { put(v); }
  ~Buffer() { device_free(data); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void put(const std::vector<T>& v) {
    if (v.size() > count) throw Error("put: more values than the buffer holds", {});
    if (v.empty()) return;
    std::memcpy(static_cast<void*>(data), v.data(), v.size() * sizeof(T));
    mark_initialised(data, v.size() * sizeof(T));
  }
  std::vector<T> get() const { return {data, data + count}; }
};

}  // namespace simt
