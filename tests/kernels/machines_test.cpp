// Which machines were tested, and that none of them is another one in disguise.
#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "kernels/simt/host.h"
#include "tests/kernels/cases.h"

namespace shoal::test {
namespace {

TEST_CASE("machines: the tests say what they run on, and what they skip") {
  std::set<std::string> names;
  for (const TestMachine& machine : machines()) {
    CHECK(names.insert(machine.name).second);
    MESSAGE("tested: ", machine.name);
  }
  const char* chosen = std::getenv("SHOAL_TEST_MACHINES");
  if (chosen && *chosen) {
    MESSAGE("all others are left out: SHOAL_TEST_MACHINES is ", chosen);
    CHECK_FALSE(names.empty());
  } else {
    CHECK(names.count("emu") == 1);
    if (names.count("cuda") == 0) {
      REQUIRE(why_no_cuda() != "");
      MESSAGE("skipped: cuda (", why_no_cuda(), ")");
    }
  }
  // Where a GPU is part of the deal, a test without it has failed.
  const char* required = std::getenv("SHOAL_TEST_REQUIRE_CUDA");
  if (required && *required == '1') CHECK(names.count("cuda") == 1);
}

TEST_CASE("machines: each has ops of its own") {
  std::set<void (*)(const Forward&, void*)> bodies;
  for (const TestMachine& machine : machines()) CHECK(bodies.insert(machine.ops.forward).second);
}

#if defined(SIMT_MODE_CHECKED)
TEST_CASE("machines: the checker sees what the kernels access") {
  REQUIRE(simt::checked());
  const TestMachine& machine = machines().front();
  const Population p = make_population({3, 2, {{{4}}}, {5}});
  Rig rig(machine, p);
  set_models(rig, random_models(p, 1, false));
  set_batches(rig, random_batches(p, 2));
  const std::uint64_t before = simt::statistics().accesses;
  rig.forward();
  // At least every weight of both layers is read once.
  CHECK(simt::statistics().accesses >= before + 3 * 4 + 4 * 2);
  // Inputs that nobody wrote must not be read.
  Rig empty(machine, p);
  CHECK_THROWS_AS(empty.forward(), simt::Error);
}
#endif

}  // namespace
}  // namespace shoal::test
