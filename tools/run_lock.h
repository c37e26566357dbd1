// One process at a time in a run directory.
#pragma once

#include <filesystem>

namespace shoal {

/// Holds the lock file of a directory for as long as it lives. The system gives the lock back when a process
/// ends, however it ends; a file that was left behind locks nothing. The file holds the process's number.
class RunLock {
 public:
  /// UsageError when another process holds it; OutputError when the file cannot be made.
  explicit RunLock(const std::filesystem::path& directory);
  ~RunLock();
  RunLock(RunLock&&) noexcept;
  RunLock& operator=(RunLock&&) = delete;

 private:
  std::filesystem::path path;
  int descriptor = -1;
};

/// Name of the lock file.
inline constexpr const char* kLockFile = "lock";

}  // namespace shoal
