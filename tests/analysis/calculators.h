// The calculators that the tests of the statistics run on: one and several threads of the CPU, the emulated
// kernels, and a GPU where there is one.
#pragma once

#include <memory>
#include <vector>

#include "analysis/calculator.h"

namespace shoal::test {

inline std::vector<std::unique_ptr<Calculator>> calculators() {
  using Kind = MachineSpec::Kind;
  std::vector<std::unique_ptr<Calculator>> all;
  for (const int threads : {1, 2, 5})
    all.push_back(std::make_unique<Calculator>(MachineSpec{.threads = threads}));
  all.push_back(std::make_unique<Calculator>(MachineSpec{.kind = Kind::emu}));
  if (cuda_status().devices > 0) all.push_back(std::make_unique<Calculator>(MachineSpec{.kind = Kind::cuda}));
  return all;
}

}  // namespace shoal::test
