// Whole training runs on a machine, and the same runs in the reference.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/kernels/cases.h"

namespace shoal::test {

struct GroupSpec {
  int batch;
  std::uint64_t seed;  // of its order; the stream is the epoch
};

struct TrainingSpec {
  int features, classes;
  std::int64_t samples;
  std::uint64_t data_seed = 1;
  std::vector<GroupSpec> groups;
  std::vector<ModelShape> models = {};
  std::vector<UpdateSettings> settings = {};     // [models]; the rule must be the shape's
  std::vector<std::uint64_t> weight_seeds = {};  // [models]
  LossKind loss = LossKind::cross_entropy;
  int steps = 20;  // counted in the steps of the group with the smallest batch
};

/// Everything that a run leaves behind.
struct Trained {
  Population population;
  std::vector<float> parameters, slot_a, slot_b, slot_c, outputs;
  std::vector<double> loss;
  std::vector<std::int64_t> correct;
  std::vector<int> frozen;
  std::vector<Moments> moments;  // of the last step's batch
};

Trained train(const TestMachine&, const TrainingSpec&);

/// The same model by itself, in double. `noise`: see reference::Trainer.
struct TrainedReference {
  reference::Trainer trainer;
  double loss = 0.0;
  std::int64_t correct = 0;
};
TrainedReference train_reference(const TrainingSpec&, int model, double noise, std::uint64_t noise_seed);

}  // namespace shoal::test
