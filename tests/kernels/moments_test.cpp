// Moments of neurons: the monoid itself, and the op that folds batches into it.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/kernels/cases.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/random.h"
#include "tests/reference/sampling.h"

namespace shoal::test {
namespace {

constexpr double kDoubleRounding = 0x1p-53;

/// Sum of squared deviations of n values within `range` of each other around `mean`, merged in `merges`
/// steps. Squares themselves err by a rounding a step each; a mean that is off by a rounding of itself a
/// merge enters once more, in proportion to range.
double squares_tolerance(double n, double merges, double mean, double range) {
  const double size = std::abs(mean) + range;
  return kDoubleRounding * (4.0 * n * n * range * range + n * merges * size * range) + 1e-300;
}
double mean_tolerance(double n, double mean, double range) {
  return kDoubleRounding * (n + 8.0) * (std::abs(mean) + range) + 1e-300;
}

Moments moments_of_all(const std::vector<float>& values, std::size_t begin, std::size_t end) {
  if (end - begin == 1) return moments_of(values[begin]);
  if (end == begin) return empty_moments();
  const std::size_t middle = begin + (end - begin + 2) / 3;
  return merge(moments_of_all(values, begin, middle), moments_of_all(values, middle, end));
}

void see(Worst& worst, const Moments& m, const std::vector<float>& values, int model, int neuron) {
  const reference::Summary s = reference::summary_of(values);
  const auto n = static_cast<double>(s.count);
  const double range = s.max - s.min;
  if (!(m.count == n) || !(m.zeros == static_cast<double>(s.zeros)) ||
      !(static_cast<double>(m.min) == s.min) || !(static_cast<double>(m.max) == s.max))
    worst.ratio = 1e300;
  worst.see(m.mean, s.mean, mean_tolerance(n, s.mean, range), model, 0, 0, neuron);
  worst.see(m.squares, s.squares, squares_tolerance(n, n, s.mean, range), model, 1, 0, neuron);
}

bool same(const Moments& a, const Moments& b) {
  return a.count == b.count && a.mean == b.mean && a.squares == b.squares && a.zeros == b.zeros &&
         a.min == b.min && a.max == b.max;
}

TEST_CASE("moments: laws of the monoid") {
  const Moments none = empty_moments(), one = moments_of(-3.5f), zero = moments_of(-0.0f);
  CHECK(same(merge(none, none), none));
  CHECK(none.min > none.max);
  CHECK(std::isnan(variance(none)));
  for (const Moments& m : {one, zero, merge(one, zero)}) {
    CHECK(same(merge(none, m), m));
    CHECK(same(merge(m, none), m));
  }
  CHECK(one.count == 1.0);
  CHECK(one.mean == -3.5);
  CHECK(variance(one) == 0.0);
  CHECK(one.zeros == 0.0);
  CHECK(zero.zeros == 1.0);
  // All-negative data: the largest is negative too.
  const Moments negative = merge(moments_of(-1.0f), moments_of(-2.0f));
  CHECK(negative.max == -1.0f);
  CHECK(negative.min == -2.0f);
  CHECK(variance(negative) == 0.25);
}

TEST_CASE("moments: however a sample is cut, the result is the same to rounding") {
  reference::Draws draws(41);
  for (const double offset : {0.0, 1e4, -1e6})
    for (const std::size_t n : {2u, 3u, 17u, 1000u}) {
      CAPTURE(offset);
      CAPTURE(n);
      std::vector<float> values;
      for (std::size_t i = 0; i < n; ++i)
        values.push_back(static_cast<float>(offset + (i % 3 == 0 ? 0.0 : draws.uniform(-1.0, 1.0))));
      Worst worst;
      see(worst, moments_of_all(values, 0, n), values, 0, 0);
      for (const std::size_t cut : {std::size_t{0}, n / 4, n / 2, n}) {
        const Moments left = moments_of_all(values, 0, cut), right = moments_of_all(values, cut, n);
        see(worst, merge(left, right), values, 1, static_cast<int>(cut));
        see(worst, merge(right, left), values, 2, static_cast<int>(cut));
        const Moments third = moments_of(static_cast<float>(offset));
        std::vector<float> more = values;
        more.push_back(static_cast<float>(offset));
        see(worst, merge(merge(left, right), third), more, 3, static_cast<int>(cut));
        see(worst, merge(left, merge(right, third)), more, 4, static_cast<int>(cut));
      }
      CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
    }
}

TEST_CASE("fold_moments: every neuron's moments over several batches are those of two passes") {
  for (const TestMachine& machine : machines())
    for (const Case& c : odd_cases())
      for (const bool before_relu : {false, true}) {
        CAPTURE(machine.name);
        CAPTURE(c.name);
        CAPTURE(before_relu);
        const Population p = make_population(c.spec);
        Rig rig(machine, p, {.preactivations = true});
        reference::Draws draws(42);
        std::vector<std::vector<float>> seen(static_cast<std::size_t>(p.neurons));
        for (int batch = 0; batch < 3; ++batch) {
          // Neuron n of a layer: an offset of its own, and zeros in between.
          const std::vector<float> values = fill_outputs(p, [&](int m, int l, int, int n) {
            const auto x =
                static_cast<float>(draws.below(3) == 0 ? 0.0 : draws.uniform(-1.0, 1.0) + 10.0 * (n % 3));
            const Place& place = p.places[static_cast<std::size_t>(m)][static_cast<std::size_t>(l)];
            seen[static_cast<std::size_t>(p.slabs[static_cast<std::size_t>(place.slab)].neuron +
                                          place.column + n)]
                .push_back(x);
            return x;
          });
          rig.arena.set(before_relu ? rig.workspace.preactivations : rig.workspace.outputs, values);
          rig.fold_moments(before_relu);
        }
        const std::vector<Moments> result = rig.arena.get(rig.moments);
        Worst worst;
        for (std::size_t i = 0; i < seen.size(); ++i) {
          if (seen[i].empty()) {
            CHECK(same(result[i], empty_moments()));
          } else {
            see(worst, result[i], seen[i], 0, static_cast<int>(i));
          }
        }
        CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
        CHECK(rig.arena.touched() == "");
      }
}

TEST_CASE("fold_moments: an offset of 1e4 over many batches does not disturb the variance") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const int rows = machine.is_device && machine.is_emulated ? 500 : 10000,
              batches = machine.is_emulated ? 20 : 100;
    const Population p = make_population({1, 1, {{{5}}}, {rows}});
    Rig rig(machine, p);
    reference::Draws draws(43);
    std::vector<std::vector<float>> seen(5);
    for (int batch = 0; batch < batches; ++batch) {
      rig.arena.set(rig.workspace.outputs, fill_outputs(p, [&](int, int l, int, int n) {
                      if (l == 1 || n >= 5) return 0.0f;
                      const auto x = static_cast<float>(1e4 + draws.uniform(0.0, 1.0));
                      seen[static_cast<std::size_t>(n)].push_back(x);
                      return x;
                    }));
      rig.fold_moments(false);
    }
    const std::vector<Moments> result = rig.arena.get(rig.moments);
    Worst worst;
    for (std::size_t n = 0; n < 5; ++n) {
      const reference::Summary s = reference::summary_of(seen[n]);
      const auto count = static_cast<double>(s.count);
      // Merges of whole batches, and of at most all rows of one: fewer than counting every row as a merge
      // would allow.
      const double merges = batches + rows;
      worst.see(result[n].mean, s.mean, mean_tolerance(count, s.mean, 1.0), 0, 0, 0, static_cast<int>(n));
      worst.see(result[n].squares, s.squares, squares_tolerance(count, merges, s.mean, 1.0), 0, 1, 0,
                static_cast<int>(n));
    }
    CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
    CHECK(squares_tolerance(rows * batches, batches + rows, 1e4, 1.0) <
          1e-4 * result[0].squares);  // the bound means something
  }
}

}  // namespace
}  // namespace shoal::test
