// FitMixtures on every machine: steps of EM against the reference, a log-likelihood that never falls, and the
// same bits alone and in company.
#include "kernels/mixture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/kernels/arena.h"
#include "tests/reference/mixture.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

constexpr MixtureKind kKinds[] = {MixtureKind::exp_normal, MixtureKind::gamma_gamma,
                                  MixtureKind::normal_normal};
reference::Mixture in_reference(MixtureKind kind) { return static_cast<reference::Mixture>(kind); }

/// gamma: {shape, scale} there, {shape, mean} here.
reference::MixtureFit in_reference(MixtureKind kind, const MixtureParameters& p) {
  reference::MixtureFit fit{p.weight, p.first[0], p.first[1], p.second[0], p.second[1]};
  if (kind == MixtureKind::gamma_gamma) fit[2] /= fit[1], fit[4] /= fit[3];
  return fit;
}
reference::MixtureLimits in_reference(const MixtureBounds& b) {
  return {b.weight, b.sd, b.scale, b.shape_low, b.shape_high};
}

/// Parameters after a step: sums of n terms are off by n roundings at worst, and a responsibility by the
/// rounding of log-densities of up to some hundreds; relative to the spread of the values.
double step_tolerance(double n) { return 0x1p-53 * (n + 2000.0); }
double value_tolerance(double n, double value) { return 0x1p-53 * (n * (n + 2000.0) + std::abs(value)); }

struct Case {
  MixtureKind kind;
  std::vector<double> sample;
  MixtureParameters start;
};
constexpr MixtureBounds kBounds{1e-3, 1e-2, 1e-6, 1e-3, 1e4};

Case make_case(MixtureKind kind, std::size_t n, std::uint64_t seed) {
  reference::Draws draws(seed);
  Case c{kind, {}, {draws.uniform(0.2, 0.8), {}, {}}};
  for (std::size_t i = 0; i < n; ++i)
    c.sample.push_back(draws.below(2) == 0 ? draws.uniform(0.01, 1.0) : draws.uniform(1.5, 3.0));
  for (int j = 0; j < 2; ++j) {
    double* p = j == 0 ? c.start.first : c.start.second;
    const double place = draws.uniform(0.2, 0.8) + 2 * j;
    if (kind == MixtureKind::gamma_gamma) p[0] = draws.uniform(0.5, 20), p[1] = place;
    else p[0] = place, p[1] = draws.uniform(0.3, 1.0);
    if (kind == MixtureKind::exp_normal && j == 0) p[1] = 1.0;
  }
  return c;
}

struct Fits {
  std::vector<MixtureResult> results;
  std::vector<double> trace;  // [case][iterations]
};

/// Cases of one kind in one call.
Fits run(const TestMachine& machine, const std::vector<Case>& cases, int iterations, bool accelerate,
         double tolerance = 0.0) {
  std::vector<double> values, logs;
  std::vector<MixtureTask> tasks;
  for (const Case& c : cases) {
    tasks.push_back({std::ssize(values), std::ssize(c.sample), c.start, kBounds});
    values.insert(values.end(), c.sample.begin(), c.sample.end());
    // What stands behind a sample must not count.
    while (values.size() % kMixtureAlignment != 0) values.push_back(1e3);
  }
  for (const double x : values) logs.push_back(std::log(x));
  Arena arena(machine);
  const bool gammas = cases.front().kind == MixtureKind::gamma_gamma;
  FitMixtures op{};
  op.kind = cases.front().kind;
  op.values = arena.put(values, "values");
  op.log_values = gammas ? arena.put(logs, "logs") : nullptr;
  op.tasks = arena.put(tasks, "tasks");
  op.task_count = static_cast<int>(tasks.size());
  op.max_iterations = iterations;
  op.tolerance = tolerance;
  op.accelerate = accelerate;
  op.results = arena.room<MixtureResult>(tasks.size(), "results");
  op.trace = arena.room<double>(tasks.size() * static_cast<std::size_t>(iterations), "trace");
  machine.statistics.fit_mixtures(op, arena.stream());
  Fits fits{arena.get(op.results), arena.get(op.trace)};
  CHECK(arena.touched() == "");
  return fits;
}

bool same_bits(const MixtureResult& a, const MixtureResult& b) {
  return std::memcmp(&a.parameters, &b.parameters, sizeof a.parameters) == 0 &&
         std::memcmp(&a.log_likelihood, &b.log_likelihood, sizeof a.log_likelihood) == 0 &&
         a.iterations == b.iterations && a.converged == b.converged;
}

TEST_CASE("fit_mixtures: a step of EM is the reference's, for samples of any length") {
  for (const TestMachine& machine : machines())
    for (const MixtureKind kind : kKinds) {
      CAPTURE(machine.name);
      CAPTURE(static_cast<int>(kind));
      std::vector<Case> cases;
      for (const std::size_t n : {1u, 2u, 7u, 8u, 9u, 63u, 65u, 127u, 128u, 130u, 1000u})
        cases.push_back(make_case(kind, n, n));
      const Fits start = run(machine, cases, 1, false), step = run(machine, cases, 2, false);
      for (std::size_t i = 0; i < cases.size(); ++i) {
        const auto n = static_cast<double>(cases[i].sample.size());
        CAPTURE(n);
        const auto value = static_cast<double>(reference::log_likelihood(
            in_reference(kind), in_reference(kind, cases[i].start), cases[i].sample));
        CHECK(std::abs(start.results[i].log_likelihood - value) <= value_tolerance(n, value));
        CHECK(std::memcmp(&start.results[i].parameters, &cases[i].start, sizeof cases[i].start) == 0);
        const reference::MixtureEm wanted =
            reference::em(in_reference(kind), cases[i].sample, in_reference(kind, cases[i].start),
                          in_reference(kBounds), 1, -HUGE_VAL);
        const reference::MixtureFit got = in_reference(kind, step.results[i].parameters);
        CHECK(step.results[i].iterations == 2);
        for (std::size_t p = 0; p < 5; ++p) {
          CAPTURE(p);
          REQUIRE(std::isfinite(got[p]));
          // A shape follows from a difference of logarithms, of which at 1e-4 of its size is left.
          CHECK(std::abs(got[p] - wanted.fit[p]) <=
                1e4 * step_tolerance(n) * std::max(std::abs(wanted.fit[p]), kBounds.sd));
        }
        const auto after =
            static_cast<double>(reference::log_likelihood(in_reference(kind), got, cases[i].sample));
        CHECK(std::abs(step.results[i].log_likelihood - after) <= 100 * value_tolerance(n, after));
      }
    }
}

