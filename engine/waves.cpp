#include "engine/waves.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "engine/driver.h"

namespace shoal {
namespace {

constexpr double kShareOfMemory = 0.8;
constexpr std::size_t kGateFloats = 6;  // of a neuron: the gate, and what GateState points to

double gib(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 30); }

/// What the control group (version 2) leaves, or a very large number.
std::size_t room_in_control_group() {
  std::ifstream limit("/sys/fs/cgroup/memory.max"), used("/sys/fs/cgroup/memory.current");
  std::size_t most = 0, now = 0;
  if (!(limit >> most) || !(used >> now)) return std::numeric_limits<std::size_t>::max();
  return most > now ? most - now : 0;
}

std::size_t available_in_system() {
  std::ifstream file("/proc/meminfo");
  std::string key, unit;
  std::size_t kilobytes = 0;
  while (file >> key >> kilobytes) {
    if (key == "MemAvailable:") return kilobytes * 1024;
    std::getline(file, unit);
  }
  return std::numeric_limits<std::size_t>::max();
}

}  // namespace

std::size_t state_bytes(const Layout& layout, const Pack& p) {
  return static_cast<std::size_t>(p.parameter_count) * sizeof(float) *
             static_cast<std::size_t>(1 + layout.slots) +
         static_cast<std::size_t>(p.neuron_count) *
             (sizeof(Moments) + (p.gate_count > 0 ? kGateFloats * sizeof(float) : 0));
}

std::size_t activation_bytes(const Pack& p) {
  return static_cast<std::size_t>(p.output_count) * sizeof(float) * 2;
}

std::size_t data_bytes(const Task& task) {
  std::size_t bytes = 0;
  for (const DataView* d : {&task.train, &task.test})
    bytes += static_cast<std::size_t>(d->count) *
             (static_cast<std::size_t>(d->features) * (d->bytes ? 1 : sizeof(float)) + sizeof(std::int32_t));
  return bytes;
}

std::size_t available_memory() { return std::min(available_in_system(), room_in_control_group()); }

std::size_t memory_budget(const RunSpec& run, const Task& task, const Layout& layout) {
  if (run.machine.memory_limit > 0) return run.machine.memory_limit;
  if (run.machine.kind != MachineSpec::Kind::cpu) {
    const auto there = static_cast<double>(open_device(run.machine).memory.available());
    const std::size_t taken =
        data_bytes(task) + layout.groups.size() * static_cast<std::size_t>(task.train.count) * 16;
    return static_cast<std::size_t>(std::max(0.0, there * kShareOfMemory - static_cast<double>(taken)));
  }
  return static_cast<std::size_t>(static_cast<double>(available_memory()) * kShareOfMemory);
}

std::vector<std::vector<std::int64_t>> cut_waves(const Layout& layout, std::size_t budget, bool on_device) {
  std::vector<std::size_t> room;  // [wave]
  std::vector<int> wave_of(layout.packs.size());
  for (std::size_t p = 0; p < layout.packs.size(); ++p) {
    const Pack& pack = layout.packs[p];
    const std::size_t bytes = state_bytes(layout, pack) + (on_device ? activation_bytes(pack) : 0);
    if (bytes > budget)
      throw DeviceError(fmt::format(
          "the largest model needs {:.2f} GiB with its optimizer state, and {:.2f} GiB may be used",
          gib(bytes), gib(budget)));
    const auto fit = std::find_if(room.begin(), room.end(), [&](std::size_t r) { return r >= bytes; });
    wave_of[p] = static_cast<int>(fit - room.begin());
    if (fit == room.end()) {
      room.push_back(budget - bytes);
    } else {
      *fit -= bytes;
    }
  }
  std::vector<std::int32_t> wave_of_model;
  for (const int pack : layout.model_pack) wave_of_model.push_back(wave_of[static_cast<std::size_t>(pack)]);
  return waves_of(wave_of_model);
}

std::vector<std::int32_t> wave_of_each(const std::vector<std::vector<std::int64_t>>& waves,
                                       std::size_t models) {
  std::vector<std::int32_t> wave_of_model(models);
  for (std::size_t w = 0; w < waves.size(); ++w)
    for (const std::int64_t m : waves[w])
      wave_of_model[static_cast<std::size_t>(m)] = static_cast<std::int32_t>(w);
  return wave_of_model;
}

std::vector<std::vector<std::int64_t>> waves_of(std::span<const std::int32_t> wave_of_model) {
  std::vector<std::vector<std::int64_t>> waves;
  for (std::size_t m = 0; m < wave_of_model.size(); ++m) {
    const auto w = static_cast<std::size_t>(wave_of_model[m]);
    if (w >= waves.size()) waves.resize(w + 1);
    waves[w].push_back(static_cast<std::int64_t>(m));
  }
  return waves;
}

}  // namespace shoal
