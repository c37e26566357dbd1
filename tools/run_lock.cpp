#include "tools/run_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "tools/exit_codes.h"

namespace shoal {
namespace {

/// The number of the process that holds a lock; empty when it has not written it yet.
std::string holder(int descriptor) {
  char text[32] = {};
  const ssize_t n = ::pread(descriptor, text, sizeof text - 1, 0);
  std::string number(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  return number.substr(0, number.find('\n'));
}

/// Does the path still name the open file? Its last owner may have removed it before we had the lock.
bool still_named(int descriptor, const std::filesystem::path& path) {
  struct stat open_file {
  }, named{};
  return ::fstat(descriptor, &open_file) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& directory) : path(directory / kLockFile) {
  while (true) {
    descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0)
      throw OutputError(
          fmt::format("cannot write into the directory {}: {}", directory.string(), std::strerror(errno)));
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      const std::string number = error == EWOULDBLOCK ? holder(descriptor) : std::string();
      ::close(descriptor);
      if (error == EINTR) continue;
      if (error != EWOULDBLOCK)
        throw OutputError(fmt::format("cannot lock {}: {}", path.string(), std::strerror(error)));
      throw UsageError(
          fmt::format("another process{} is at work in {}: wait until it has ended, or choose another "
                      "directory with -o",
                      number.empty() ? "" : " (" + number + ")", directory.string()));
    }
    if (still_named(descriptor, path)) break;
    ::close(descriptor);
  }
  const std::string number = std::to_string(::getpid()) + "\n";
  // The number is for messages only; a disk too full for it is noticed by what matters.
  if (::ftruncate(descriptor, 0) == 0) (void)!::pwrite(descriptor, number.data(), number.size(), 0);
}

RunLock::RunLock(RunLock&& other) noexcept
    : path(std::move(other.path)), descriptor(std::exchange(other.descriptor, -1)) {}

RunLock::~RunLock() {
  if (descriptor < 0) return;
  ::unlink(path.c_str());  // while the lock is held, so that it is nobody else's
  ::close(descriptor);
}

}  // namespace shoal
