#include "kernels/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace shoal {
namespace {

TEST_CASE("every task runs once, on threads that exist") {
  for (const int threads : {1, 2, 7, 100}) {
    std::vector<std::atomic<int>> runs(50);
    std::atomic<bool> sane{true};
    parallel_for(threads, 50, [&](int thread, int task) {
      if (thread < 0 || thread >= threads) sane = false;
      ++runs[static_cast<std::size_t>(task)];
    });
    CHECK(sane);
    for (const auto& r : runs) CHECK(r == 1);
  }
}

TEST_CASE("no tasks, no work") {
  parallel_for(4, 0, [](int, int) { FAIL("a task ran"); });
}

TEST_CASE("an exception of a task arrives, and later tasks are skipped") {
  std::atomic<int> ran{0};
  CHECK_THROWS_AS(parallel_for(1, 100,
                               [&](int, int task) {
                                 ++ran;
                                 if (task == 3) throw std::runtime_error("task 3");
                               }),
                  std::runtime_error);
  CHECK(ran == 4);
}

TEST_CASE("a process may use at least one thread") { CHECK(usable_threads() >= 1); }

}  // namespace
}  // namespace shoal
