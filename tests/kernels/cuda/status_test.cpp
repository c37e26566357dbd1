// What the program is told about GPUs: with one, its name; without one, why. Never a silent way out.
#include <doctest/doctest.h>

#include <string>

#include "kernels/machine.h"

using namespace shoal;

TEST_CASE("a computer has devices with names, or a reason in words") {
  const CudaStatus status = cuda_status();
  CHECK(status.devices == static_cast<int>(status.names.size()));
  CHECK((status.devices > 0) == status.reason.empty());
}

TEST_CASE("a device that is not there is an error that says so") {
  const CudaStatus status = cuda_status();
  for (const Gemm gemm : {Gemm::own, Gemm::cublas}) {
    std::string said;
    try {
      cuda_machine(status.devices, gemm);
    } catch (const DeviceError& e) { said = e.what(); }
    CAPTURE(said);
    CHECK(said.find(status.devices == 0 ? status.reason : "there is no CUDA device") != std::string::npos);
  }
}

TEST_CASE("the emulation is always there, and says what it is") {
  const DeviceMachine machine = emu_machine();
  CHECK(machine.name == "emu");
  CHECK_FALSE(static_cast<bool>(machine.record.begin));
  CHECK(machine.description.find("emulated") != std::string::npos);
}
