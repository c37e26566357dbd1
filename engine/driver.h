// What trains a wave: threads of the CPU, or a device. Both leave the same things behind in the Wave.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/wave.h"

namespace shoal {

/// How a driver is watched and stopped.
struct Control {
  const std::atomic<bool>* stop = nullptr;     // may be null
  std::function<void()> poll;                  // called about ten times a second
  std::atomic<std::int64_t> model_samples{0};  // samples times models trained so far
  std::atomic<double> flops{0};                // of these, without padding

  bool stopped() const { return stop && stop->load(std::memory_order_relaxed); }
};

/// Sums over one part of the data, per model of the wave; NaN for models that have diverged.
struct Evaluation {
  std::vector<double> loss, accuracy;  // means
};

/// What each neuron of the last hidden layers is worth, sums over one part of the data.
struct RemovalSweep {
  std::vector<RemovalSums> neurons;  // [neurons] of the layout; of other layers: nothing
  std::vector<RemovalSums> whole;    // [models]
  std::vector<Moments> moments;      // [neurons]
};

/// The derivatives of a first step, in the arrays' own places.
struct StepGradients {
  AlignedArray<float> parameters;     // of the mean loss, without penalties
  std::vector<float> gates, learned;  // [neurons] the gates of the step; derivatives by what they learn, with
                                      // penalties
  std::vector<double> loss;           // [models] mean
};

class Driver {
 public:
  virtual ~Driver() = default;
  /// Trains every pack from where it stands to the end of the epoch; sums of loss and correct are reset by
  /// the caller. Returns early when stopped, each pack at a step boundary with its position written.
  virtual void train_epoch(std::int64_t epoch, Control&) = 0;
  /// With `moments` ([neurons] of the layout), folds the hidden neurons' outputs into them on the way.
  /// Returns early when stopped.
  virtual Evaluation evaluate(const DataView&, Moments* moments, Control&) = 0;
  /// Cross-entropy, whatever the models were trained with. Incomplete when stopped.
  virtual RemovalSweep removals(const DataView&, Control&) = 0;
  /// Step 1 over the first samples of the training data, as many as a model's batch, in their order; nothing
  /// is updated.
  virtual StepGradients gradients() = 0;
  /// Brings parameters and optimizer state into the wave's arrays.
  virtual void fetch() = 0;
  /// The gates' part of it.
  virtual void fetch_gates() = 0;
  virtual std::string description() const = 0;
};

std::unique_ptr<Driver> cpu_driver(Wave&, const RunSpec&, const Task&);
std::unique_ptr<Driver> device_driver(Wave&, const RunSpec&, const Task&, DeviceMachine);
/// The machine of a run that is not the CPU's. DeviceError.
DeviceMachine open_device(const MachineSpec&);

/// Philox stream of an order group's shuffle in an epoch.
std::uint64_t shuffle_stream(const OrderGroup&, std::int64_t epoch);
/// Steps of an epoch.
std::int64_t steps_per_epoch(std::int64_t samples, int batch);
/// Before the first sample.
RemovalSweep empty_sweep(const Wave&);
/// Means from sums; NaN where a model is frozen.
Evaluation means(const Wave&, std::span<const double> loss, std::span<const std::int64_t> correct,
                 std::int64_t samples);

}  // namespace shoal
