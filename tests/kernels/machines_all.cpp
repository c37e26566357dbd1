#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sstream>
#include <stdexcept>

#include "tests/kernels/emulated.h"

namespace shoal::test {
namespace {

constexpr std::align_val_t kAlignment{64};

// The CPU's memory is the program's own. It comes filled with NaN, like the emulation's: what an op leaves
// out shows.
constexpr Memory kHostMemory = {
    .allocate =
        [](std::size_t bytes) {
          void* p = ::operator new(bytes, kAlignment);
          std::memset(p, 0xFF, bytes);
          return p;
        },
    .release = [](void* p) { ::operator delete(p, kAlignment); },
    .upload = [](void* device, const void* host, std::size_t bytes,
                 void*) { std::memcpy(device, host, bytes); },
    .download = [](void* host, const void* device, std::size_t bytes,
                   void*) { std::memcpy(host, device, bytes); },
    .clear = [](void* device, std::size_t bytes, void*) { std::memset(device, 0, bytes); },
    .available = [] { return std::size_t{1} << 30; },
    .open_stream = []() -> void* { return nullptr; },
    .close_stream = [](void*) {},
    .synchronize = [](void*) {},
};

TestMachine cpu_machine(CpuLevel level) {
  TestMachine t{};
  t.name = std::string("cpu ") + name_of(level);
  t.ops = cpu_ops(level);
  t.statistics = cpu_statistics(level);
  t.memory = kHostMemory;
  t.sort_scratch = [](std::int64_t values, std::int64_t, int value_bytes) {
    return static_cast<std::size_t>(values * value_bytes);
  };
  return t;
}

/// A word of SHOAL_TEST_MACHINES means the machine of that name, or all whose first word it is.
bool means(const std::string& word, const TestMachine& machine) {
  return machine.name == word || machine.name.starts_with(word + " ");
}

/// The machines that the list names, in their own order. Who asks for one that is not there must not go on
/// with the others, or with none.
std::vector<TestMachine> choose(const std::vector<TestMachine>& all, const std::string& names) {
  std::vector<TestMachine> chosen;
  std::vector<std::string> words;
  std::istringstream in(names);
  for (std::string word; std::getline(in, word, ',');) {
    if (std::none_of(all.begin(), all.end(), [&](const TestMachine& m) { return means(word, m); }))
      throw std::runtime_error("SHOAL_TEST_MACHINES: there is no machine '" + word + "' here");
    words.push_back(word);
  }
  for (const TestMachine& machine : all)
    if (std::any_of(words.begin(), words.end(), [&](const std::string& w) { return means(w, machine); }))
      chosen.push_back(machine);
  return chosen;
}

}  // namespace

const std::vector<TestMachine>& machines() {
  static const std::vector<TestMachine> all = [] {
    std::vector<TestMachine> list;
    for (const CpuLevel level : {CpuLevel::plain, CpuLevel::v2, CpuLevel::v3, CpuLevel::v4})
      if (cpu_level_available(level)) list.push_back(cpu_machine(level));
    list.push_back(emulated_machine());
    if (cuda_status().devices > 0) list.push_back(as_test_machine(cuda_machine(0, Gemm::own)));
    const char* names = std::getenv("SHOAL_TEST_MACHINES");
    return names && *names ? choose(list, names) : list;
  }();
  return all;
}

std::string why_no_cuda() { return cuda_status().reason; }

}  // namespace shoal::test
