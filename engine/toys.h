// The toy path: populations of networks so small that general training would spend its time on everything but
// arithmetic. 16 of them share a vector on the CPU, one is a warp's on a device; every step is a full batch.
// The mathematics, the initial weights and the update rules are the general engine's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/given_models.h"
#include "engine/spec.h"

namespace shoal {

/// Networks of one hidden layer, features 1 to 4, width 1 to 64, classes 2 to 10; each with its own width,
/// seed, init and optimizer. No gates, no group lasso. A step reads all points, so `batch` must not be
/// smaller than they are many, and epochs in a specification (decay_epochs, weights_rest) are steps.
struct ToySpec {
  std::vector<ModelSpec> networks;
  std::int64_t steps = 1000;
  std::int64_t loss_every = 10;  // the losses before steps 1, 1 + loss_every, ... are recorded
  MachineSpec machine;
};

struct ToyProgress {
  double done = 0;  // share of the steps, 0 .. 1
  double seconds = 0;
};

struct ToyHooks {
  std::function<void(const ToyProgress&)> progress;  // from train_toys' own thread, several times a second
  const std::atomic<bool>* stop = nullptr;           // looked at about ten times a second
};

/// What became of a network.
struct ToyNetwork {
  Layers layers;                   // hidden layer first; as they were before the step that diverged
  std::vector<double> losses;      // mean cross-entropy as recorded; NaN from the step that diverged
  std::int64_t diverged_step = 0;  // 1-based; 0: it did not
};

struct ToyRun {
  std::vector<ToyNetwork> networks;  // in the order of the specification; empty when stopped
  bool stopped = false;
  double seconds = 0;        // of training, without drawing the initial weights
  double model_samples = 0;  // networks x points x steps
  double flops = 0;          // of these, as toy_flops counts them
};

/// Trains all networks on all of task.train; task.test is not looked at. A network's bits do not depend on
/// the other networks or the number of threads. SpecError, in a sentence, where a network is no toy or a
/// point is not finite; DeviceError.
ToyRun train_toys(const ToySpec&, const Task&, const ToyHooks& = {});

/// Multiplications and additions that one network needs for one point, forward and backward, biases left out:
/// 2 per product of the chain rule, with the softmax over the C - 1 differences of logits:
/// 2 h (2 F + 3 (C - 1)). For 2-20-2 that is 280.
double toy_flops(int features, int hidden, int classes);

}  // namespace shoal
