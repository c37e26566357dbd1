// The emulated machine as the tests see it; shared by both lists of machines.
#pragma once

#include "tests/kernels/machines.h"

namespace shoal::test {

TestMachine emulated_machine();
TestMachine as_test_machine(const DeviceMachine&);

}  // namespace shoal::test
