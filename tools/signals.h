// SIGINT, SIGTERM and SIGUSR1 ask the program to stop at the next step, after a checkpoint. A second SIGINT
// ends it at once. Everything that may take long looks at the flag.
#pragma once

#include <atomic>

namespace shoal {

/// From now on the signals set the flag. SIGPIPE and SIGXFSZ are ignored: writing fails with a message
/// instead.
void watch_signals();

/// From now on they end the program at once, as they do any other: for commands that leave nothing behind.
void stop_watching_signals();

const std::atomic<bool>& stop_requested();

/// 130 after SIGINT, 143 after SIGTERM or SIGUSR1, 0 when no signal came.
int stop_exit_code();

}  // namespace shoal
