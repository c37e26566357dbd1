// The directory of a run: made under its final name, and every file in it written under a temporary name,
// brought to the disk and renamed, so that what is there is whole.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "tools/run_lock.h"

namespace shoal {

/// What to do with a directory that is there already.
enum class Existing {
  refuse,   // an error
  replace,  // --force: emptied first, if it is a run's or empty; anything else is refused
  resume,   // --resume: kept
};

/// Throws what RunDirectory would throw about a directory that is there; changes nothing.
void check_run_path(const std::filesystem::path&, Existing);

class RunDirectory {
 public:
  /// Makes the directory, and its parents, and holds its lock. UsageError when it exists and may not be
  /// touched, or when another process is at work in it; OutputError when it cannot be made or written to.
  RunDirectory(std::filesystem::path, Existing);

  const std::filesystem::path& path() const { return directory; }
  std::filesystem::path file(std::string_view name) const { return directory / name; }

  /// Writes a whole file. OutputError.
  void write(std::string_view name, std::string_view content) const;
  /// Lets `make` write a file under a temporary name, then brings it to the disk and renames it. For writers
  /// that want a path; also into subdirectories ("figures/width.svg"), which are made.
  template <class Make>
  void write_with(std::string_view name, Make&& make) const {
    const std::filesystem::path temporary = temporary_for(name);
    try {
      make(temporary);
    } catch (...) {
      discard(temporary);
      throw;
    }
    publish(temporary, name);
  }
  /// Adds one line to a file and brings it to the disk. OutputError.
  void append_line(std::string_view name, std::string_view line) const;

 private:
  std::filesystem::path temporary_for(std::string_view name) const;
  void publish(const std::filesystem::path& temporary, std::string_view name) const;
  static void discard(const std::filesystem::path& temporary);
  std::filesystem::path directory;
  std::optional<RunLock> lock;
};

/// Is it the directory of a run (does it hold a run.json or config.toml of ours)?
bool is_run_directory(const std::filesystem::path&);

/// runs/<yyyymmdd-hhmmss>-<name>, with a number behind it when that is taken.
std::filesystem::path default_run_path(std::string_view name);

/// Writes `content` to `path` by way of a temporary name in the same directory. OutputError.
void write_whole_file(const std::filesystem::path& path, std::string_view content);

}  // namespace shoal
