// Training on a device (a GPU, or its emulation): every op is one launch for the whole wave, and the step is
// recorded once and launched again and again.
#include <fmt/format.h>

#include <algorithm>

#include "engine/driver.h"
#include "kernels/device_array.h"
#include "kernels/tiles.h"

namespace shoal {
namespace {

/// One part of the data on the device.
struct DeviceData {
  DeviceArray<std::uint8_t> bytes;
  DeviceArray<float> values;
  DeviceArray<std::int32_t> labels;
  std::int64_t count = 0;
};

/// How many levels of slabs there are, and the slabs of each: level 0 reads the data, level l + 1 reads level
/// l.
std::vector<std::vector<int>> slabs_by_level(std::span<const Slab> slabs) {
  std::vector<std::vector<int>> levels;
  std::vector<std::size_t> level(slabs.size());
  for (std::size_t s = 0; s < slabs.size(); ++s) {
    level[s] = slabs[s].input < 0 ? 0 : level[static_cast<std::size_t>(slabs[s].input)] + 1;
    if (level[s] == levels.size()) levels.emplace_back();
    levels[level[s]].push_back(static_cast<int>(s));
  }
  return levels;
}

class DeviceDriver final : public Driver {
 public:
  DeviceDriver(Wave&, const RunSpec&, const Task&, DeviceMachine);
  ~DeviceDriver() override;
  void train_epoch(std::int64_t epoch, Control&) override;
  Evaluation evaluate(const DataView&, Moments*, Control&) override;
  RemovalSweep removals(const DataView&, Control&) override;
  StepGradients gradients() override;
  void fetch() override;
  void fetch_gates() override;
  std::string description() const override {
    return fmt::format("{}: {}", machine_.name, machine_.description);
  }

 private:
  template <class T>
  DeviceArray<T> put(std::span<const T> values) {
    return DeviceArray<T>(machine_, values, stream_);
  }
  template <class T>
  DeviceArray<T> put(const std::vector<T>& values) {
    return put(std::span<const T>(values));
  }
  DeviceData put(const DataView&);
  void put_state(const RunSpec&);
  void put_tiles();
  void shuffle(std::int64_t epoch);
  Gather gather(const DeviceData&, const Batch*, const std::int32_t* order) const;
  Loss loss(const DeviceData&, const std::int32_t* order) const;
  void forward(const Workspace&) const;
  void put_gates();
  SetGates set_gates(const StepCoefficients*, int epochs) const;
  UpdateGates update_gates() const;
  Update update() const;
  void backward() const;
  void step();
  std::int64_t longest_epoch() const;
  void write_positions(std::int64_t epoch, std::int64_t step);
  const DeviceData& on_device(const DataView&);
  void put_evaluation_batches(std::int64_t first, std::int64_t count);

