// Work for a few threads: independent tasks, taken one by one.
#pragma once

#include <functional>

namespace shoal {

/// Processors that this process may use: its affinity, and the quota of its control group where there is one.
/// At least 1.
int usable_threads();

/// Runs body(thread, task) for every task 0 .. count-1 on `threads` threads, in ascending order of start. The
/// calling thread waits and calls `poll` about ten times a second. The first exception of a task is rethrown
/// here when all threads have ended; tasks not yet begun are then skipped.
void parallel_for(int threads, int count, const std::function<void(int thread, int task)>& body,
                  const std::function<void()>& poll = {});

}  // namespace shoal
