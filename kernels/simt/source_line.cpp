// From a return address to file and line, by asking addr2line (no shell in between).
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "kernels/simt/checker_report.h"

extern "C" char __executable_start;
extern "C" char** environ;

namespace simt::detail {

uint32_t image_offset(const void* pc) {
  return pc ? static_cast<uint32_t>(static_cast<const char*>(pc) - &__executable_start) : 0;
}

namespace {

// The address of the image's start as the linker wrote it: what addr2line counts from.
uintptr_t linked_start() {
  uintptr_t bias = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        *static_cast<uintptr_t*>(out) = info->dlpi_addr;
        return 1;  // the first object is the program
      },
      &bias);
  return reinterpret_cast<uintptr_t>(&__executable_start) - bias;
}

std::string program_path() {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  return n > 0 ? std::string(path, static_cast<size_t>(n)) : std::string();
}

// What a program writes to its standard output; empty if it cannot be run.
std::string output_of(const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  char part[512];
  for (ssize_t n; !failed && (n = read(ends[0], part, sizeof part)) > 0;)
    text.append(part, static_cast<size_t>(n));
  close(ends[0]);
  if (failed) return {};
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? text : std::string();
}

std::string look_up(uint32_t offset) {
  char address[32];
  // One byte back from the return address lies in the call itself.
  std::snprintf(address, sizeof address, "0x%lx", static_cast<unsigned long>(linked_start() + offset - 1));
  std::string line = output_of({"addr2line", "-s", "-e", program_path(), address});
  line = line.substr(0, line.find_first_of(" \n"));
  const bool unknown = line.empty() || line[0] == '?';
  return unknown ? std::string("address ") + address : line;
}

}  // namespace

std::string source_line(uint32_t offset) {
  if (offset == 0) return "an unknown line";
  static std::map<uint32_t, std::string> known;
  const auto it = known.find(offset);
  if (it != known.end()) return it->second;
  return known[offset] = look_up(offset);
}

}  // namespace simt::detail
