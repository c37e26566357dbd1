// Device memory, limits of a launch, one user at a time.
#include <doctest/doctest.h>

#include <cstdint>
#include <thread>

#include "tests/simt/language.h"
#include "tests/simt/schedules.h"

TEST_CASE("device memory is aligned, starts as NaN, and is freed once") {
  for (size_t bytes : {size_t{0}, size_t{1}, size_t{255}, size_t{4096}}) {
    auto* p = static_cast<unsigned char*>(simt::device_alloc(bytes));
    CHECK(reinterpret_cast<uintptr_t>(p) % 256 == 0);
    for (size_t i = 0; i < bytes; ++i) CHECK(p[i] == 0xFF);
    simt::device_free(p);
    CHECK_THROWS_AS(simt::device_free(p), simt::Error);
  }
  simt::device_free(nullptr);
  int local = 0;
  CHECK_THROWS_AS(simt::device_free(&local), simt::Error);
}

TEST_CASE("the host says what it wrote, inside of buffers only") {
  simt::Buffer<float> b(4);
  CHECK_NOTHROW(simt::mark_initialised(b.data, 16));
  CHECK_NOTHROW(simt::mark_initialised(b.data + 4, 0));
  CHECK_THROWS_AS(simt::mark_initialised(b.data, 17), simt::Error);
  CHECK_THROWS_AS(simt::mark_initialised(b.data - 1, 4), simt::Error);
  CHECK_THROWS_AS(b.put({1, 2, 3, 4, 5}), simt::Error);
}

TEST_CASE("dynamic shared memory starts as NaN in every block") {
  const simt::Buffer<int> out(1);
  if (simt::checked()) {
    const simt::ScopedOptions scope({.check_between_blocks = false});
    const auto reports = reports_of([&] { emu::run_dynamic_nan(1000, out.data); });
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].kind == "uninitialised shared read");
  } else {
    CHECK(emu::run_dynamic_nan(1000, out.data) == 0);
  }
  CHECK(out.data[0] == 1000);
  // All of an H100's shared memory: 227 KiB.
  if (!simt::checked()) CHECK(emu::run_dynamic_nan(227 * 256, out.data) == 0);
}

TEST_CASE("launches within the limits of the hardware") {
  CHECK(emu::run_empty(1, 1, 1, 1024, 1, 1, 227 * 1024) == 0);
  CHECK(emu::run_empty(1, 65535, 1, 1, 1, 1, 0) == 0);
  CHECK(emu::run_empty(1, 1, 1, 4, 4, 64, 0) == 0);
  const auto refused = [](auto... sizes) {
    const auto reports = reports_of([&] { emu::run_empty(static_cast<unsigned>(sizes)...); });
    return reports.size() == 1 && reports[0].kind == "launch limits";
  };
  CHECK(refused(1, 1, 1, 1025, 1, 1, 0));
  CHECK(refused(1, 1, 1, 32, 33, 1, 0));
  CHECK(refused(1, 1, 1, 1, 1, 65, 0));
  CHECK(refused(1, 1, 1, 0, 1, 1, 0));
  CHECK(refused(0, 1, 1, 1, 1, 1, 0));
  CHECK(refused(1, 65536, 1, 1, 1, 1, 0));
  CHECK(refused(1, 1, 65536, 1, 1, 1, 0));
  CHECK(refused(1, 1, 1, 1, 1, 1, 227 * 1024 + 1));
}

namespace {
int threw_inside = 0, threw_in_other_thread = 0;

void use_from_kernel() {
  try {
    simt::device_alloc(4);
  } catch (const simt::Error&) { ++threw_inside; }
  std::thread([] {
    try {
      emu::run_empty(1, 1, 1, 1, 1, 1, 0);
    } catch (const simt::Error&) { ++threw_in_other_thread; }
  }).join();
}
}  // namespace

TEST_CASE("one user at a time, and no longer") {
  threw_inside = threw_in_other_thread = 0;
  CHECK(emu::run_callback(use_from_kernel) == 0);
  CHECK(threw_inside == 1);
  CHECK(threw_in_other_thread == 1);
  int status = 1;
  std::thread([&] { status = emu::run_empty(2, 1, 1, 64, 1, 1, 0); }).join();
  CHECK(status == 0);
  CHECK(emu::run_empty(1, 1, 1, 64, 1, 1, 0) == 0);
}

TEST_CASE("the intended switch was built") {
#if defined(EXPECT_UCONTEXT) || !defined(__x86_64__)
  CHECK(std::string(simt::switch_mechanism()) == "ucontext");
#else
  CHECK(std::string(simt::switch_mechanism()) == "x86-64");
#endif
#if defined(SIMT_MODE_CHECKED)
  CHECK(simt::checked());
#else
  CHECK_FALSE(simt::checked());
#endif
}
