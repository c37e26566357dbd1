#include "engine/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/layout.h"
#include "engine/waves.h"
#include "kernels/parallel.h"

namespace shoal {

void validate(const RunSpec& run, const Task& task) {
  if (run.models.empty()) throw SpecError("a run without models");
  if (run.epochs < 0) throw SpecError(fmt::format("{} epochs: 0 or more are possible", run.epochs));
  if (task.train.count < 1 || task.test.count < 1)
    throw SpecError("training and test data must hold at least one sample each");
  for (const ModelSpec& m : run.models) {
    validate(m, task.shape);
    if (m.batch > task.train.count)
      throw SpecError(
          fmt::format("batch {} is larger than the training data: {} samples", m.batch, task.train.count));
  }
}

RunPlan plan_run(const RunSpec& run, const Task& task) {
  validate(run, task);
  RunPlan plan;
  const Layout layout = make_layout(run.models, task.shape, run.order);
  const bool on_device = run.machine.kind != MachineSpec::Kind::cpu;
  const auto waves = cut_waves(layout, memory_budget(run, task, layout), on_device);
  plan.models = static_cast<std::int64_t>(run.models.size());
  for (const ModelSpec& m : run.models) plan.parameters += parameter_count(m, task.shape);
  plan.padded_parameters = layout.parameters;
  plan.data_bytes = data_bytes(task);
  plan.waves = static_cast<int>(waves.size());
  plan.packs = static_cast<int>(layout.packs.size());
  for (const Slab& s : layout.slabs) plan.panels += panel_count(s);
  std::vector<std::size_t> wave_bytes(waves.size()), wave_activations(waves.size());
  const std::vector<std::int32_t> wave_of = wave_of_each(waves, run.models.size());
  std::size_t largest_pack = 0;
  for (const Pack& p : layout.packs) {
    const auto model = static_cast<std::size_t>(layout.heads[static_cast<std::size_t>(p.first_head)].model);
    const auto wave = static_cast<std::size_t>(wave_of[model]);
    wave_bytes[wave] += state_bytes(layout, p);
    wave_activations[wave] += activation_bytes(p);
    largest_pack = std::max(largest_pack, activation_bytes(p));
    plan.train_flops += p.flops * static_cast<double>(task.train.count) * run.epochs;
  }
  plan.population_bytes = *std::max_element(wave_bytes.begin(), wave_bytes.end());
  const int threads = run.machine.threads > 0 ? run.machine.threads : usable_threads();
  plan.workspace_bytes = on_device ? *std::max_element(wave_activations.begin(), wave_activations.end())
                                   : largest_pack * static_cast<std::size_t>(std::min(threads, plan.packs));
  return plan;
}

}  // namespace shoal
