#include "tests/kernels/emulated.h"

#include "kernels/simt/host.h"

namespace shoal::test {

TestMachine as_test_machine(const DeviceMachine& m) {
  TestMachine t{};
  t.name = m.name;
  t.ops = m.ops;
  t.statistics = m.statistics;
  t.memory = m.memory;
  t.tiles = m.tiles;
  t.shuffle_scratch = m.shuffle_scratch;
  t.sort_scratch = m.sort_scratch;
  t.is_device = true;
  return t;
}

TestMachine emulated_machine() {
  TestMachine t = as_test_machine(emu_machine());
  t.is_emulated = true;
#if defined(SIMT_MODE_CHECKED) || defined(SIMT_MODE_ASAN)
  t.guards_memory = true;
#endif
  return t;
}

struct Schedule::Options : simt::ScopedOptions {
  using simt::ScopedOptions::ScopedOptions;
};

Schedule::Schedule(const TestMachine& machine, int schedule) {
  if (!machine.is_emulated) return;
  simt::Options o = simt::options();
  o.order = schedule == 0 ? simt::Order::forward : schedule == 1 ? simt::Order::reverse : simt::Order::random;
  o.seed = static_cast<std::uint32_t>(schedule);
  options_ = std::make_unique<Options>(o);
}

Schedule::~Schedule() = default;

}  // namespace shoal::test
