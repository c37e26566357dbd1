#include "tools/signals.h"

#include <unistd.h>

#include <csignal>
#include <initializer_list>

#include "tools/exit_codes.h"

namespace shoal {
namespace {

// A signal handler reaches nothing but what is global.
std::atomic<bool> stop{false};
std::atomic<int> first_signal{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

extern "C" void on_signal(int number) {
  if (number == SIGINT && first_signal.load() == SIGINT) _exit(kExitInterrupted);
  int none = 0;
  first_signal.compare_exchange_strong(none, number);
  stop.store(true);
}

}  // namespace

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) sigaction(number, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void stop_watching_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) std::signal(number, SIG_DFL);
}

const std::atomic<bool>& stop_requested() { return stop; }

int stop_exit_code() {
  const int number = first_signal.load();
  return number == 0 ? 0 : number == SIGINT ? kExitInterrupted : kExitTerminated;
}

}  // namespace shoal
