// The arithmetic of time estimates, with made-up costs; and that a measurement gives something at all. How
// good the estimates are is measured, not tested.
#include "engine/estimate.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "engine/waves.h"
#include "tests/engine/small_task.h"

namespace shoal {
namespace {

using test::model;
using test::small_task;

TEST_CASE("threads take tasks in order, each the next one when it is free") {
  CHECK(makespan({}, 2) == 0);
  CHECK(makespan(std::vector<double>{5, 4, 3, 2}, 1) == 14);
  CHECK(makespan(std::vector<double>{5, 4, 3, 2}, 2) == 7);  // 5 + 2 and 4 + 3
  CHECK(makespan(std::vector<double>{2, 3, 4, 5}, 2) == 8);  // 2 + 4 and 3 + 5
  CHECK(makespan(std::vector<double>{5, 4, 3, 2}, 9) == 5);
}

TEST_CASE("packs of equal models are one kind, most work first") {
  const auto data = small_task();
  std::vector<ModelSpec> models;
  for (std::uint64_t seed = 1; seed <= 3; ++seed)
    for (const int width : {200, 10, 70}) models.push_back(model({width}, seed));
  models.push_back(model({70}, 1, UpdateRule::sgd));
  const Layout layout = make_layout(models, data.task.shape, OrderKind::seed);
  const auto kinds = kinds_of(layout);
  REQUIRE(kinds.size() == 4);
  CHECK(kinds[0].packs.size() == 3);
  CHECK(kinds[0].flops > kinds[1].flops);
  CHECK(kinds[1].packs.size() + kinds[2].packs.size() == 4);  // as much work, another rule
  CHECK(kinds[3].packs.size() == 3);
  std::size_t packs = 0;
  for (const PackKind& k : kinds) packs += k.packs.size();
  CHECK(packs == layout.packs.size());
}

TEST_CASE("the measured kinds reach from the largest to the smallest") {
  CHECK(representatives(1, 12) == std::vector<int>{0});
  CHECK(representatives(3, 12) == std::vector<int>{0, 1, 2});
  CHECK(representatives(19, 4) == std::vector<int>{0, 6, 12, 18});
  for (const int kinds : {2, 13, 100}) {
    const auto chosen = representatives(kinds, 12);
    CHECK(chosen.front() == 0);
    CHECK(chosen.back() == kinds - 1);
  }
}

TEST_CASE("between measured kinds the time an operation takes changes steadily") {
  std::vector<PackKind> kinds;
  for (const double flops : {800.0, 400.0, 200.0, 100.0, 50.0}) kinds.push_back({{}, flops});
  const std::vector<int> measured{0, 3};
  // 2 and 5 seconds an operation at 800 and 100: 3 and 4 between, one step of a factor 2 each
  const std::vector<PackCost> costs{{1600, 800, 80}, {500, 100, 10}};
  const auto all = interpolate(kinds, measured, costs);
  REQUIRE(all.size() == 5);
  CHECK(all[0].train == doctest::Approx(1600));
  CHECK(all[1].train == doctest::Approx(400 * 3));
  CHECK(all[2].train == doctest::Approx(200 * 4));
  CHECK(all[3].train == doctest::Approx(500));
  CHECK(all[4].train == doctest::Approx(250));  // beyond the last: its rate
  CHECK(all[1].evaluate == doctest::Approx(400));
  CHECK(all[2].moments == doctest::Approx(20));
}

TEST_CASE("a run's time is the sum of its parts") {
  const auto data = small_task(300, 90);
  RunSpec spec;
  spec.epochs = 4;
  for (const int width : {200, 100}) spec.models.push_back(model({width}, 1));
  spec.models.push_back(model({100}, 2));
  const Layout layout = make_layout(spec.models, data.task.shape, spec.order);
  REQUIRE(layout.packs.size() == 3);
  const std::vector<PackCost> costs(3, {0.01, 0.002, 0.003});
  const std::vector<std::vector<std::int64_t>> one{{0, 1, 2}}, two{{0}, {1, 2}};
  const OtherCosts other{0.5, 1e-6};
  // two threads, three packs: two after one another; two groups are shuffled side by side
  RunSeconds s = add_up(spec, data.task, layout, one, costs, other, 2);
  CHECK(s.training == doctest::Approx(4 * (2 * 0.01 * 300 + 0.5)));
  CHECK(s.evaluation == doctest::Approx(5 * 2 * 0.002 * 90 + 2 * 0.003 * 300));
  CHECK(s.begin == doctest::Approx(1e-6 * static_cast<double>(layout.parameters)));
  CHECK(s.files < 0.1);
  CHECK(s.total() == doctest::Approx(s.begin + s.training + s.evaluation + s.files));
  // in two waves: one pack, then two side by side
  s = add_up(spec, data.task, layout, two, costs, other, 2);
  CHECK(s.training == doctest::Approx(4 * (0.01 * 300 + 0.5) + 4 * (0.01 * 300 + 0.5)));
  spec.evaluate_each_epoch = false;
  spec.neuron_moments = false;
  s = add_up(spec, data.task, layout, one, costs, other, 1);
  CHECK(s.evaluation == doctest::Approx(3 * (0.002 * 90 + 0.002 * 300)));
  CHECK(s.training == doctest::Approx(4 * (3 * 0.01 * 300 + 2 * 0.5)));
}

TEST_CASE("a calibration measures every machine") {
  const auto data = small_task();
  RunSpec spec;
  spec.epochs = 3;
  for (std::uint64_t seed = 1; seed <= 2; ++seed)
    for (const auto& hidden : std::vector<std::vector<int>>{{90}, {12}, {20, 10}})
      spec.models.push_back(model(hidden, seed));
  for (const auto kind : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu}) {
    spec.machine.kind = kind;
    const TimeEstimate e = estimate_time(spec, data.task, {.rounds = 2, .seconds = 0.02});
    CHECK(!e.stopped);
    CHECK(e.seconds.training > 0);
    CHECK(e.seconds.evaluation > 0);
    CHECK(std::isfinite(e.seconds.total()));
    CHECK(e.low <= e.high);
    CHECK(e.uncertainty() >= 0);
    CHECK(e.probed >= 1);
  }
  const std::atomic<bool> stop{true};
  spec.machine.kind = MachineSpec::Kind::cpu;
  CHECK(estimate_time(spec, data.task, {.stop = &stop}).stopped);
}

}  // namespace
}  // namespace shoal
