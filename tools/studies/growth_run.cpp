#include "tools/studies/growth_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "engine/removal.h"
#include "tools/signals.h"

namespace shoal {
namespace {

/// Every stage sees its own batches.
ModelSpec stage_model(ModelSpec m, int width, std::size_t stage) {
  m.hidden = {width}, m.seed += static_cast<std::uint64_t>(stage) << 32;
  return m;
}

/// One seed of one arm on its way.
struct Lane {
  const Arm* arm;
  std::size_t seed;  // index into the population's models
  Layers layers = {};
  Outcome outcome = {};
};

void add_stage(Lane& lane, const PhaseResult& r, const Stage& stage) {
  Outcome& o = lane.outcome;
  o.diverged = r.diverged;
  for (std::size_t e = 0; e < r.epoch_test_loss.size(); ++e)
    o.curve.push_back({o.cost + static_cast<double>(stage.width) * static_cast<double>(e + 1),
                       r.epoch_test_loss[e], r.epoch_test_accuracy[e]});
  o.cost += static_cast<double>(stage.width) * stage.epochs, o.epochs += stage.epochs;
  o.size = stage.width;
  o.train_loss = r.train_loss, o.train_accuracy = r.train_accuracy;
  o.test_loss = r.test_loss, o.test_accuracy = r.test_accuracy;
  lane.layers = r.layers;
}

/// What the lanes' models begin a stage with; false when stopped.
bool begin_stage(std::span<Lane> lanes, const Population& p, std::size_t stage, int width) {
  std::vector<Layers> shrinking;
  std::vector<Lane*> owners;
  for (Lane& lane : lanes) {
    if (lane.outcome.diverged) continue;
    if (lane.arm->kind == ArmKind::grow)
      lane.layers =
          grow(lane.layers, stage_model(p.spec.models[lane.seed], width, stage), p.task.shape, lane.arm->how);
    if (lane.arm->kind == ArmKind::shrink)
      owners.push_back(&lane), shrinking.push_back(std::move(lane.layers));
  }
  if (shrinking.empty()) return true;
  std::vector<Layers> halves = halve(shrinking, p.task, p.spec.machine, &stop_requested());
  for (std::size_t i = 0; i < halves.size(); ++i) owners[i]->layers = std::move(halves[i]);
  return halves.size() == shrinking.size();
}

/// Arms with one course, side by side. Those that begin with the same network train it once.
bool run_course(std::string_view name, std::span<Lane> lanes, const Population& p, Phases& phases) {
  const Course& course = lanes.front().arm->course;
  for (std::size_t s = 0; s < course.size(); ++s) {
    if (s > 0 && !begin_stage(lanes, p, s, course[s].width)) return false;
    PhaseSpec phase{fmt::format("{}-{}-{}", name, s, course[s].width), course[s].epochs, {}};
    std::map<std::size_t, std::size_t> first;  // of a seed, in the phase
    std::vector<std::pair<Lane*, std::size_t>> places;
    for (Lane& lane : lanes) {
      if (lane.outcome.diverged) continue;
      const auto [at, fresh] = first.emplace(lane.seed, phase.models.size());
      places.emplace_back(&lane, s > 0 ? phase.models.size() : at->second);
      if (s > 0 || fresh)
        phase.models.push_back({stage_model(p.spec.models[lane.seed], course[s].width, s), lane.layers});
    }
    if (places.empty()) return true;
    const auto results = phases.train(phase);
    if (!results) return false;
    for (const auto& [lane, at] : places) add_stage(*lane, results->models[at], course[s]);
  }
  return true;
}

Outcome outcome_of(const ModelResult& m, const Course& course) {
  Lane lane{nullptr, 0};
  PhaseResult r;
  r.diverged = m.status != ModelStatus::ok;
  r.train_loss = m.train_loss, r.train_accuracy = m.train_accuracy;
  r.test_loss = m.test_loss, r.test_accuracy = m.test_accuracy;
  r.epoch_test_loss = m.epoch_test_loss, r.epoch_test_accuracy = m.epoch_test_accuracy;
  add_stage(lane, r, course.front());
  return std::move(lane.outcome);
}

/// A gate pays for the neurons that are open, until the budget is spent.
Outcome gate_outcome(const PhaseResult& r, const GrowthSpec& spec) {
  Outcome o;
  o.diverged = r.diverged;
  for (std::size_t e = 0; e < r.epoch_size.size() && !r.diverged; ++e) {
    const double open = open_to_one_percent(r.epoch_size[e], spec.final);
    if (o.cost + open > static_cast<double>(budget_of(spec))) break;
    o.cost += open, o.epochs += 1, o.size = std::clamp(r.epoch_size[e], 0.0, static_cast<double>(spec.final));
    o.train_loss = r.epoch_train_loss[e], o.train_accuracy = NAN;
    o.test_loss = r.epoch_test_loss[e], o.test_accuracy = r.epoch_test_accuracy[e];
    o.curve.push_back({o.cost, o.test_loss, o.test_accuracy});
  }
  return o;
}

bool run_gate(const GrowthSpec& spec, ArmOutcomes& arm, const Population& p, Phases& phases) {
  const Stage& stage = arm.arm.course.front();
  PhaseSpec phase{.name = name_of(arm.arm), .epochs = stage.epochs, .models = {}, .epoch_losses = true};
  for (const ModelSpec& m : p.spec.models) {
    phase.models.push_back({stage_model(m, stage.width, 0)});
    GateSpec gate;
    gate.kind = GateKind::size, gate.start = spec.start, gate.slope = 1, gate.lr = arm.arm.rate,
    gate.penalty = 0;
    phase.models.back().spec.gates = {gate};
  }
  const auto results = phases.train(phase);
  if (!results) return false;
  for (const PhaseResult& r : results->models) arm.seeds.push_back(gate_outcome(r, spec));
  return true;
}

/// Arms from `first` on that are trained side by side: growing ones with one schedule, others alone.
std::size_t together(const std::vector<Arm>& arms, std::size_t first) {
  std::size_t end = first + 1;
  if (arms[first].kind == ArmKind::grow)
    while (end < arms.size() && arms[end].kind == ArmKind::grow && arms[end].course == arms[first].course)
      ++end;
  return end;
}

}  // namespace

double open_to_one_percent(double x0, int neurons) {
  return std::clamp(std::floor(x0 + std::log(99.0)) + 1, 1.0, static_cast<double>(neurons));
}

std::vector<Layers> halve(std::span<const Layers> models, const Task& task, const MachineSpec& machine,
                          const std::atomic<bool>* stop) {
  const auto removals = removals_of(models, task.train, task.scale, task.shift, machine, stop);
  std::vector<Layers> halves;
  for (std::size_t m = 0; m < removals.size(); ++m) {
    const std::vector<NeuronRemoval>& neurons = removals[m].neurons;
    std::vector<int> order(neurons.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](int a, int b) {
      return neurons[static_cast<std::size_t>(a)].loss > neurons[static_cast<std::size_t>(b)].loss;
    });
    order.resize(std::max<std::size_t>(1, order.size() / 2));
    std::ranges::sort(order);
    halves.push_back(keep_neurons(models[m], order));
  }
  return halves;
}

