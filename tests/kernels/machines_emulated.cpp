#include "tests/kernels/emulated.h"

namespace shoal::test {

const std::vector<TestMachine>& machines() {
  static const std::vector<TestMachine> all = {emulated_machine()};
  return all;
}

std::string why_no_cuda() { return "this build tests the emulation only"; }

}  // namespace shoal::test
