#include "tests/kernels/training.h"

#include <algorithm>

#include "tests/reference/sampling.h"

namespace shoal::test {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

constexpr float kScale = 0.5f, kShift = 0.25f;

reference::Samples data_of(const TrainingSpec& spec) {
  return reference::make_samples(static_cast<int>(spec.samples), spec.features, spec.classes, spec.data_seed);
}

std::int64_t steps_per_epoch(const TrainingSpec& spec, int batch) {
  return (spec.samples + batch - 1) / batch;
}

// Steps of an epoch until every group is through.
std::int64_t longest_epoch(const TrainingSpec& spec) {
  std::int64_t steps = 0;
  for (const GroupSpec& g : spec.groups) steps = std::max(steps, steps_per_epoch(spec, g.batch));
  return steps;
}

PopulationSpec population_of(const TrainingSpec& spec) {
  PopulationSpec p{spec.features, spec.classes, spec.models, {}};
  for (const GroupSpec& g : spec.groups) p.rows.push_back(g.batch);
  return p;
}

/// A rig with what only training needs.
struct Session {
  const TrainingSpec& spec;
  Rig rig;
  BeginStep begin;
  Shuffle shuffle;

  Session(const TestMachine& machine, const Population& p, const TrainingSpec& s)
      : spec(s), rig(machine, p, {.samples = s.samples}) {
    std::vector<reference::Model> models;
    for (std::size_t m = 0; m < spec.models.size(); ++m)
      models.push_back(reference::make_model(sizes_of(p, static_cast<int>(m)), spec.weight_seeds[m]));
    set_models(rig, models);
    const reference::Samples data = data_of(spec);
    std::vector<float> values;
    for (const reference::Vector& row : data.inputs)
      for (const double x : row) values.push_back(static_cast<float>(x));
    rig.arena.set(rig.values, values);
    rig.arena.set(rig.labels, std::vector<std::int32_t>(data.labels.begin(), data.labels.end()));
    prepare_shuffle();
    prepare_begin();
  }

  void prepare_shuffle() {
    const std::size_t groups = spec.groups.size(), count = groups * index(spec.samples);
    std::vector<std::uint64_t> seeds;
    for (const GroupSpec& g : spec.groups) seeds.push_back(g.seed);
    rig.order = rig.arena.room<std::int32_t>(count, "order");
    shuffle = {};
    shuffle.order = rig.order;
    shuffle.seeds = rig.arena.put(seeds, "seeds");
    shuffle.group_count = static_cast<int>(groups);
    shuffle.samples = spec.samples;
    if (!rig.machine.is_device) return;
    shuffle.keys = rig.arena.room<std::uint32_t>(count, "keys");
    shuffle.scratch_bytes =
        static_cast<std::int64_t>(rig.machine.shuffle_scratch(shuffle.group_count, spec.samples));
    shuffle.scratch = rig.arena.room<std::byte>(index(shuffle.scratch_bytes), "scratch");
  }

  void prepare_begin() {
    std::vector<int> sizes;
    for (const GroupSpec& g : spec.groups) sizes.push_back(g.batch);
    begin = {};
    begin.position = rig.arena.room<std::int64_t>(2, "position");
    begin.batches = rig.batches;
    begin.batch_sizes = rig.arena.put(sizes, "batch sizes");
    begin.group_count = static_cast<int>(sizes.size());
    begin.samples = spec.samples;
    begin.settings = rig.arena.put(spec.settings, "settings");
    begin.model_group = rig.arena.put(rig.population.model_group, "model groups");
    begin.frozen = rig.frozen;
    begin.coefficients = rig.coefficients;
    begin.model_count = static_cast<int>(spec.models.size());
  }

  void start_epoch(std::int64_t epoch) {
    const std::vector<std::uint64_t> streams(spec.groups.size(), static_cast<std::uint64_t>(epoch));
    shuffle.streams = rig.arena.put(streams, "streams");
    rig.machine.ops.shuffle(shuffle, rig.arena.stream());
    rig.arena.set(begin.position, std::vector<std::int64_t>{epoch, 0});
  }

  void step() {
    rig.machine.ops.begin_step(begin, rig.arena.stream());
    rig.gather(kScale, kShift);
    rig.forward();
    rig.loss(spec.loss, true);
    rig.backward();
    rig.update(false);
  }
};

}  // namespace

Trained train(const TestMachine& machine, const TrainingSpec& spec) {
  Trained t{};
  t.population = make_population(population_of(spec));
  Session session(machine, t.population, spec);
  Rig& rig = session.rig;
  const std::int64_t epoch_steps = longest_epoch(spec);
  for (int step = 0; step < spec.steps; ++step) {
    if (step % epoch_steps == 0) session.start_epoch(step / epoch_steps);
    session.step();
  }
  rig.fold_moments(false);
  t.parameters = rig.arena.get(rig.parameters);
  t.slot_a = rig.arena.get(rig.slot_a);
  t.slot_b = rig.arena.get(rig.slot_b);
  t.slot_c = rig.arena.get(rig.slot_c);
  t.outputs = rig.arena.get(rig.workspace.outputs);
  t.loss = rig.arena.get(rig.loss_sums);
  t.correct = rig.arena.get(rig.correct);
  t.frozen = rig.arena.get(rig.frozen);
  t.moments = rig.arena.get(rig.moments);
  const std::string touched = rig.arena.touched();
  if (!touched.empty()) throw std::logic_error("training wrote beside the array " + touched);
  return t;
}

TrainedReference train_reference(const TrainingSpec& spec, int model, double noise,
                                 std::uint64_t noise_seed) {
  const auto m = index(model);
  const GroupSpec& group = spec.groups[index(spec.models[m].group)];
  std::vector<int> sizes = {spec.features};
  sizes.insert(sizes.end(), spec.models[m].hidden.begin(), spec.models[m].hidden.end());
  sizes.push_back(spec.classes);
  TrainedReference t{{reference::make_model(sizes, spec.weight_seeds[m]), in_reference(spec.settings[m]),
                      in_reference(spec.loss)}};
  t.trainer.noise = noise, t.trainer.noise_seed = noise_seed;
  const reference::Samples data = data_of(spec);
  const std::int64_t epoch_steps = longest_epoch(spec);
  std::vector<std::int32_t> order;
  for (int step = 0; step < spec.steps; ++step) {
    const std::int64_t epoch = step / epoch_steps, begin = step % epoch_steps * group.batch;
    if (begin == 0)
      order = reference::epoch_order(group.seed, static_cast<std::uint64_t>(epoch), spec.samples);
    if (begin >= spec.samples) continue;  // this group is through
    reference::Samples batch;
    for (std::int64_t i = begin; i < std::min(begin + group.batch, spec.samples); ++i) {
      const auto sample = index(order[index(i)]);
      batch.inputs.push_back(data.inputs[sample]);
      for (double& x : batch.inputs.back()) x = x * static_cast<double>(kScale) + static_cast<double>(kShift);
      batch.labels.push_back(data.labels[sample]);
    }
    const reference::LossValue value = t.trainer.step(batch);
    t.loss += value.sum;
    t.correct += value.correct;
  }
  return t;
}

}  // namespace shoal::test