  Wave& wave_;
  const Task& task_;
  DeviceMachine machine_;
  void* stream_;
  void* recording_ = nullptr;
  LossKind loss_kind_;
  bool before_relu_, has_groups_;
  Workspace workspace_{};
  int max_rows_ = 0;
  DeviceData train_, test_;
  DeviceArray<Slab> slabs_;
  DeviceArray<Head> heads_;
  DeviceArray<int> block_model_, model_group_, batch_sizes_, frozen_;
  DeviceArray<std::int64_t> position_, correct_;
  DeviceArray<Batch> batches_, evaluation_batches_;
  DeviceArray<UpdateSettings> settings_;
  DeviceArray<StepCoefficients> coefficients_;
  DeviceArray<float> parameters_, slot_a_, slot_b_, slot_c_, inputs_, outputs_, deltas_, preactivations_;
  DeviceArray<GateLayer> gate_layers_;
  DeviceArray<float> gates_, partials_, gate_parameters_, gate_slot_a_, gate_slot_b_, gate_slot_c_,
      sign_mean_, sign_variance_;
  DeviceArray<double> loss_;
  DeviceArray<std::int32_t> order_;
  DeviceArray<std::uint32_t> keys_;
  DeviceArray<std::uint64_t> group_seeds_, group_streams_;
  DeviceArray<char> sort_scratch_;
  std::vector<DeviceArray<Tile>> forward_tiles_, backward_tiles_;  // per level
  DeviceArray<Tile> update_tiles_, moment_tiles_;
};

DeviceDriver::DeviceDriver(Wave& wave, const RunSpec& run, const Task& task, DeviceMachine machine)
    : wave_(wave),
      task_(task),
      machine_(std::move(machine)),
      stream_(machine_.memory.open_stream()),
      loss_kind_(run.loss),
      before_relu_(run.neuron_moments && run.moments_before_relu),
      has_groups_(std::any_of(wave.settings.begin(), wave.settings.end(),
                              [](const UpdateSettings& s) { return s.group > 0.0; })),
      train_(put(task.train)),
      test_(put(task.test)) {
  put_state(run);
  put_gates();
  put_tiles();
}

DeviceDriver::~DeviceDriver() {
  if (recording_) machine_.record.discard(recording_);
  machine_.memory.close_stream(stream_);
}

DeviceData DeviceDriver::put(const DataView& data) {
  DeviceData d;
  const auto size = static_cast<std::size_t>(data.count) * static_cast<std::size_t>(data.features);
  if (data.bytes) d.bytes = put(std::span(data.bytes, size));
  if (data.values) d.values = put(std::span(data.values, size));
  d.labels = put(std::span(data.labels, static_cast<std::size_t>(data.count)));
  d.count = data.count;
  return d;
}

void DeviceDriver::put_state(const RunSpec&) {
  const Layout& layout = wave_.layout;
  const std::size_t models = wave_.models.size(), groups = layout.groups.size();
  slabs_ = put(layout.slabs);
  heads_ = put(layout.heads);
  block_model_ = put(layout.block_model);
  model_group_ = put(layout.model_group);
  settings_ = put(wave_.settings);
  frozen_ = put(wave_.frozen);
  parameters_ = put(std::span<const float>(wave_.parameters.data(), wave_.parameters.size()));
  slot_a_ = put(std::span<const float>(wave_.slot_a.data(), wave_.slot_a.size()));
  slot_b_ = put(std::span<const float>(wave_.slot_b.data(), wave_.slot_b.size()));
  slot_c_ = put(std::span<const float>(wave_.slot_c.data(), wave_.slot_c.size()));

  std::vector<int> batch_sizes;
  std::vector<std::uint64_t> seeds;
  std::vector<Batch> batches;
  std::int64_t inputs = 0;
  for (const OrderGroup& g : layout.groups) {
    const int capacity = std::max(g.batch, kEvaluationRows);
    batch_sizes.push_back(g.batch);
    seeds.push_back(g.seed);
    batches.push_back({inputs, 0, 0});
    inputs += static_cast<std::int64_t>(capacity) * layout.input_stride;
    max_rows_ = std::max(max_rows_, capacity);
  }
  batch_sizes_ = put(batch_sizes);
  group_seeds_ = put(seeds);
  batches_ = put(batches);
  evaluation_batches_ = put(batches);
  group_streams_ = DeviceArray<std::uint64_t>(machine_, groups);
  position_ = DeviceArray<std::int64_t>(machine_, 2);
  coefficients_ = DeviceArray<StepCoefficients>(machine_, models);
  loss_ = DeviceArray<double>(machine_, models);
  correct_ = DeviceArray<std::int64_t>(machine_, models);
  order_ = DeviceArray<std::int32_t>(machine_, groups * static_cast<std::size_t>(task_.train.count));
  keys_ = DeviceArray<std::uint32_t>(machine_, order_.size());
  sort_scratch_ =
      DeviceArray<char>(machine_, machine_.shuffle_scratch(static_cast<int>(groups), task_.train.count));
  inputs_ = DeviceArray<float>(machine_, static_cast<std::size_t>(inputs));
  outputs_ = DeviceArray<float>(machine_, static_cast<std::size_t>(layout.outputs));
  deltas_ = DeviceArray<float>(machine_, static_cast<std::size_t>(layout.outputs));
  if (before_relu_) preactivations_ = DeviceArray<float>(machine_, static_cast<std::size_t>(layout.outputs));
  workspace_.inputs = inputs_.get(), workspace_.outputs = outputs_.get(), workspace_.deltas = deltas_.get();
  workspace_.batches = batches_.get(), workspace_.input_stride = layout.input_stride;
}

void DeviceDriver::put_gates() {
  if (wave_.gates.empty()) return;
  const GateArrays& a = wave_.gate;
  gate_layers_ = put(wave_.gates);
  gate_parameters_ = put(a.parameters);
  gate_slot_a_ = put(a.slot_a);
  gate_slot_b_ = put(a.slot_b);
  gate_slot_c_ = put(a.slot_c);
  sign_mean_ = put(a.sign_mean);
  sign_variance_ = put(a.sign_variance);
  gates_ = put(std::vector<float>(a.parameters.size(), 1.0f));
  partials_ = DeviceArray<float>(machine_, static_cast<std::size_t>(wave_.layout.partials));
}

SetGates DeviceDriver::set_gates(const StepCoefficients* coefficients, int epochs) const {
  return {
      gate_layers_.get(), static_cast<int>(gate_layers_.size()), gate_parameters_.get(), coefficients, epochs,
      gates_.get()};
}

UpdateGates DeviceDriver::update_gates() const {
  return {gate_layers_.get(),
          static_cast<int>(gate_layers_.size()),
          slabs_.get(),
          batches_.get(),
          partials_.get(),
          coefficients_.get(),
          {gate_parameters_.get(), gate_slot_a_.get(), gate_slot_b_.get(), gate_slot_c_.get(),
           sign_mean_.get(), sign_variance_.get()},
          nullptr};
}

void DeviceDriver::put_tiles() {
  const std::vector<Slab>& slabs = wave_.layout.slabs;
  const TileShape& shape = machine_.tiles;
  std::vector<int> all, hidden;
  for (const std::vector<int>& level : slabs_by_level(slabs)) {
    forward_tiles_.push_back(put(forward_tiles(slabs, level, shape.forward_rows)));
    backward_tiles_.push_back(put(backward_tiles(slabs, level, shape.backward_rows)));
    all.insert(all.end(), level.begin(), level.end());
    for (const int s : level)
      if (!slabs[static_cast<std::size_t>(s)].is_output) hidden.push_back(s);
  }
  update_tiles_ = put(update_tiles(slabs, all, shape.update_rows));
  moment_tiles_ = put(moment_tiles(slabs, hidden));
}

void DeviceDriver::shuffle(std::int64_t epoch) {
  std::vector<std::uint64_t> streams;
  for (const OrderGroup& g : wave_.layout.groups) streams.push_back(shuffle_stream(g, epoch));
  group_streams_.upload(streams, stream_);
  machine_.ops.shuffle(
      {order_.get(), group_seeds_.get(), group_streams_.get(), static_cast<int>(streams.size()),
       task_.train.count, keys_.get(), sort_scratch_.get(), static_cast<std::int64_t>(sort_scratch_.size())},
      stream_);
}

Gather DeviceDriver::gather(const DeviceData& data, const Batch* batches, const std::int32_t* order) const {
  Workspace w = workspace_;
  w.batches = batches;
  return {w,
          static_cast<int>(batches_.size()),
          max_rows_,
          order,
          data.bytes.get(),
          data.values.get(),
          task_.shape.features,
          task_.scale,
          task_.shift};
}

Loss DeviceDriver::loss(const DeviceData& data, const std::int32_t* order) const {
  Loss op{};
  op.slabs = slabs_.get(), op.heads = heads_.get(), op.head_count = static_cast<int>(heads_.size());
  op.labels = data.labels.get(), op.order = order, op.workspace = workspace_;
  op.loss = loss_.get(), op.correct = correct_.get(), op.frozen = frozen_.get(),
  op.coefficients = coefficients_.get();
  op.kind = loss_kind_, op.write_deltas = 1;
  return op;
}

void DeviceDriver::forward(const Workspace& w) const {
  const int count = static_cast<int>(slabs_.size());
  for (const DeviceArray<Tile>& tiles : forward_tiles_)
    machine_.ops.forward({slabs_.get(), count, tiles.get(), static_cast<int>(tiles.size()), parameters_.get(),
                          gates_.get(), w},
                         stream_);
}

void DeviceDriver::backward() const {
  for (std::size_t l = backward_tiles_.size(); l-- > 1;)
    machine_.ops.backward(
        {slabs_.get(), static_cast<int>(slabs_.size()), backward_tiles_[l].get(),
         static_cast<int>(backward_tiles_[l].size()), parameters_.get(), gates_.get(), workspace_},
        stream_);
}

Update DeviceDriver::update() const {
  return {slabs_.get(),
          static_cast<int>(slabs_.size()),
          update_tiles_.get(),
          static_cast<int>(update_tiles_.size()),
          workspace_,
          gates_.get(),
          block_model_.get(),
          coefficients_.get(),
          parameters_.get(),
          slot_a_.get(),
          slot_b_.get(),
          slot_c_.get(),
          nullptr,
          partials_.get()};
}

/// Queues one training step.
void DeviceDriver::step() {
  const Ops& ops = machine_.ops;
  ops.begin_step({position_.get(), batches_.get(), batch_sizes_.get(), static_cast<int>(batches_.size()),
                  task_.train.count, settings_.get(), model_group_.get(), frozen_.get(), coefficients_.get(),
                  static_cast<int>(settings_.size())},
                 stream_);
  ops.set_gates(set_gates(coefficients_.get(), 0), stream_);
  ops.gather(gather(train_, batches_.get(), order_.get()), stream_);
  forward(workspace_);
  ops.loss(loss(train_, order_.get()), stream_);
  backward();
  ops.update(update(), stream_);
  if (has_groups_)
    ops.shrink_groups({slabs_.get(), static_cast<int>(slabs_.size()), moment_tiles_.get(),
                       static_cast<int>(moment_tiles_.size()), workspace_, block_model_.get(),
                       coefficients_.get(), parameters_.get()},
                      stream_);
  ops.update_gates(update_gates(), stream_);
}

StepGradients DeviceDriver::gradients() {
  const Ops& ops = machine_.ops;
  StepGradients g{AlignedArray<float>(wave_.parameters.size()), std::vector<float>(gates_.size()),
                  std::vector<float>(wave_.gate.parameters.size()), std::vector<double>(wave_.models.size())};
  std::vector<Batch> batches;
  std::int64_t inputs = 0;
  for (const OrderGroup& group : wave_.layout.groups) {
    batches.push_back({inputs, 0, group.batch});
    inputs += static_cast<std::int64_t>(std::max(group.batch, kEvaluationRows)) * wave_.layout.input_stride;
  }
  batches_.upload(batches, stream_);
  std::vector<StepCoefficients> coefficients;
  for (const UpdateSettings& s : wave_.settings) coefficients.push_back(step_coefficients(s, 1.0, 1));
  coefficients_.upload(coefficients, stream_);
  frozen_.upload(wave_.frozen, stream_);
  loss_.clear(stream_);
  const DeviceArray<float> parameters(machine_, g.parameters.size()), learned = put(g.learned);
  ops.set_gates(set_gates(coefficients_.get(), 0), stream_);
  ops.gather(gather(train_, batches_.get(), nullptr), stream_);
  forward(workspace_);
  ops.loss(loss(train_, nullptr), stream_);
  backward();
  Update weights = update();
  weights.gradients = parameters.get();
  ops.update(weights, stream_);
  UpdateGates gates = update_gates();
  gates.gradients = learned.get();
  ops.update_gates(gates, stream_);
  parameters.download(g.parameters.data(), stream_);
  learned.download(g.learned.data(), stream_);
  gates_.download(g.gates.data(), stream_);
  loss_.download(g.loss.data(), stream_);
  for (std::size_t m = 0; m < g.loss.size(); ++m)
    g.loss[m] /= batches[static_cast<std::size_t>(wave_.layout.model_group[m])].rows;
  return g;
}

std::int64_t DeviceDriver::longest_epoch() const {
  std::int64_t steps = 0;
  for (const OrderGroup& g : wave_.layout.groups)
    steps = std::max(steps, steps_per_epoch(task_.train.count, g.batch));
  return steps;
}

/// All packs of a device stand at one step; those whose epoch is shorter have ended theirs.
void DeviceDriver::write_positions(std::int64_t epoch, std::int64_t step) {
  for (std::size_t p = 0; p < wave_.positions.size(); ++p) {
    const auto group = static_cast<std::size_t>(wave_.layout.packs[p].group);
    const std::int64_t steps = steps_per_epoch(task_.train.count, wave_.layout.groups[group].batch);
    wave_.positions[p] = step >= steps ? Position{epoch + 1, 0} : Position{epoch, step};
  }
}

void DeviceDriver::train_epoch(std::int64_t epoch, Control& control) {
  // Where the wave stands: the least advanced pack. The others of a stopped epoch have ended it, and rest on
  // the way.
  std::int64_t first = longest_epoch();
  const std::int64_t steps = first;
  for (const Position& p : wave_.positions)
    if (p.epoch == epoch) first = std::min(first, p.step);
  shuffle(epoch);
  const std::int64_t place[2] = {epoch, first};
  position_.upload(place, stream_);
  loss_.upload(wave_.loss, stream_);
  correct_.upload(wave_.correct, stream_);
  frozen_.upload(wave_.frozen, stream_);
  constexpr std::int64_t kStepsBetweenLooks = 16;
  std::int64_t s = first, samples = 0;
  double flops = 0;
  for (const Pack& p : wave_.layout.packs) {
    const int batch = wave_.layout.groups[static_cast<std::size_t>(p.group)].batch;
    samples += static_cast<std::int64_t>(batch) * p.head_count;
    flops += batch * p.flops;
  }
  for (; s < steps && !control.stopped(); ++s) {
    if (machine_.record.begin && !recording_) {
      machine_.record.begin(stream_);
      step();
      recording_ = machine_.record.end(stream_);
    }
    if (recording_) {
      machine_.record.launch(recording_, stream_);
    } else {
      step();
    }
    control.model_samples += samples;
    control.flops += flops;
    if ((s + 1) % kStepsBetweenLooks != 0) continue;
    machine_.memory.synchronize(stream_);
    if (control.poll) control.poll();
  }
  loss_.download(wave_.loss.data(), stream_);
  correct_.download(wave_.correct.data(), stream_);
  frozen_.download(wave_.frozen.data(), stream_);
  write_positions(epoch, s);
}

const DeviceData& DeviceDriver::on_device(const DataView& data) {
  return data.labels == task_.train.labels ? train_ : test_;
}

/// The next samples of one part of `count`, the same for every group.
void DeviceDriver::put_evaluation_batches(std::int64_t first, std::int64_t count) {
  std::vector<Batch> batches;
  std::int64_t inputs = 0;
  for (const OrderGroup& g : wave_.layout.groups) {
    batches.push_back(
        {inputs, first, static_cast<int>(std::min<std::int64_t>(kEvaluationRows, count - first))});
    inputs += static_cast<std::int64_t>(std::max(g.batch, kEvaluationRows)) * wave_.layout.input_stride;
  }
  evaluation_batches_.upload(batches, stream_);
}

Evaluation DeviceDriver::evaluate(const DataView& view, Moments* moments, Control& control) {
  const DeviceData& data = on_device(view);
  const std::size_t models = wave_.models.size();
  Workspace w = workspace_;
  w.batches = evaluation_batches_.get();
  w.preactivations = moments && before_relu_ ? preactivations_.get() : nullptr;
  loss_.clear(stream_);
  correct_.clear(stream_);
  DeviceArray<Moments> folded;
  if (moments)
    folded = put(std::span<const Moments>(moments, static_cast<std::size_t>(wave_.layout.neurons)));
  Loss op = loss(data, nullptr);
  op.workspace = w, op.write_deltas = 0, op.coefficients = nullptr;
  // All packs of a device stand at one epoch when they are evaluated.
  machine_.ops.set_gates(set_gates(nullptr, static_cast<int>(wave_.positions[0].epoch)), stream_);
  for (std::int64_t first = 0; first < data.count && !control.stopped(); first += kEvaluationRows) {
    put_evaluation_batches(first, data.count);
    machine_.ops.gather(gather(data, evaluation_batches_.get(), nullptr), stream_);
    forward(w);
    machine_.ops.loss(op, stream_);
    if (moments)
      machine_.ops.fold_moments({slabs_.get(), static_cast<int>(slabs_.size()), moment_tiles_.get(),
                                 static_cast<int>(moment_tiles_.size()), w, before_relu_, folded.get()},
                                stream_);
    if (control.poll) control.poll();
  }
  std::vector<double> loss(models);
  std::vector<std::int64_t> correct(models);
  loss_.download(loss.data(), stream_);
  correct_.download(correct.data(), stream_);
  if (moments) folded.download(moments, stream_);
  return means(wave_, loss, correct, data.count);
}

RemovalSweep DeviceDriver::removals(const DataView& view, Control& control) {
  const DeviceData& data = on_device(view);
  RemovalSweep sweep = empty_sweep(wave_);
  const DeviceArray<RemovalTile> tiles = put(removal_tiles(wave_.layout.slabs, wave_.layout.heads));
  const DeviceArray<RemovalSums> neurons = put(sweep.neurons), whole = put(sweep.whole);
  const DeviceArray<Moments> moments = put(sweep.moments);
  Workspace w = workspace_;
  w.batches = evaluation_batches_.get();
  machine_.ops.set_gates(set_gates(nullptr, static_cast<int>(wave_.positions[0].epoch)), stream_);
  for (std::int64_t first = 0; first < data.count && !control.stopped(); first += kEvaluationRows) {
    put_evaluation_batches(first, data.count);
    machine_.ops.gather(gather(data, evaluation_batches_.get(), nullptr), stream_);
    forward(w);
    machine_.ops.fold_moments({slabs_.get(), static_cast<int>(slabs_.size()), moment_tiles_.get(),
                               static_cast<int>(moment_tiles_.size()), w, 0, moments.get()},
                              stream_);
    machine_.ops.removal({slabs_.get(), heads_.get(), static_cast<int>(heads_.size()), tiles.get(),
                          static_cast<int>(tiles.size()), parameters_.get(), gates_.get(), data.labels.get(),
                          w, neurons.get(), whole.get()},
                         stream_);
    if (control.poll) control.poll();
  }
  neurons.download(sweep.neurons.data(), stream_);
  whole.download(sweep.whole.data(), stream_);
  moments.download(sweep.moments.data(), stream_);
  return sweep;
}

void DeviceDriver::fetch() {
  parameters_.download(wave_.parameters.data(), stream_);
  slot_a_.download(wave_.slot_a.data(), stream_);
  slot_b_.download(wave_.slot_b.data(), stream_);
  slot_c_.download(wave_.slot_c.data(), stream_);
  fetch_gates();
}

void DeviceDriver::fetch_gates() {
  if (wave_.gates.empty()) return;
  GateArrays& a = wave_.gate;
  gate_parameters_.download(a.parameters.data(), stream_);
  gate_slot_a_.download(a.slot_a.data(), stream_);
  gate_slot_b_.download(a.slot_b.data(), stream_);
  gate_slot_c_.download(a.slot_c.data(), stream_);
  sign_mean_.download(a.sign_mean.data(), stream_);
  sign_variance_.download(a.sign_variance.data(), stream_);
}

}  // namespace

std::unique_ptr<Driver> device_driver(Wave& wave, const RunSpec& run, const Task& task,
                                      DeviceMachine machine) {
  return std::make_unique<DeviceDriver>(wave, run, task, std::move(machine));
}

DeviceMachine open_device(const MachineSpec& spec) {
  return spec.kind == MachineSpec::Kind::emu ? emu_machine() : cuda_machine(spec.device, spec.gemm);
}

}  // namespace shoal
