#include "engine/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <utility>

#include "engine/checkpoint.h"
#include "engine/delivery.h"
#include "engine/driver.h"
#include "engine/initialize.h"
#include "engine/plan.h"
#include "engine/safetensors.h"
#include "engine/shrink.h"
#include "engine/waves.h"

namespace shoal {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// One call of run(): what is known, what is watched.
class Run {
 public:
  Run(const RunSpec& run, const Task& task, const RunHooks& hooks);
  RunResult go();

 private:
  bool train_wave(int number);  // false when stopped
  bool train_epochs(Wave&, std::unique_ptr<Driver>&, int number);
  void remove_dead(Wave&, std::unique_ptr<Driver>&);
  bool finish_wave(Wave&, Driver&, int number);
  void replay_finished_wave(int number);
  std::vector<double> record_sizes(const Wave&, std::int64_t epoch);
  bool record_details(const Wave&, Driver&, std::int64_t epoch);  // false when stopped
  void record_epoch(const Wave&, std::int64_t epoch, const Evaluation& train, const Evaluation& test,
                    int number);
  void checkpoint(Wave&, Driver&, int number);
  void show_weights(const Wave&, Driver&);
  bool checkpoint_due(const Wave&) const;
  void report_progress();
  void fill_results();
  std::unique_ptr<Driver> make_driver(Wave&) const;

