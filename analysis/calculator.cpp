#include "analysis/calculator.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "analysis/samples.h"
#include "kernels/parallel.h"

namespace shoal {
namespace {

/// Ranges a thread gets on average, at least: enough that the last one to end does not keep the others
/// waiting long. And values of a range, at most, where samples are shorter: they stay in a core's cache from
/// op to op.
constexpr std::int64_t kRangesPerThread = 8;
constexpr std::int64_t kRangeValues = 1 << 15;

}  // namespace

void check_samples(std::span<const std::int64_t> offsets, std::size_t values) {
  if (offsets.empty()) throw std::invalid_argument("samples: there are no offsets; no samples have one, 0");
  if (offsets.front() < 0) throw std::invalid_argument("samples: the first offset is negative");
  for (std::size_t s = 1; s < offsets.size(); ++s)
    if (offsets[s] < offsets[s - 1])
      throw std::invalid_argument("samples: offset " + std::to_string(s) + " is below the one before it");
  if (static_cast<std::size_t>(offsets.back()) > values)
    throw std::invalid_argument("samples: the last offset, " + std::to_string(offsets.back()) +
                                ", is beyond the " + std::to_string(values) + " values");
}

Calculator::Calculator(const MachineSpec& spec) {
  if (spec.kind == MachineSpec::Kind::cpu) {
    ops_ = &cpu_statistics(best_cpu_level());
    threads_ = spec.threads > 0 ? spec.threads : usable_threads();
    return;
  }
  device_ = std::make_unique<DeviceMachine>(
      spec.kind == MachineSpec::Kind::emu ? emu_machine() : cuda_machine(spec.device, spec.gemm));
  ops_ = &device_->statistics;
  stream_ = device_->memory.open_stream();
}

Calculator::~Calculator() {
  if (device_) device_->memory.close_stream(stream_);
}

std::string Calculator::name() const {
  if (device_) return device_->name + ": " + device_->description;
  return std::string("cpu ") + name_of(best_cpu_level()) + ", " + std::to_string(threads_) +
         (threads_ == 1 ? " thread" : " threads");
}

void Calculator::for_each(int count, const std::function<void(int)>& body) const {
  if (threads_ == 1 || count <= 1) {
    for (int task = 0; task < count; ++task) body(task);
    return;
  }
  parallel_for(threads_, count, [&](int, int task) { body(task); });
}

void Calculator::over_samples(std::span<const std::int64_t> offsets,
                              const std::function<void(std::int64_t, std::int64_t, void*)>& body) const {
  const auto count = static_cast<std::int64_t>(offsets.size()) - 1;
  if (count <= 0) return;
  if (device_) return body(0, count, stream_);
  // Every sample counts as one value more, so that crowds of empty samples are shared out, too.
  const auto work_before = [&](std::int64_t s) {
    return offsets[static_cast<std::size_t>(s)] - offsets.front() + s;
  };
  const std::int64_t ranges =
      std::min(count, std::max(threads_ * kRangesPerThread, work_before(count) / kRangeValues));
  std::vector<std::int64_t> begin{0};
  for (std::int64_t s = 0; s < count; ++s)
    if (work_before(s + 1) * ranges >= work_before(count) * static_cast<std::int64_t>(begin.size()))
      begin.push_back(s + 1);
  for_each(static_cast<int>(begin.size()) - 1, [&](int range) {
    const auto r = static_cast<std::size_t>(range);
    body(begin[r], begin[r + 1], nullptr);
  });
}

}  // namespace shoal
