#include "tools/figures/gnuplot.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

extern char** environ;

namespace shoal {
namespace {

/// A child's program, its folder, and stdout and stderr both into the pipe's end `out`.
int spawn(pid_t& child, const std::filesystem::path& folder, const std::string& program,
          const std::string& script, int out) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
  std::array<std::string, 3> words{program, "--default-settings", script};
  std::array<char*, 4> argv{words[0].data(), words[1].data(), words[2].data(), nullptr};
  const int error = posix_spawnp(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

std::string read_all(int descriptor) {
  std::string all;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t n = read(descriptor, buffer.data(), buffer.size());
    if (n > 0) all.append(buffer.data(), static_cast<std::size_t>(n));
    if (n == 0 || (n < 0 && errno != EINTR)) return all;
  }
}

/// gnuplot repeats the faulty line and points at the place before it says what is wrong: its last line that
/// is not empty.
std::string complaint(const std::string& said) {
  const std::size_t end = said.find_last_not_of(" \n");
  if (end == std::string::npos) return "it said nothing";
  const std::size_t begin = said.find_last_of('\n', end);
  return said.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

}  // namespace

GnuplotResult run_gnuplot(const std::filesystem::path& folder, const std::string& script,
                          const std::string& program) {
  using Outcome = GnuplotResult::Outcome;
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {Outcome::failed, std::strerror(errno)};
  pid_t child = 0;
  const int error = spawn(child, folder, program, script, ends[1]);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    if (error == ENOENT) return {Outcome::no_gnuplot, {}};
    return {Outcome::failed, std::strerror(error)};
  }
  const std::string said = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  // A C library that starts children without telling an absent program apart ends them with 127.
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return {Outcome::no_gnuplot, {}};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {Outcome::drawn, {}};
  return {Outcome::failed, complaint(said)};
}

}  // namespace shoal
