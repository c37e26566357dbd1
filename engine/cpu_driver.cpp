// Training on the CPU: a thread takes a pack and trains it through the whole epoch, so that its weights and
// state stay in the core's cache.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "engine/driver.h"
#include "engine/hash.h"
#include "kernels/cpu/flush_denormals.h"
#include "kernels/parallel.h"

namespace shoal {
namespace {

/// A thread's own arrays, large enough for any pack.
struct Bench {
  AlignedArray<float> inputs, outputs, deltas, preactivations, scratch;
};

class CpuDriver final : public Driver {
 public:
  CpuDriver(Wave& wave, const RunSpec& run, const Task& task);
  void train_epoch(std::int64_t epoch, Control&) override;
  Evaluation evaluate(const DataView&, Moments*, Control&) override;
  RemovalSweep removals(const DataView&, Control&) override;
  StepGradients gradients() override;
  void fetch() override {}
  void fetch_gates() override {}
  std::string description() const override {
    return fmt::format("cpu {}, {} thread{}", name_of(level_), threads_, threads_ == 1 ? "" : "s");
  }

 private:
  struct Step {
    Workspace workspace;
    Gather gather;
    Forward forward;
    Loss loss;
    Backward backward;
    Update update;
    ShrinkGroups shrink_groups;
    SetGates set_gates;
    UpdateGates update_gates;
  };
  Step prepare(std::size_t pack, Bench&, const DataView&, const std::int32_t* order, const Batch*);
  void shuffle(std::int64_t epoch, Control&);
  void prepare_gates(Step&, std::size_t pack);
  void train_pack(std::size_t pack, Bench&, std::int64_t epoch, Control&);
  void evaluate_pack(std::size_t pack, Bench&, const DataView&, Moments*, Control&);
  void remove_in_pack(std::size_t pack, Bench&, const DataView&, RemovalSweep&, Control&);
  bool begin_step(const PackView&, double t);
  void set_evaluation_gates(Step&, std::size_t pack);

  /// work(pack, bench) for every pack, shared out to the threads.
  template <class Work>
  void over_packs(Control& control, Work work) {
    parallel_for(
        static_cast<int>(benches_.size()), static_cast<int>(views_.size()),
        [&](int thread, int pack) {
          work(static_cast<std::size_t>(pack), benches_[static_cast<std::size_t>(thread)]);
        },
        control.poll);
  }
  /// A pack's outputs for all samples, as many rows at a time as it has room for; `look` at each of them.
  template <class Look>
  void over_data(const PackView& view, Step& step, Batch& batch, std::int64_t count, const Control& control,
                 Look look) {
    const std::int64_t rows = view.slabs[0].row_capacity;
    for (std::int64_t first = 0; first < count && !control.stopped(); first += rows) {
      batch.first = first;
      batch.rows = static_cast<int>(std::min(rows, count - first));
      ops_.gather(step.gather, nullptr);
      ops_.forward(step.forward, nullptr);
      look();
    }
  }

