// The machines that the tests of the ops run on. machines_all.cpp knows all of this build;
// machines_emulated.cpp, for the builds in which the emulation checks every access of a kernel, only the
// emulation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/machine.h"

namespace shoal::test {

struct TestMachine {
  std::string name;  // "cpu v3", "emu", "cuda"
  Ops ops;
  StatisticsOps statistics;
  Memory memory;
  TileShape tiles;
  std::size_t (*shuffle_scratch)(int groups, std::int64_t samples);
  std::size_t (*sort_scratch)(std::int64_t values, std::int64_t samples, int value_bytes);
  bool is_device;      // works on tiles and levels; else on whole arrays of slabs
  bool is_emulated;    // slow, and can run under other schedules
  bool guards_memory;  // the build itself notices an access outside an allocation
};

/// Every machine of this build and this computer, the CPU's levels first. SHOAL_TEST_MACHINES=cuda (or a
/// list: "cpu v3,emu"; "cpu" means all its levels) leaves only those; it is an error when one of them is not
/// here.
const std::vector<TestMachine>& machines();
/// Why the CUDA machine is not among them; empty when it is. In a build that has none by intention: that.
std::string why_no_cuda();

/// Orders in which the emulation may run threads, warps and blocks; a correct kernel gives the same bits in
/// all.
inline constexpr int kSchedules = 4;  // forward, reverse, two random ones
/// The emulation runs under a schedule while this lives; nothing for other machines.
class Schedule {
 public:
  Schedule(const TestMachine&, int schedule);
  ~Schedule();
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

 private:
  struct Options;
  std::unique_ptr<Options> options_;
};

}  // namespace shoal::test