std::map<int, double> epochs_by_width(const GrowthSpec& spec) {
  std::map<int, double> epochs;
  const std::vector<Arm> arms = growth_arms(spec);
  for (std::size_t a = 1; a < arms.size(); a = together(arms, a)) {
    const auto lanes = static_cast<double>(together(arms, a) - a);
    const Course& course = arms[a].course;
    for (std::size_t s = 0; s < course.size(); ++s)
      epochs[course[s].width] += (s == 0 ? 1 : lanes) * course[s].epochs;
  }
  if (spec.moments.empty()) return epochs;
  const double branches = spec.horizon * static_cast<double>(spec.moments.size());
  for (const int width : growing_widths(spec)) {
    epochs[width] += spec.moments.back() + 2 * branches;
    epochs[2 * width] += branches;
  }
  return epochs;
}

double cost_of_phases(const GrowthSpec& spec, std::size_t seeds) {
  double cost = 0;
  for (const auto& [width, epochs] : epochs_by_width(spec)) cost += width * epochs;
  return cost * static_cast<double>(seeds);
}

std::optional<std::vector<ArmOutcomes>> run_arms(const GrowthSpec& spec, const Population& p,
                                                 Phases& phases) {
  const std::vector<Arm> arms = growth_arms(spec);
  std::vector<ArmOutcomes> outcomes;
  for (const Arm& arm : arms) outcomes.push_back({arm, {}});
  for (const ModelResult& m : p.result.models) outcomes[0].seeds.push_back(outcome_of(m, arms[0].course));
  for (std::size_t a = 1; a < arms.size(); a = together(arms, a)) {
    if (arms[a].kind == ArmKind::gate) {
      if (!run_gate(spec, outcomes[a], p, phases)) return std::nullopt;
      continue;
    }
    std::vector<Lane> lanes;
    for (std::size_t arm = a; arm < together(arms, a); ++arm)
      for (std::size_t seed = 0; seed < p.spec.models.size(); ++seed) lanes.push_back({&arms[arm], seed});
    const std::string name =
        arms[a].kind == ArmKind::grow ? fmt::format("grow-{}", name_of(arms[a].schedule)) : name_of(arms[a]);
    if (!run_course(name, lanes, p, phases)) return std::nullopt;
    for (std::size_t l = 0; l < lanes.size(); ++l)
      outcomes[a + l / p.spec.models.size()].seeds.push_back(std::move(lanes[l].outcome));
  }
  return outcomes;
}

}  // namespace shoal