  Wave& wave_;
  const Task& task_;
  CpuLevel level_ = best_cpu_level();
  const Ops& ops_ = cpu_ops(level_);
  int threads_;
  LossKind loss_kind_;
  bool before_relu_;
  std::vector<PackView> views_;
  std::vector<Bench> benches_;
  std::vector<std::int32_t> order_;             // [group][sample]
  std::vector<StepCoefficients> coefficients_;  // [model]
  std::vector<float> gates_, partials_;         // [neuron], Update::partials; empty without gates
  std::vector<double> sum_;                     // evaluation: [model]
  std::vector<std::int64_t> correct_;
};

CpuDriver::CpuDriver(Wave& wave, const RunSpec& run, const Task& task)
    : wave_(wave),
      task_(task),
      threads_(run.machine.threads > 0 ? run.machine.threads : usable_threads()),
      loss_kind_(run.loss),
      before_relu_(run.neuron_moments && run.moments_before_relu),
      coefficients_(wave.models.size()),
      gates_(wave.gate.parameters.size(), 1.0f),
      partials_(static_cast<std::size_t>(wave.layout.partials)) {
  // Batches are rows from anywhere in the data: with small pages most of them miss in the page tables.
  const auto samples =
      static_cast<std::size_t>(task.train.count) * static_cast<std::size_t>(task.train.features);
  if (task.train.bytes) advise_huge_pages(task.train.bytes, samples);
  if (task.train.values) advise_huge_pages(task.train.values, samples * sizeof(float));
  const Layout& layout = wave.layout;
  std::int64_t rows = kEvaluationRows, outputs = 0, scratch = 0;
  for (const OrderGroup& g : layout.groups) rows = std::max<std::int64_t>(rows, g.batch);
  for (const Pack& p : layout.packs) {
    views_.push_back(view_of(layout, p, wave.gates));
    outputs = std::max(outputs, p.output_count);
    scratch = std::max(scratch, p.scratch);
  }
  const auto size = [](std::int64_t count) { return static_cast<std::size_t>(count); };
  benches_.resize(
      static_cast<std::size_t>(std::min(threads_, std::max(1, static_cast<int>(layout.packs.size())))));
  for (Bench& b : benches_) {
    b.inputs = AlignedArray<float>(size(rows * layout.input_stride));
    b.outputs = AlignedArray<float>(size(outputs));
    b.deltas = AlignedArray<float>(size(outputs));
    if (before_relu_) b.preactivations = AlignedArray<float>(size(outputs));
    b.scratch = AlignedArray<float>(size(scratch));
  }
}

/// The ops of a pack's step, over a thread's arrays.
CpuDriver::Step CpuDriver::prepare(std::size_t pack, Bench& bench, const DataView& data,
                                   const std::int32_t* order, const Batch* batch) {
  const PackView& view = views_[pack];
  const Slab* slabs = view.slabs.data();
  const int count = static_cast<int>(view.slabs.size());
  float* parameters = wave_.parameters.data();
  Workspace w{};
  w.inputs = bench.inputs.data(), w.outputs = bench.outputs.data(), w.deltas = bench.deltas.data(),
  w.scratch = bench.scratch.data();
  w.batches = batch, w.input_stride = wave_.layout.input_stride;
  Step step{};
  step.workspace = w;
  step.gather = {w, 1, batch->rows, order, data.bytes, data.values, data.features, task_.scale, task_.shift};
  step.forward = {slabs, count, nullptr, 0, parameters, nullptr, w};
  step.loss.slabs = slabs, step.loss.heads = view.heads.data(),
  step.loss.head_count = static_cast<int>(view.heads.size());
  step.loss.labels = data.labels, step.loss.order = order, step.loss.workspace = w;
  step.loss.kind = loss_kind_, step.loss.write_deltas = 1;
  step.backward = {slabs, count, nullptr, 0, parameters, nullptr, w};
  step.update = {slabs,
                 count,
                 nullptr,
                 0,
                 w,
                 nullptr,
                 wave_.layout.block_model.data(),
                 coefficients_.data(),
                 parameters,
                 wave_.slot_a.data(),
                 wave_.slot_b.data(),
                 wave_.slot_c.data(),
                 nullptr,
                 nullptr};
  const auto grouped = [&](const Head& h) {
    return wave_.settings[static_cast<std::size_t>(h.model)].group > 0.0;
  };
  if (std::any_of(view.heads.begin(), view.heads.end(), grouped))
    step.shrink_groups = {slabs,     count, nullptr, 0, w, step.update.block_model, coefficients_.data(),
                          parameters};
  prepare_gates(step, pack);
  return step;
}

/// Packs without gates are left as they are: no factor is 1 that need not be there.
void CpuDriver::prepare_gates(Step& step, std::size_t pack) {
  const Pack& p = wave_.layout.packs[pack];
  if (p.gate_count == 0) return;
  const GateLayer* layers = views_[pack].gates.data();
  GateArrays& a = wave_.gate;
  step.forward.gates = step.backward.gates = step.update.gates = gates_.data();
  step.update.partials = partials_.data();
  step.set_gates = {layers, p.gate_count, a.parameters.data(), coefficients_.data(), 0, gates_.data()};
  step.update_gates = {layers,
                       p.gate_count,
                       step.update.slabs,
                       step.workspace.batches,
                       partials_.data(),
                       coefficients_.data(),
                       {a.parameters.data(), a.slot_a.data(), a.slot_b.data(), a.slot_c.data(),
                        a.sign_mean.data(), a.sign_variance.data()},
                       nullptr};
}

void CpuDriver::shuffle(std::int64_t epoch, Control& control) {
  const std::vector<OrderGroup>& groups = wave_.layout.groups;
  const std::int64_t samples = task_.train.count;
  order_.resize(groups.size() * static_cast<std::size_t>(samples));
  parallel_for(
      threads_, static_cast<int>(groups.size()),
      [&](int, int g) {
        const auto i = static_cast<std::size_t>(g);
        const std::uint64_t stream = shuffle_stream(groups[i], epoch);
        ops_.shuffle({order_.data() + g * samples, &groups[i].seed, &stream, 1, samples, nullptr, nullptr, 0},
                     nullptr);
      },
      control.poll);
}

/// Coefficients of step t for a pack's models; false when none of them is alive.
bool CpuDriver::begin_step(const PackView& view, double t) {
  bool alive = false;
  for (const Head& h : view.heads) {
    const auto m = static_cast<std::size_t>(h.model);
    const bool active = wave_.frozen[m] == 0;
    coefficients_[m] = step_coefficients(wave_.settings[m], t, active);
    alive |= active;
  }
  return alive;
}

void CpuDriver::train_pack(std::size_t pack, Bench& bench, std::int64_t epoch, Control& control) {
  Position& position = wave_.positions[pack];
  if (position.epoch != epoch) return;
  const Pack& p = wave_.layout.packs[pack];
  const PackView& view = views_[pack];
  const std::int64_t samples = task_.train.count,
                     batch_size = wave_.layout.groups[static_cast<std::size_t>(p.group)].batch;
  const std::int64_t steps = steps_per_epoch(samples, static_cast<int>(batch_size));
  Batch batch{};
  Step step = prepare(pack, bench, task_.train, order_.data(), &batch);
  step.loss.loss = wave_.loss.data(), step.loss.correct = wave_.correct.data(),
  step.loss.frozen = wave_.frozen.data();
  step.loss.coefficients = coefficients_.data();
  const FlushDenormals flush;
  for (; position.step < steps; ++position.step) {
    if (control.stopped()) return;
    if (!begin_step(view, static_cast<double>(epoch * steps + position.step + 1))) break;
    batch.first = p.group * samples + position.step * batch_size;
    batch.rows = static_cast<int>(std::min(batch_size, samples - position.step * batch_size));
    ops_.set_gates(step.set_gates, nullptr);
    ops_.gather(step.gather, nullptr);
    ops_.forward(step.forward, nullptr);
    ops_.loss(step.loss, nullptr);
    ops_.backward(step.backward, nullptr);
    ops_.update(step.update, nullptr);
    ops_.shrink_groups(step.shrink_groups, nullptr);
    ops_.update_gates(step.update_gates, nullptr);
    control.model_samples += batch.rows * p.head_count;
    control.flops += batch.rows * p.flops;
  }
  position = {epoch + 1, 0};
}

void CpuDriver::train_epoch(std::int64_t epoch, Control& control) {
  shuffle(epoch, control);
  over_packs(control, [&](std::size_t pack, Bench& bench) { train_pack(pack, bench, epoch, control); });
}

/// Gates as an evaluation has them; the pack stands at the beginning of an epoch.
void CpuDriver::set_evaluation_gates(Step& step, std::size_t pack) {
  step.set_gates.coefficients = nullptr,
  step.set_gates.epochs = static_cast<int>(wave_.positions[pack].epoch);
  ops_.set_gates(step.set_gates, nullptr);
}

void CpuDriver::evaluate_pack(std::size_t pack, Bench& bench, const DataView& data, Moments* moments,
                              Control& control) {
  const PackView& view = views_[pack];
  Batch batch{};
  Step step = prepare(pack, bench, data, nullptr, &batch);
  set_evaluation_gates(step, pack);
  if (moments && before_relu_) step.forward.workspace.preactivations = bench.preactivations.data();
  step.loss.loss = sum_.data(), step.loss.correct = correct_.data(), step.loss.frozen = wave_.frozen.data();
  step.loss.write_deltas = 0;
  const FoldMoments fold{
      step.forward.slabs, step.forward.slab_count, nullptr, 0, step.forward.workspace, before_relu_, moments};
  over_data(view, step, batch, data.count, control, [&] {
    ops_.loss(step.loss, nullptr);
    if (moments) ops_.fold_moments(fold, nullptr);
  });
}

Evaluation CpuDriver::evaluate(const DataView& data, Moments* moments, Control& control) {
  sum_.assign(wave_.models.size(), 0.0);
  correct_.assign(wave_.models.size(), 0);
  over_packs(control,
             [&](std::size_t pack, Bench& bench) { evaluate_pack(pack, bench, data, moments, control); });
  return means(wave_, sum_, correct_, data.count);
}

void CpuDriver::remove_in_pack(std::size_t pack, Bench& bench, const DataView& data, RemovalSweep& sweep,
                               Control& control) {
  const PackView& view = views_[pack];
  Batch batch{};
  Step step = prepare(pack, bench, data, nullptr, &batch);
  set_evaluation_gates(step, pack);
  const FoldMoments fold{step.forward.slabs,  step.forward.slab_count, nullptr, 0, step.workspace, 0,
                         sweep.moments.data()};
  const Removal removal{
      step.loss.slabs,         step.loss.heads,    step.loss.head_count, nullptr,        0,
      step.forward.parameters, step.forward.gates, data.labels,          step.workspace, sweep.neurons.data(),
      sweep.whole.data()};
  const FlushDenormals flush;  // probabilities of classes that are out of the question
  over_data(view, step, batch, data.count, control, [&] {
    ops_.fold_moments(fold, nullptr);
    ops_.removal(removal, nullptr);
  });
}

RemovalSweep CpuDriver::removals(const DataView& data, Control& control) {
  RemovalSweep sweep = empty_sweep(wave_);
  over_packs(control,
             [&](std::size_t pack, Bench& bench) { remove_in_pack(pack, bench, data, sweep, control); });
  return sweep;
}

StepGradients CpuDriver::gradients() {
  StepGradients g{AlignedArray<float>(wave_.parameters.size()), gates_,
                  std::vector<float>(wave_.gate.parameters.size()), std::vector<double>(wave_.models.size())};
  correct_.assign(wave_.models.size(), 0);
  for (std::size_t pack = 0; pack < views_.size(); ++pack) {
    const auto group = static_cast<std::size_t>(wave_.layout.packs[pack].group);
    const Batch batch{0, 0, wave_.layout.groups[group].batch};
    Step step = prepare(pack, benches_[0], task_.train, nullptr, &batch);
    step.loss.loss = g.loss.data(), step.loss.correct = correct_.data(),
    step.loss.frozen = wave_.frozen.data(), step.loss.coefficients = coefficients_.data();
    step.update.gradients = g.parameters.data(), step.update_gates.gradients = g.learned.data();
    begin_step(views_[pack], 1.0);
    ops_.set_gates(step.set_gates, nullptr);
    ops_.gather(step.gather, nullptr);
    ops_.forward(step.forward, nullptr);
    ops_.loss(step.loss, nullptr);
    ops_.backward(step.backward, nullptr);
    ops_.update(step.update, nullptr);
    ops_.update_gates(step.update_gates, nullptr);
    for (const Head& h : views_[pack].heads) g.loss[static_cast<std::size_t>(h.model)] /= batch.rows;
  }
  g.gates = gates_;
  return g;
}

}  // namespace

std::unique_ptr<Driver> cpu_driver(Wave& wave, const RunSpec& run, const Task& task) {
  return std::make_unique<CpuDriver>(wave, run, task);
}

std::uint64_t shuffle_stream(const OrderGroup& g, std::int64_t epoch) {
  return hash_words({g.stream, static_cast<std::uint64_t>(epoch)});
}

std::int64_t steps_per_epoch(std::int64_t samples, int batch) { return (samples + batch - 1) / batch; }

RemovalSweep empty_sweep(const Wave& wave) {
  const auto neurons = static_cast<std::size_t>(wave.layout.neurons);
  return {std::vector<RemovalSums>(neurons, no_removal()),
          std::vector<RemovalSums>(wave.models.size(), no_removal()),
          std::vector<Moments>(neurons, empty_moments())};
}

Evaluation means(const Wave& wave, std::span<const double> loss, std::span<const std::int64_t> correct,
                 std::int64_t samples) {
  Evaluation e;
  for (std::size_t m = 0; m < loss.size(); ++m) {
    const bool known = wave.frozen[m] == 0;
    e.loss.push_back(known ? loss[m] / static_cast<double>(samples)
                           : std::numeric_limits<double>::quiet_NaN());
    e.accuracy.push_back(known ? static_cast<double>(correct[m]) / static_cast<double>(samples)
                               : std::numeric_limits<double>::quiet_NaN());
  }
  return e;
}

}  // namespace shoal
