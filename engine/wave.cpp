#include "engine/wave.h"

#include "engine/initialize.h"

namespace shoal {

UpdateSettings update_settings(const OptimizerSpec& o) {
  return {o.lr, o.momentum, o.beta1, o.beta2, o.eps, o.l1, o.l2, o.weight_decay, o.rule};
}

Wave empty_wave(std::span<const std::int64_t> models, const RunSpec& run, const Task& task) {
  Wave wave;
  wave.models.assign(models.begin(), models.end());
  for (const std::int64_t m : models) {
    wave.specs.push_back(run.models[static_cast<std::size_t>(m)]);
    wave.settings.push_back(update_settings(wave.specs.back().optimizer));
  }
  wave.layout = make_layout(wave.specs, task.shape, run.order);
  const auto count = static_cast<std::size_t>(wave.layout.parameters);
  wave.parameters = AlignedArray<float>(count);
  if (wave.layout.slots >= 1) wave.slot_a = AlignedArray<float>(count);
  if (wave.layout.slots >= 2) wave.slot_b = AlignedArray<float>(count);
  wave.positions.resize(wave.layout.packs.size());
  wave.loss.resize(models.size());
  wave.correct.resize(models.size());
  wave.frozen.resize(models.size());
  wave.frozen_epoch.assign(models.size(), -1);
  return wave;
}

Wave make_wave(std::span<const std::int64_t> models, const RunSpec& run, const Task& task) {
  Wave wave = empty_wave(models, run, task);
  for (std::size_t m = 0; m < models.size(); ++m)
    put_weights(wave.layout, static_cast<std::int64_t>(m), initial_weights(wave.specs[m], task.shape),
                wave.parameters.data());
  return wave;
}

}  // namespace shoal
