// A model gets the same bits alone, in a crowd and at another place, whoever its neighbours are; and on the
// emulation under every order of threads, warps and blocks.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "tests/kernels/training.h"

namespace shoal::test {
namespace {

struct Member {
  ModelShape shape;
  UpdateSettings settings;
  std::uint64_t weight_seed;
};

UpdateSettings settings_for(UpdateRule rule) {
  return {.lr = 0.05,
          .momentum = 0.9,
          .beta1 = 0.9,
          .beta2 = 0.99,
          .eps = 1e-8,
          .l1 = 1e-4,
          .l2 = 0.0,
          .weight_decay = 0.01,
          .rule = rule};
}

TrainingSpec spec_of(const std::vector<Member>& members) {
  TrainingSpec spec{.features = 9, .classes = 4, .samples = 60, .groups = {{13, 5}, {30, 6}}};
  for (const Member& m : members) {
    spec.models.push_back(m.shape);
    spec.settings.push_back(m.settings);
    spec.weight_seeds.push_back(m.weight_seed);
  }
  return spec;
}

/// Everything of a model that could differ: weights, slots, outputs, loss and hits.
std::vector<float> traces_of(const Trained& t, int model) {
  std::vector<float> all = floats_of_model(t.population, t.parameters, model);
  for (const std::vector<float>* slot : {&t.slot_a, &t.slot_b, &t.slot_c}) {
    const std::vector<float> floats = floats_of_model(t.population, *slot, model);
    all.insert(all.end(), floats.begin(), floats.end());
  }
  const auto m = static_cast<std::size_t>(model);
  float loss[2], correct[2];
  static_assert(sizeof(loss) == sizeof(double));
  std::memcpy(loss, &t.loss[m], sizeof(loss));
  std::memcpy(correct, &t.correct[m], sizeof(correct));
  all.insert(all.end(), {loss[0], loss[1], correct[0], correct[1]});
  return all;
}

/// The crowd that everybody is trained in; members of all widths, rules and groups.
std::vector<Member> crowd() {
  std::vector<Member> members;
  const std::vector<std::vector<int>> shapes = {{5},      {20}, {16, 7}, {70}, {1},
                                                {33, 70}, {64}, {15},    {48}, {130}};
  for (std::size_t i = 0; i < 20; ++i) {
    const auto rule = static_cast<UpdateRule>(i % 4 == 0 ? 3 : i % kUpdateRules);
    members.push_back({{shapes[i % 10], static_cast<int>(i / 10), rule}, settings_for(rule), 70 + i});
  }
  return members;
}

TEST_CASE("identity: alone, in a crowd and in a crowd in another order, a model gets the same bits") {
  const std::vector<Member> members = crowd();
  std::vector<Member> reversed(members.rbegin(), members.rend());
  // Another neighbour in front moves the narrow ones to other places of their panels.
  reversed.insert(reversed.begin(), {{{3}, 0, UpdateRule::adam}, settings_for(UpdateRule::adam), 1000});
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const Trained together = train(machine, spec_of(members)), shuffled = train(machine, spec_of(reversed));
    for (std::size_t i = 0; i < members.size(); ++i) {
      CAPTURE(i);
      const std::vector<float> traces = traces_of(together, static_cast<int>(i));
      CHECK(same_bits(traces, traces_of(shuffled, static_cast<int>(members.size() - i))));
      const bool is_chosen = i < 10 || !machine.is_emulated;  // the emulation is slow
      if (is_chosen) CHECK(same_bits(traces, traces_of(train(machine, spec_of({members[i]})), 0)));
    }
  }
}

TEST_CASE("identity: a neighbour that diverges is frozen, and nobody notices") {
  std::vector<Member> members = crowd();
  members.resize(8);
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const Trained healthy = train(machine, spec_of(members));
    std::vector<Member> ill = members;
    ill[4].settings.lr = 1e30;
    const Trained t = train(machine, spec_of(ill));
    for (int m = 0; m < 8; ++m) {
      CAPTURE(m);
      CHECK(t.frozen[static_cast<std::size_t>(m)] == (m == 4));
      if (m != 4) CHECK(same_bits(traces_of(healthy, m), traces_of(t, m)));
    }
    CHECK(std::isfinite(t.loss[4]));
  }
}

TEST_CASE("identity: on the emulation every schedule gives the same bits") {
  for (const TestMachine& machine : machines()) {
    if (!machine.is_emulated) continue;
    TrainingSpec spec = spec_of(crowd());
    spec.steps = 6;
    Trained first;
    for (int schedule = 0; schedule < kSchedules; ++schedule) {
      CAPTURE(schedule);
      const Schedule scope(machine, schedule);
      Trained t = train(machine, spec);
      if (schedule == 0) first = std::move(t);
      if (schedule == 0) continue;
      CHECK(same_bits(first.parameters, t.parameters));
      CHECK(same_bits(first.slot_a, t.slot_a));
      CHECK(same_bits(first.slot_b, t.slot_b));
      CHECK(same_bits(first.slot_c, t.slot_c));
      CHECK(first.loss == t.loss);
      CHECK(first.correct == t.correct);
      CHECK(std::memcmp(first.moments.data(), t.moments.data(), first.moments.size() * sizeof(Moments)) == 0);
    }
  }
}

}  // namespace
}  // namespace shoal::test
