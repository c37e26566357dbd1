// Which machines were tested, and that none of them is another one in disguise.
#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "tests/kernels/machines.h"

namespace shoal::test {
namespace {

TEST_CASE("machines: the tests say what they run on, and what they skip") {
  std::set<std::string> names;
  for (const TestMachine& machine : machines()) {
    CHECK(names.insert(machine.name).second);
    MESSAGE("tested: ", machine.name);
  }
  CHECK(names.count("emu") == 1);
  if (names.count("cuda") == 0) {
    REQUIRE(why_no_cuda() != "");
    MESSAGE("skipped: cuda (", why_no_cuda(), ")");
  }
  // Where a GPU is part of the deal, a test without it has failed.
  const char* required = std::getenv("SHOAL_TEST_REQUIRE_CUDA");
  if (required && *required == '1') CHECK(names.count("cuda") == 1);
}

TEST_CASE("machines: each has ops of its own") {
  std::set<void (*)(const Forward&, void*)> bodies;
  for (const TestMachine& machine : machines()) CHECK(bodies.insert(machine.ops.forward).second);
}

}  // namespace
}  // namespace shoal::test
