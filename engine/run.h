// Training a population from beginning to end: waves, threads or a device, evaluation, neuron statistics,
// stop and resume. This is the engine's door for programs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/spec.h"
#include "kernels/machine.h"
#include "kernels/moments.h"

namespace shoal {

/// One part of the data as the engine reads it; the caller keeps the arrays alive. Exactly one of `bytes` and
/// `values`: [count][features].
struct DataView {
  std::int64_t count = 0;
  int features = 0;
  const std::uint8_t* bytes = nullptr;
  const float* values = nullptr;
  const std::int32_t* labels = nullptr;  // [count], 0 .. classes-1
};

/// Data of a task; every input enters the models as x * scale + shift.
struct Task {
  TaskShape shape;
  DataView train, test;
  float scale = 1.0f, shift = 0.0f;
};

struct RunSpec {
  std::vector<ModelSpec> models;
  int epochs = 5;
  LossKind loss = LossKind::cross_entropy;
  OrderKind order = OrderKind::seed;
  bool evaluate_each_epoch = true;  // test loss and accuracy after every epoch; always after the last
  bool evaluate_train = true;       // loss and accuracy on the whole training set after the last epoch
  bool neuron_moments = true;  // moments of every hidden neuron over the training set after the last epoch
  bool moments_before_relu = false;
  bool epoch_details = false;  // after every epoch: what EpochDetail holds
  MachineSpec machine;
};

/// What a run will take; pure arithmetic on the specs, nothing is allocated.
struct RunPlan {
  std::int64_t models = 0;
  std::int64_t parameters = 0;  // without padding
  std::int64_t padded_parameters = 0;
  std::size_t population_bytes = 0;  // parameters, optimizer state and per-neuron tables of the largest wave
  std::size_t workspace_bytes = 0;   // activations of the packs in flight
  std::size_t data_bytes = 0;
  int waves = 0;
  int packs = 0, panels = 0;
  double train_flops = 0;  // of the whole run, forward and backward, without padding
};
RunPlan plan_run(const RunSpec&, const Task&);

enum class ModelStatus { ok, diverged };

/// What became of a hidden layer's gates.
struct GateResult {
  GateKind kind = GateKind::none;
  double size = 0;                 // x0, or how many gates are not 0
  std::vector<float> gates;        // [neuron] as in an evaluation after the last epoch
  std::vector<float> parameters;   // what was learned: x0 and k, or one per neuron; of a mask: the factors
  std::vector<double> epoch_size;  // [epochs done]
};

/// What studies of optimizers look at when an epoch has ended. NaN for models that have diverged.
struct EpochDetail {
  double train_loss;  // mean over the whole training set, with the weights as they are now
  double step;        // rms over the parameters of the change made by the last step (kernels/step_size.h)
  double scale;       // rms of what the rule divided by; 0 for rules that divide by nothing
  double below_eps;   // share of the parameters where that was less than eps
};

/// Everything known of one model; losses are means over samples. NaN where nothing was measured.
struct ModelResult {
  ModelId id = 0;
  std::int64_t parameters = 0;
  ModelStatus status = ModelStatus::ok;
  int diverged_epoch = -1;               // 0-based epoch in which the loss stopped being finite
  std::vector<double> epoch_train_loss;  // [epochs done] running mean while the weights moved
  std::vector<double> epoch_train_accuracy;
  std::vector<double> epoch_test_loss;  // NaN for epochs without evaluation
  std::vector<double> epoch_test_accuracy;
  std::vector<EpochDetail> details;   // [epochs done] where RunSpec::epoch_details
  double train_loss, train_accuracy;  // on the whole training set, after the last epoch
  double test_loss, test_accuracy;
  std::vector<std::vector<Moments>> neurons;  // [hidden layer][neuron] of its output, gate included; of z
                                              // = xW + b where RunSpec::moments_before_relu says so
  std::vector<GateResult> gates;              // [hidden layer]; empty for models without gates
};

/// Weights of one layer as PyTorch keeps them: weight [out][in] row-major, bias [out].
struct LayerWeights {
  int inputs = 0, outputs = 0;
  std::vector<float> weight, bias;
};

struct Progress {
  int wave = 0, waves = 1;
  int epoch = 0, epochs = 0;  // epoch being trained, 0-based: the slowest pack's
  std::int64_t models = 0, diverged = 0;
  double done = 0;           // share of the run's training work, 0 .. 1
  double model_samples = 0;  // trained so far in this process
  double seconds = 0;        // since the start of run()
};

/// Facts of a finished epoch of one wave (all its packs have finished it).
struct EpochReport {
  int wave = 0, waves = 1;
  int epoch = 0;
  std::span<const std::int64_t> models;  // indices into RunSpec::models of this wave
  std::span<const double> train_loss, train_accuracy, test_loss, test_accuracy;  // [models of the wave]
  std::span<const double> size;  // [models of the wave] sum over the layers with gates; NaN without gates
};

/// Weights of a wave's models at the end of an epoch.
struct EpochWeights {
  int epochs = 0;                                            // trained so far
  std::span<const std::int64_t> models;                      // of the wave: indices into RunSpec::models
  std::function<std::vector<LayerWeights>(std::size_t)> of;  // of models[i], as RunHooks::weights gives them
};

/// Where a model's training begins: its layers, hidden layers first, at the sizes of its specification, or
/// nothing for the initial weights that the specification says.
using StartWeights = std::function<std::vector<LayerWeights>(std::int64_t model)>;

/// Share of a run's time that checkpoints may take when nobody says how often they are written.
inline constexpr double kCheckpointShare = 0.05;

struct RunHooks {
  std::function<void(const Progress&)> progress;  // from one thread, several times a second
  std::function<void(const EpochReport&)> epoch;  // from run()'s thread
  const std::atomic<bool>* stop = nullptr;        // set it, and every pack stops at its next step boundary
  /// Asked once for every model (index into RunSpec::models) when its wave begins; null: everybody begins as
  /// its specification says. The state of optimizer and gates is that of a fresh model. What has begun before
  /// a resume is not asked for again: a checkpoint belongs to the weights that it was begun with, and of
  /// these the run only knows that they were given. SpecError when they do not fit or are not finite.
  StartWeights start_weights;
  std::string checkpoint_path;  // empty: no checkpoints, no resume
  /// When a checkpoint is written at the end of an epoch. Nothing: at every one, as long as writing takes no
  /// more than kCheckpointShare of the time since the last; else when so many seconds have passed; 0: only
  /// when stopped.
  std::optional<double> checkpoint_seconds;
  /// A finished run leaves a checkpoint of its last epoch behind, and the caller removes it
  /// (remove_checkpoints) when all that follows is done; resumed from it, the run evaluates again and ends.
  bool keep_checkpoint = false;
  /// Called when a model is finished, in order of waves, models of a wave in order of RunSpec::models, with
  /// its final weights, hidden layers first. Gates are folded into the weights that read a neuron (row i of V
  /// times g_i), so that the layers alone are the model.
  std::function<void(std::int64_t model, std::span<const LayerWeights>)> weights;
  /// Called before `weights`, with the weights as they were trained: gates are not folded.
  std::function<void(std::int64_t model, std::span<const LayerWeights>)> unfolded_weights;
  /// Called at the ends of these epochs (counted from 1), before a checkpoint of them is written: after a
  /// resume epochs that a checkpoint holds are not seen again, others are, with the same bits. Not with gates
  /// (SpecError).
  std::vector<int> weight_epochs;
  std::function<void(const EpochWeights&)> epoch_weights;
};

struct RunResult {
  std::vector<ModelResult> models;  // in the order of RunSpec::models
  bool stopped = false;  // by the stop flag: a checkpoint has been written, results are what there was
  bool resumed = false;
  std::int64_t diverged = 0;
  double seconds = 0;        // of this process
  double train_seconds = 0;  // spent in training steps (wall clock)
  double model_samples = 0;  // trained by this process
  double flops = 0;          // of these, without padding
  std::string machine;       // "cpu v4, 2 threads", "cuda: NVIDIA H200 ..."
};

/// Trains. Resumes from hooks.checkpoint_path when that file exists and belongs to this spec (SpecError when
/// it does not); a finished run removes it, unless hooks.keep_checkpoint. Errors: SpecError, DeviceError.
RunResult run(const RunSpec&, const Task&, const RunHooks&);

/// Removes a checkpoint and the files of finished waves beside it; what is not there is no error.
void remove_checkpoints(const std::string& checkpoint_path);

}  // namespace shoal
