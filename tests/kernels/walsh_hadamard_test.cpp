// The Walsh-Hadamard transform on every machine, against its definition.
#include "kernels/walsh_hadamard.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/kernels/arena.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/random.h"
#include "tests/reference/walsh_hadamard.h"

namespace shoal::test {
namespace {

/// Every one of n levels rounds once: the sum of the magnitudes times (1 + u)^n - 1.
double walsh_tolerance(int n, double magnitude) {
  constexpr double kUnit = 0x1p-53;
  return n * kUnit / (1 - n * kUnit) * magnitude + 1e-300;
}

std::vector<double> table_of(int n) {
  reference::Draws draws(static_cast<std::uint64_t>(700 + n));
  std::vector<double> f;
  for (int s = 0; s < 1 << n; ++s) f.push_back(std::ldexp(draws.uniform(-1.0, 1.0), draws.below(20)));
  return f;
}

/// One pass of a transform of n bits; the calls of the CPU are of a few tiles each.
struct Pass {
  int first_bit, last_bit, strip;
};

std::vector<double> transformed(const TestMachine& machine, const std::vector<double>& f,
                                const std::vector<Pass>& passes) {
  Arena arena(machine);
  double* values = arena.put(f, "values");
  for (const Pass& p : passes) {
    const std::int64_t tiles = static_cast<std::int64_t>(f.size()) >> (p.last_bit - p.first_bit + p.strip),
                       step = 3;
    for (std::int64_t first = 0; first < tiles; first += step)
      machine.statistics.walsh_hadamard(
          {values, p.first_bit, p.last_bit, p.strip, first, std::min(first + step, tiles)}, arena.stream());
  }
  std::vector<double> result = arena.get(values);
  CHECK(arena.touched() == "");
  return result;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

TEST_CASE("walsh_hadamard: the definition, for 2^0 to 2^10 values") {
  for (const TestMachine& machine : machines())
    for (int n = 0; n <= (machine.is_emulated ? 8 : 10); ++n) {
      CAPTURE(machine.name);
      CAPTURE(n);
      const std::vector<double> f = table_of(n), found = transformed(machine, f, {{0, n, 0}});
      const std::vector<long double> expected = reference::walsh_hadamard(f);
      double magnitude = 0;
      for (const double x : f) magnitude += std::abs(x);
      Worst worst;
      for (std::size_t t = 0; t < f.size(); ++t)
        worst.see(found[t], static_cast<double>(expected[t]),
                  walsh_tolerance(n, magnitude) + 0x1p-53 * std::abs(found[t]), 0, n, 0, static_cast<int>(t));
      CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
    }
}

TEST_CASE("walsh_hadamard: the same bits in passes of any bits and strips, on all machines") {
  constexpr int kBits = 9;
  const std::vector<double> f = table_of(kBits);
  const std::vector<double> once = transformed(machines().front(), f, {{0, kBits, 0}});
  const std::vector<std::vector<Pass>> ways = {
      {{0, kBits, 0}},        {{0, 1, 0}, {1, 2, 1}, {2, 4, 0}, {4, 7, 3}, {7, 9, 2}},
      {{0, 4, 0}, {4, 9, 2}}, {{0, 6, 0}, {6, 9, 6}},
      {{0, 2, 0}, {2, 9, 1}}, {{0, 3, 0}, {3, 3, 0}, {3, 8, 3}, {8, 9, 0}}};
  for (const TestMachine& machine : machines())
    for (std::size_t way = 0; way < ways.size(); ++way)
      for (int schedule = 0; schedule < (machine.is_emulated && way == 2 ? kSchedules : 1); ++schedule) {
        CAPTURE(machine.name);
        CAPTURE(way);
        const Schedule order(machine, schedule);
        CHECK(same_bits(transformed(machine, f, ways[way]), once));
      }
}

TEST_CASE("walsh_hadamard: a full tile, and twice is the table times 2^n") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const int n = machine.is_device ? kWalshTileDevice : kWalshTileCpu + 2;
    std::vector<double> f = table_of(n);
    for (double& x : f) x = std::floor(x);  // whole numbers: nothing rounds
    const int first = machine.is_device ? n : kWalshTileCpu;
    std::vector<Pass> passes{{0, first, 0}};
    if (first < n) passes.push_back({first, n, kWalshStripCpu});
    const std::vector<double> twice = transformed(machine, transformed(machine, f, passes), passes);
    long wrong = 0;
    for (std::size_t s = 0; s < f.size(); ++s) wrong += twice[s] == std::ldexp(f[s], n) ? 0 : 1;
    CHECK(wrong == 0);
  }
}

TEST_CASE("walsh_hadamard: what is not finite shows") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    std::vector<double> f(32, 1.0);
    f[5] = NAN;
    for (const double w : transformed(machine, f, {{0, 5, 0}})) CHECK(std::isnan(w));
  }
}

}  // namespace
}  // namespace shoal::test
