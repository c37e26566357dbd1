#include "kernels/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace shoal {
namespace {

/// Processors granted by the control group (version 2), rounded up; a large number where there is no quota.
int quota_of_control_group() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 1 << 20;
  return std::max(1, static_cast<int>((std::stod(quota) + period - 1) / period));
}

}  // namespace

int usable_threads() {
  cpu_set_t set;
  int count = static_cast<int>(std::thread::hardware_concurrency());
  if (sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
  return std::max(1, std::min(count, quota_of_control_group()));
}

void parallel_for(int threads, int count, const std::function<void(int, int)>& body,
                  const std::function<void()>& poll) {
  std::atomic<int> next{0};
  std::mutex mutex;
  std::condition_variable ended;
  std::exception_ptr failure;
  int running = std::max(1, std::min(threads, count));
  const auto work = [&](int thread) {
    try {
      for (int task = next++; task < count; task = next++) body(thread, task);
    } catch (...) {
      next = count;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    --running;
    ended.notify_one();
  };
  std::vector<std::jthread> pool;
  for (int t = 0, size = running; t < size; ++t) pool.emplace_back(work, t);
  std::unique_lock lock(mutex);
  while (running > 0) {
    ended.wait_for(lock, std::chrono::milliseconds(100), [&] { return running == 0; });
    if (!poll) continue;
    lock.unlock();
    poll();
    lock.lock();
  }
  lock.unlock();
  pool.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace shoal