  const RunSpec& spec_;
  const Task& task_;
  const RunHooks& hooks_;
  Control control_;
  std::vector<std::size_t> first_gate_;  // [model + 1] its layers with gates, in History::gate_sizes
  History history_;
  std::vector<std::vector<std::int64_t>> waves_;
  CheckpointPlace place_;
  std::uint64_t fingerprint_ = 0;
  RunResult result_;
  Clock::time_point start_ = Clock::now(), last_checkpoint_ = start_;
  double total_flops_ = 0, resumed_flops_ = 0;
  double checkpoint_cost_ = -1;  // seconds that writing the last one took
  bool pending_ = false;         // the checkpoint has not been read into its wave yet
  int wave_ = 0;
  std::int64_t epoch_ = 0;
};

/// How many layers with gates stand before each model's, and how many there are.
std::vector<std::size_t> count_gates(std::span<const ModelSpec> models) {
  std::vector<std::size_t> first{0};
  for (const ModelSpec& m : models) {
    std::size_t own = 0;
    for (const GateSpec& g : m.gates) own += g.kind != GateKind::none;
    first.push_back(first.back() + own);
  }
  return first;
}

Run::Run(const RunSpec& run, const Task& task, const RunHooks& hooks)
    : spec_(run),
      task_(task),
      hooks_(hooks),
      first_gate_(count_gates(run.models)),
      history_(run.epochs, run.models.size(), first_gate_.back(), run.epoch_details) {
  const Layout layout = make_layout(run.models, task.shape, run.order);
  if (!hooks.checkpoint_path.empty())
    fingerprint_ = run_fingerprint(run, task, static_cast<bool>(hooks.start_weights));
  if (!hooks.checkpoint_path.empty() && std::filesystem::exists(hooks.checkpoint_path)) {
    place_ = read_checkpoint_place(hooks.checkpoint_path, fingerprint_);
    waves_ = waves_of(place_.wave_of_model);
    if (place_.wave_of_model.size() != run.models.size() || place_.wave < 0 ||
        place_.wave >= static_cast<int>(waves_.size()))
      throw WeightsError(
          fmt::format("{} is damaged: its waves do not fit its models", hooks.checkpoint_path));
    result_.resumed = pending_ = true;
  } else {
    waves_ = cut_waves(layout, memory_budget(run, task, layout), run.machine.kind != MachineSpec::Kind::cpu);
    place_.wave_of_model = wave_of_each(waves_, run.models.size());
  }
  for (const Pack& p : layout.packs) total_flops_ += p.flops;
  total_flops_ *= static_cast<double>(task.train.count) * run.epochs;
  control_.stop = hooks.stop;
  control_.poll = [this] { report_progress(); };
  result_.models.resize(run.models.size());
}

std::unique_ptr<Driver> Run::make_driver(Wave& wave) const {
  if (spec_.machine.kind == MachineSpec::Kind::cpu) return cpu_driver(wave, spec_, task_);
  return device_driver(wave, spec_, task_, open_device(spec_.machine));
}

void Run::report_progress() {
  if (!hooks_.progress) return;
  Progress p;
  p.wave = wave_, p.waves = static_cast<int>(waves_.size());
  p.epoch = static_cast<int>(epoch_), p.epochs = spec_.epochs;
  p.models = static_cast<std::int64_t>(spec_.models.size());
  p.diverged =
      std::count_if(history_.frozen_epoch.begin(), history_.frozen_epoch.end(), [](int e) { return e >= 0; });
  p.done = total_flops_ > 0 ? std::min(1.0, (resumed_flops_ + control_.flops) / total_flops_) : 1.0;
  p.model_samples = static_cast<double>(control_.model_samples);
  p.seconds = seconds_since(start_);
  hooks_.progress(p);
}

void Run::record_epoch(const Wave& wave, std::int64_t epoch, const Evaluation& train, const Evaluation& test,
                       int number) {
  for (std::size_t m = 0; m < wave.models.size(); ++m) {
    const auto model = static_cast<std::size_t>(wave.models[m]),
               at = static_cast<std::size_t>(epoch) * history_.models + model;
    history_.train_loss[at] = train.loss[m];
    history_.train_accuracy[at] = train.accuracy[m];
    history_.test_loss[at] = test.loss[m];
    history_.test_accuracy[at] = test.accuracy[m];
    history_.recorded[model] = epoch + 1;
    history_.frozen_epoch[model] = wave.frozen_epoch[m];
  }
  const std::vector<double> sizes = record_sizes(wave, epoch);
  if (!hooks_.epoch) return;
  EpochReport report;
  report.wave = number, report.waves = static_cast<int>(waves_.size());
  report.epoch = static_cast<int>(epoch);
  report.models = wave.models;
  report.train_loss = train.loss, report.train_accuracy = train.accuracy;
  report.test_loss = test.loss, report.test_accuracy = test.accuracy;
  report.size = sizes;
  hooks_.epoch(report);
}

/// Sizes of the gated layers into the history; per model of the wave their sum, NaN where there are none.
std::vector<double> Run::record_sizes(const Wave& wave, std::int64_t epoch) {
  std::vector<double> sums(wave.models.size(), kUnknown);
  std::vector<std::size_t> next(wave.models.size());
  for (const GateLayer& l : wave.gates) {
    const auto m = static_cast<std::size_t>(l.model);
    const std::size_t at = first_gate_[static_cast<std::size_t>(wave.models[m])] + next[m]++;
    const double size = gate_size(l, wave.gate);
    history_.gate_sizes[static_cast<std::size_t>(epoch) * first_gate_.back() + at] = size;
    sums[m] = next[m] == 1 ? size : sums[m] + size;
  }
  return sums;
}

void Run::checkpoint(Wave& wave, Driver& driver, int number) {
  if (hooks_.checkpoint_path.empty()) return;
  const auto began = Clock::now();
  driver.fetch();
  place_.wave = number;
  write_checkpoint(hooks_.checkpoint_path, fingerprint_, place_, wave, history_);
  last_checkpoint_ = Clock::now();
  checkpoint_cost_ = seconds_since(began);
}

/// At the end of an epoch: what it costs to write one was measured by the last, and is guessed from the bytes
/// before the first.
bool Run::checkpoint_due(const Wave& wave) const {
  constexpr double kGuessedBytesPerSecond = 1e9;
  const double since = seconds_since(last_checkpoint_);
  if (hooks_.checkpoint_seconds) return *hooks_.checkpoint_seconds > 0 && since > *hooks_.checkpoint_seconds;
  const auto floats = wave.parameters.size() * static_cast<std::size_t>(1 + wave.layout.slots);
  const double cost = checkpoint_cost_ >= 0
                          ? checkpoint_cost_
                          : static_cast<double>(floats) * sizeof(float) / kGuessedBytesPerSecond;
  return since * kCheckpointShare >= cost;
}

/// The driver works on the wave's arrays: it is made anew.
void Run::remove_dead(Wave& wave, std::unique_ptr<Driver>& driver) {
  std::optional<Kept> kept = survivors(wave);
  if (!kept) return;
  driver->fetch();
  driver.reset();
  wave = shrink(wave, std::move(*kept), spec_, task_);
  driver = make_driver(wave);
}

void Run::show_weights(const Wave& wave, Driver& driver) {
  const int epochs = static_cast<int>(epoch_) + 1;
  if (!hooks_.epoch_weights || std::ranges::count(hooks_.weight_epochs, epochs) == 0) return;
  driver.fetch();
  hooks_.epoch_weights({epochs, wave.models, [&](std::size_t m) {
                          return get_weights(wave.layout, static_cast<std::int64_t>(m),
                                             wave.parameters.data());
                        }});
}

bool Run::record_details(const Wave& wave, Driver& driver, std::int64_t epoch) {
  const Evaluation whole = driver.evaluate(task_.train, nullptr, control_);
  if (control_.stopped()) return false;
  driver.fetch();
  for (std::size_t m = 0; m < wave.models.size(); ++m) {
    if (wave.frozen[m]) continue;
    const StepSize s =
        last_step(wave, m, (epoch + 1) * steps_per_epoch(task_.train.count, wave.specs[m].batch));
    double* detail = &history_.details[(static_cast<std::size_t>(epoch) * history_.models +
                                        static_cast<std::size_t>(wave.models[m])) *
                                       kDetailFields];
    detail[0] = whole.loss[m];
    detail[1] = std::sqrt(s.step_squares / s.parameters);
    detail[2] = std::sqrt(s.scale_squares / s.parameters);
    detail[3] = s.below_eps / s.parameters;
  }
  return true;
}

bool Run::train_epochs(Wave& wave, std::unique_ptr<Driver>& driver, int number) {
  const Evaluation unknown{std::vector<double>(wave.models.size(), kUnknown),
                           std::vector<double>(wave.models.size(), kUnknown)};
  for (epoch_ = history_.recorded[static_cast<std::size_t>(wave.models[0])]; epoch_ < spec_.epochs;
       ++epoch_) {
    const auto began = Clock::now();
    driver->train_epoch(epoch_, control_);
    result_.train_seconds += seconds_since(began);
    for (std::size_t m = 0; m < wave.models.size(); ++m)
      if (wave.frozen[m] && wave.frozen_epoch[m] < 0) wave.frozen_epoch[m] = static_cast<int>(epoch_);
    if (control_.stopped()) return false;
    const Evaluation train = means(wave, wave.loss, wave.correct, task_.train.count);
    const Evaluation test =
        spec_.evaluate_each_epoch ? driver->evaluate(task_.test, nullptr, control_) : unknown;
    if (control_.stopped()) return false;
    if (spec_.epoch_details && !record_details(wave, *driver, epoch_)) return false;
    driver->fetch_gates();
    record_epoch(wave, epoch_, train, test, number);
    show_weights(wave, *driver);
    wave.loss.assign(wave.loss.size(), 0.0);
    wave.correct.assign(wave.correct.size(), 0);
    if (epoch_ + 1 < spec_.epochs) remove_dead(wave, driver);
    const bool last = epoch_ + 1 == spec_.epochs && number + 1 == static_cast<int>(waves_.size());
    if (checkpoint_due(wave) || (last && hooks_.keep_checkpoint)) checkpoint(wave, *driver, number);
  }
  return true;
}

/// Final evaluation and hand-over of a trained wave; false when stopped.
bool Run::finish_wave(Wave& wave, Driver& driver, int number) {
  std::vector<Moments> moments(static_cast<std::size_t>(wave.layout.neurons), empty_moments());
  const Evaluation test = driver.evaluate(task_.test, nullptr, control_);
  Evaluation train;
  if (spec_.evaluate_train || spec_.neuron_moments)
    train = driver.evaluate(task_.train, spec_.neuron_moments ? moments.data() : nullptr, control_);
  if (control_.stopped()) return false;
  for (std::size_t m = 0; m < wave.models.size(); ++m) {
    const auto model = static_cast<std::size_t>(wave.models[m]), n = history_.models;
    if (spec_.evaluate_train)
      history_.final[model] = train.loss[m], history_.final[n + model] = train.accuracy[m];
    history_.final[2 * n + model] = test.loss[m];
    history_.final[3 * n + model] = test.accuracy[m];
    history_.frozen_epoch[model] = wave.frozen_epoch[m];
  }
  driver.fetch();
  const bool more = number + 1 < static_cast<int>(waves_.size());
  if (more && !hooks_.checkpoint_path.empty())
    write_finished_wave(finished_wave_path(hooks_.checkpoint_path, number), wave, moments);
  deliver(wave, moments, {spec_, task_.train.count, hooks_, result_.models});
  return true;
}

void Run::replay_finished_wave(int number) {
  const std::string path = finished_wave_path(hooks_.checkpoint_path, number);
  const std::vector<std::int64_t>& models = waves_[static_cast<std::size_t>(number)];
  Wave wave = empty_wave(models, spec_, task_, unflatten(read_finished_kept(path), models, spec_));
  std::vector<Moments> moments(static_cast<std::size_t>(wave.layout.neurons));
  read_finished_wave(path, wave, moments);
  deliver(wave, moments, {spec_, task_.train.count, hooks_, result_.models});
}

bool Run::train_wave(int number) {
  wave_ = number;
  const std::vector<std::int64_t>& models = waves_[static_cast<std::size_t>(number)];
  const bool resumes = std::exchange(pending_, false);
  Wave wave = resumes ? empty_wave(models, spec_, task_, unflatten(place_.kept, models, spec_))
                      : make_wave(models, spec_, task_, hooks_.start_weights);
  if (resumes) {
    read_checkpoint(hooks_.checkpoint_path, wave, history_);
    for (std::size_t m = 0; m < spec_.models.size(); ++m)
      resumed_flops_ += flops_per_sample(spec_.models[m], task_.shape) *
                        static_cast<double>(task_.train.count) * static_cast<double>(history_.recorded[m]);
  }
  std::unique_ptr<Driver> driver = make_driver(wave);
  result_.machine = driver->description();
  if (train_epochs(wave, driver, number) && finish_wave(wave, *driver, number)) return true;
  checkpoint(wave, *driver, number);
  return false;
}

void Run::fill_results() {
  for (std::size_t m = 0; m < spec_.models.size(); ++m) {
    ModelResult& r = result_.models[m];
    r.id = model_id(spec_.models[m], task_.shape);
    r.parameters = parameter_count(spec_.models[m], task_.shape);
    r.diverged_epoch = history_.frozen_epoch[m];
    r.status = r.diverged_epoch >= 0 ? ModelStatus::diverged : ModelStatus::ok;
    result_.diverged += r.diverged_epoch >= 0;
    for (std::int64_t e = 0; e < history_.recorded[m]; ++e) {
      const std::size_t at = static_cast<std::size_t>(e) * history_.models + m;
      r.epoch_train_loss.push_back(history_.train_loss[at]);
      r.epoch_train_accuracy.push_back(history_.train_accuracy[at]);
      r.epoch_test_loss.push_back(history_.test_loss[at]);
      r.epoch_test_accuracy.push_back(history_.test_accuracy[at]);
      std::size_t gated = static_cast<std::size_t>(e) * first_gate_.back() + first_gate_[m];
      for (GateResult& g : r.gates)
        if (g.kind != GateKind::none) g.epoch_size.push_back(history_.gate_sizes[gated++]);
      if (history_.details.empty()) continue;
      const double* d = &history_.details[at * kDetailFields];
      r.details.push_back({d[0], d[1], d[2], d[3]});
    }
    r.train_loss = history_.final[m], r.train_accuracy = history_.final[history_.models + m];
    r.test_loss = history_.final[2 * history_.models + m],
    r.test_accuracy = history_.final[3 * history_.models + m];
  }
  result_.seconds = seconds_since(start_);
  result_.model_samples = static_cast<double>(control_.model_samples);
  result_.flops = control_.flops;
}

RunResult Run::go() {
  const int waves = static_cast<int>(waves_.size()), first = place_.wave;
  for (int w = 0; w < first; ++w) replay_finished_wave(w);
  for (int w = first; w < waves && !result_.stopped; ++w) result_.stopped = !train_wave(w);
  if (!result_.stopped && !hooks_.checkpoint_path.empty() && !hooks_.keep_checkpoint)
    remove_checkpoints(hooks_.checkpoint_path);
  report_progress();
  fill_results();
  return std::move(result_);
}

}  // namespace

RunResult run(const RunSpec& spec, const Task& task, const RunHooks& hooks) {
  validate(spec, task);
  const auto gated = [](const ModelSpec& m) {
    return std::ranges::any_of(m.gates, [](const GateSpec& g) { return g.kind != GateKind::none; });
  };
  if (hooks.epoch_weights && std::ranges::any_of(spec.models, gated))
    throw SpecError("weights at the ends of epochs are those of models without gates");
  return Run(spec, task, hooks).go();
}

}  // namespace shoal
