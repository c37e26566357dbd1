#include "tools/run_directory.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <system_error>

#include "tools/exit_codes.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* what, const fs::path& path, int error) {
  throw OutputError(fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error)));
}

/// A file descriptor that closes itself.
struct File {
  int descriptor;
  File(const fs::path& path, int flags) : descriptor(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
    if (descriptor < 0) fail("open", path, errno);
  }
  ~File() { ::close(descriptor); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
};

void write_all(int descriptor, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(descriptor, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write", path, errno);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
}

void bring_to_disk(int descriptor, const fs::path& path) {
  // Pipes and some file systems know no fsync; that is no loss of ours.
  if (::fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
    fail("bring to the disk", path, errno);
}

/// The name in the directory must reach the disk too; where that cannot be asked for it is no error.
void bring_directory_to_disk(const fs::path& directory) {
  const int descriptor =
      ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

void rename_or_fail(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail("rename a file to", to, errno);
  bring_directory_to_disk(to.parent_path());
}

fs::path temporary_of(const fs::path& path) {
  fs::path temporary = path;
  temporary += ".tmp";
  return temporary;
}

void empty_directory(const fs::path& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().filename() == kLockFile) continue;  // ours
    fs::remove_all(entry.path(), error);
    if (error) break;
  }
  if (error) fail("empty", directory, error.value());
}

/// What a killed process has left half-written.
void remove_temporaries(const fs::path& directory) {
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(directory, ignored))
    if (entry.path().extension() == ".tmp") fs::remove(entry.path(), ignored);
}

/// A process killed early leaves its lock file behind, and nothing else.
bool holds_nothing(const fs::path& directory) {
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().filename() != kLockFile) return false;
  return true;
}

void check_existing(const fs::path& directory, Existing existing) {
  if (!fs::is_directory(directory))
    throw UsageError(
        fmt::format("{} exists and is no directory: choose another with -o", directory.string()));
  const bool empty = holds_nothing(directory);
  if (existing == Existing::refuse)
    throw UsageError(fmt::format("the directory {} exists: choose another with -o, {}", directory.string(),
                                 empty || is_run_directory(directory)
                                     ? "replace it with --force or go on with --resume"
                                     : "it is not the directory of a run"));
  if (!empty && !is_run_directory(directory))
    throw UsageError(
        fmt::format("{} holds something, but it is not the directory of a run (it has no config.toml "
                    "and run.json of shoal): {} leaves it alone",
                    directory.string(), existing == Existing::replace ? "--force" : "--resume"));
}

bool first_line_is_ours(const fs::path& path, std::string_view beginning) {
  std::string start(beginning.size(), '\0');
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const ssize_t n = ::read(descriptor, start.data(), start.size());
  ::close(descriptor);
  return n == static_cast<ssize_t>(start.size()) && start == beginning;
}

}  // namespace

bool is_run_directory(const fs::path& directory) {
  return first_line_is_ours(directory / "run.json", "{\n  \"program\": \"shoal\"") ||
         first_line_is_ours(directory / "config.toml", "# Settings of a run; `shoal ");
}

void check_run_path(const fs::path& path, Existing existing) {
  // symlink_status: a dangling link is something that exists, too.
  if (fs::exists(fs::symlink_status(path))) check_existing(path, existing);
}

RunDirectory::RunDirectory(fs::path path, Existing existing) : directory(std::move(path)) {
  check_run_path(directory, existing);
  const bool there = fs::exists(directory);
  if (!there) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) fail("make the directory", directory, error.value());
  }
  if (::access(directory.c_str(), W_OK | X_OK) != 0) fail("write into the directory", directory, errno);
  lock.emplace(directory);
  if (there) {
    if (existing == Existing::replace) empty_directory(directory);
    if (existing == Existing::resume) remove_temporaries(directory);
  }
}

fs::path RunDirectory::temporary_for(std::string_view name) const {
  const fs::path path = file(name);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) fail("make the directory", path.parent_path(), error.value());
  return temporary_of(path);
}

void RunDirectory::publish(const fs::path& temporary, std::string_view name) const {
  {
    const File written(temporary, O_RDONLY);
    bring_to_disk(written.descriptor, temporary);
  }
  rename_or_fail(temporary, file(name));
}

void RunDirectory::discard(const fs::path& temporary) {
  std::error_code ignored;
  fs::remove(temporary, ignored);
}

void RunDirectory::write(std::string_view name, std::string_view content) const {
  temporary_for(name);
  write_whole_file(file(name), content);
}

void RunDirectory::append_line(std::string_view name, std::string_view line) const {
  const File out(file(name), O_WRONLY | O_CREAT | O_APPEND);
  write_all(out.descriptor, std::string(line) + "\n", file(name));
  bring_to_disk(out.descriptor, file(name));
}

fs::path default_run_path(std::string_view name) {
  const std::time_t now = std::time(nullptr);
  const std::string stem = fmt::format("runs/{:%Y%m%d-%H%M%S}-{}", fmt::localtime(now), name);
  fs::path path = stem;
  for (int i = 2; fs::exists(fs::symlink_status(path)); ++i) path = fmt::format("{}-{}", stem, i);
  return path;
}

void write_whole_file(const fs::path& path, std::string_view content) {
  const fs::path temporary = temporary_of(path);
  try {
    const File out(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(out.descriptor, content, path);
    bring_to_disk(out.descriptor, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
  rename_or_fail(temporary, path);
}

}  // namespace shoal
