// How the program ends. The help text, docs/command-line.md and the tests name the same numbers.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

namespace shoal {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;   // a bug, a full disk, a directory that cannot be written
inline constexpr int kExitUsage = 2;     // command line, configuration, a specification that cannot be run
inline constexpr int kExitDiverged = 3;  // finished, but some models diverged
inline constexpr int kExitData = 4;      // data or weights missing or damaged
inline constexpr int kExitDevice = 5;    // no usable device, out of memory
inline constexpr int kExitInterrupted = 130;  // SIGINT, after a checkpoint
inline constexpr int kExitTerminated = 143;   // SIGTERM or SIGUSR1, after a checkpoint

/// Something wrong with what was asked for: a flag, a configuration key, a value. One sentence, naming the
/// nearest valid choice where there is one. Exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A file that cannot be written, in one sentence with the system's reason. Exit code 1.
struct OutputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Failure {
  int code;
  std::string message;  // one sentence, without "error:"
};

/// Code and sentence of what was thrown.
Failure failure_of(std::exception_ptr);

/// The table of codes, for the end of the help text.
extern const char* const kExitCodeHelp;

}  // namespace shoal