TEST_CASE("fit_mixtures: products of many factors do not overflow") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    // Twice the same component: every factor of the product is 2.
    Case c = make_case(MixtureKind::normal_normal, 70000, 3);
    c.start = {0.5, {1.2, 1.0}, {1.2, 1.0}};
    const Fits fits = run(machine, {c}, 1, false);
    const auto value = static_cast<double>(reference::log_likelihood(
        reference::Mixture::normal_normal, in_reference(c.kind, c.start), c.sample));
    REQUIRE(std::isfinite(fits.results[0].log_likelihood));
    CHECK(std::abs(fits.results[0].log_likelihood - value) <= value_tolerance(70000, value));
  }
}

TEST_CASE("fit_mixtures: the log-likelihood never falls, and a limit cuts the same walk") {
  for (const TestMachine& machine : machines())
    for (const MixtureKind kind : kKinds)
      for (const bool accelerate : {false, true}) {
        CAPTURE(machine.name);
        CAPTURE(static_cast<int>(kind));
        CAPTURE(accelerate);
        std::vector<Case> cases;
        for (std::uint64_t seed = 1; seed <= (machine.is_emulated ? 3u : 40u); ++seed)
          cases.push_back(make_case(kind, 20 + 11 * seed, 100 + seed));
        const int limit = machine.is_emulated ? 40 : 300;
        const Fits fits = run(machine, cases, limit, accelerate);
        for (std::size_t i = 0; i < cases.size(); ++i) {
          const MixtureResult& r = fits.results[i];
          const double* trace = fits.trace.data() + i * static_cast<std::size_t>(limit);
          REQUIRE(r.iterations >= 1);
          REQUIRE(r.iterations <= limit);
          const double noise =
              1e-12 * (std::abs(r.log_likelihood) + static_cast<double>(cases[i].sample.size()));
          for (int t = 0; t < limit; ++t) {
            if (t >= r.iterations) {
              CHECK(std::isnan(trace[t]));
              continue;
            }
            REQUIRE(std::isfinite(trace[t]));
            if (t > 0) CHECK(trace[t] >= trace[t - 1] - noise);
          }
          CHECK(trace[r.iterations - 1] == r.log_likelihood);
          CHECK(r.log_likelihood > trace[0]);
        }
        for (const int cut : {1, 2, 3, 4, 5, 6, 7, 20}) {
          const Fits early = run(machine, cases, cut, accelerate);
          for (std::size_t i = 0; i < cases.size(); ++i) {
            const int last = std::min(cut, fits.results[i].iterations) - 1;
            CHECK(early.results[i].log_likelihood ==
                  fits.trace[i * static_cast<std::size_t>(limit) + static_cast<std::size_t>(last)]);
          }
        }
      }
}

TEST_CASE("fit_mixtures: what it calls converged is a maximum that plain EM cannot leave") {
  for (const TestMachine& machine : machines())
    for (const MixtureKind kind : kKinds) {
      CAPTURE(machine.name);
      CAPTURE(static_cast<int>(kind));
      std::vector<Case> cases{make_case(kind, 60, 1), make_case(kind, 200, 2)};
      const Fits fits = run(machine, cases, 5000, true, 1e-8);
      for (std::size_t i = 0; i < cases.size(); ++i) {
        const MixtureResult& r = fits.results[i];
        CHECK(r.converged == 1);
        const reference::MixtureEm end =
            reference::em(in_reference(kind), cases[i].sample, in_reference(kind, r.parameters),
                          in_reference(kBounds), 5000, 1e-12);
        CHECK(end.log_likelihood - r.log_likelihood <= 1e-6);
      }
    }
}

TEST_CASE("fit_mixtures: the same bits alone, in company and under every schedule") {
  for (const TestMachine& machine : machines())
    for (const MixtureKind kind : kKinds) {
      CAPTURE(machine.name);
      std::vector<Case> cases;
      for (const std::size_t n : {5u, 129u, 40u}) cases.push_back(make_case(kind, n, 7 + n));
      const Fits together = run(machine, cases, 12, true);
      for (std::size_t i = 0; i < cases.size(); ++i)
        CHECK(same_bits(run(machine, {cases[i]}, 12, true).results[0], together.results[i]));
      for (int s = 0; s < (machine.is_emulated ? kSchedules : 0); ++s) {
        const Schedule schedule(machine, s);
        const Fits again = run(machine, cases, 12, true);
        for (std::size_t i = 0; i < cases.size(); ++i)
          CHECK(same_bits(again.results[i], together.results[i]));
      }
    }
}

}  // namespace
}  // namespace shoal::test
