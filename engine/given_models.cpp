#include "engine/given_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>

#include "engine/driver.h"
#include "engine/initialize.h"
#include "engine/removal.h"
#include "engine/safetensors.h"
#include "engine/waves.h"
#include "kernels/array.h"
#include "kernels/device_array.h"
#include "kernels/parallel.h"
#include "kernels/tiles.h"

namespace shoal {
namespace {

constexpr int kRows = 128;         // samples that go through a model at a time on the CPU
constexpr int kDeviceRows = 4096;  // and on a device

/// What the last layer gives for samples first .. first + rows.
struct Piece {
  std::int64_t first;
  int rows;
};

std::vector<Piece> pieces_of(std::int64_t count, int rows) {
  std::vector<Piece> pieces;
  for (std::int64_t first = 0; first < count; first += rows)
    pieces.push_back({first, static_cast<int>(std::min<std::int64_t>(rows, count - first))});
  return pieces;
}

void run_on_cpu(const Network& net, const float* parameters, const DataView& data, float scale, float shift,
                int threads, float* result) {
  struct Bench {
    AlignedArray<float> inputs, outputs;
  };
  const int stride = round_up(data.features, kBlockWidth), width = net.slabs.back().width;
  const std::vector<Piece> pieces = pieces_of(data.count, kRows);
  threads =
      std::clamp(threads > 0 ? threads : usable_threads(), 1, std::max(1, static_cast<int>(pieces.size())));
  std::vector<Bench> benches(static_cast<std::size_t>(threads));
  for (Bench& b : benches) {
    b.inputs = AlignedArray<float>(static_cast<std::size_t>(stride) * kRows);
    b.outputs = AlignedArray<float>(static_cast<std::size_t>(net.outputs));
  }
  const Ops& ops = cpu_ops(best_cpu_level());
  parallel_for(threads, static_cast<int>(pieces.size()), [&](int thread, int i) {
    Bench& bench = benches[static_cast<std::size_t>(thread)];
    const Piece& piece = pieces[static_cast<std::size_t>(i)];
    const Batch batch{0, piece.first, piece.rows};
    Workspace w{};
    w.inputs = bench.inputs.data(), w.outputs = bench.outputs.data();
    w.batches = &batch, w.input_stride = stride;
    ops.gather({w, 1, kRows, nullptr, data.bytes, data.values, data.features, scale, shift}, nullptr);
    ops.forward({net.slabs.data(), static_cast<int>(net.slabs.size()), nullptr, 0, parameters, nullptr, w},
                nullptr);
    copy_outputs(net.slabs.back(), bench.outputs.data(), piece.rows, result + piece.first * width);
  });
}

void run_on_device(const Network& net, const AlignedArray<float>& host_parameters, const DataView& data,
                   float scale, float shift, const MachineSpec& spec, float* result) {
  const DeviceMachine machine = open_device(spec);
  const std::shared_ptr<void> stream(machine.memory.open_stream(), machine.memory.close_stream);
  const int stride = round_up(data.features, kBlockWidth), width = net.slabs.back().width;
  const int rows = net.slabs.back().row_capacity;
  const auto features = static_cast<std::size_t>(data.features), room = static_cast<std::size_t>(rows);
  const DeviceArray<float> parameters(machine, {host_parameters.data(), host_parameters.size()},
                                      stream.get());
  const DeviceArray<Slab> slabs(machine, net.slabs, stream.get());
  const DeviceArray<Batch> batches(machine, 1);
  const DeviceArray<std::uint8_t> bytes(machine, data.bytes ? room * features : 0);
  const DeviceArray<float> values(machine, data.values ? room * features : 0),
      inputs(machine, room * static_cast<std::size_t>(stride)),
      outputs(machine, static_cast<std::size_t>(net.outputs));
  std::vector<DeviceArray<Tile>> tiles;
  for (int s = 0; s < static_cast<int>(net.slabs.size()); ++s)
    tiles.emplace_back(machine, forward_tiles(net.slabs, {&s, 1}, machine.tiles.forward_rows), stream.get());
  Workspace w{};
  w.inputs = inputs.get(), w.outputs = outputs.get(), w.batches = batches.get(), w.input_stride = stride;
  std::vector<float> host(outputs.size());
  for (const Piece& piece : pieces_of(data.count, rows)) {
    const Batch batch{0, 0, piece.rows};
    const auto first = static_cast<std::size_t>(piece.first) * features,
               count = static_cast<std::size_t>(piece.rows) * features;
    batches.upload({&batch, 1}, stream.get());
    if (data.bytes) machine.memory.upload(bytes.get(), data.bytes + first, count, stream.get());
    if (data.values)
      machine.memory.upload(values.get(), data.values + first, count * sizeof(float), stream.get());
    machine.ops.gather({w, 1, rows, nullptr, bytes.get(), values.get(), data.features, scale, shift},
                       stream.get());
    for (const DeviceArray<Tile>& level : tiles)
      machine.ops.forward({slabs.get(), static_cast<int>(slabs.size()), level.get(),
                           static_cast<int>(level.size()), parameters.get(), nullptr, w},
                          stream.get());
    outputs.download(host.data(), stream.get());
    copy_outputs(net.slabs.back(), host.data(), piece.rows, result + piece.first * width);
  }
}

/// Specs of the models, for the layout: everything that does not matter for an evaluation is the same.
std::vector<ModelSpec> specs_of(std::span<const Layers> models, const DataView& data) {
  std::vector<ModelSpec> specs;
  for (const Layers& layers : models) {
    check_layers(layers, data);
    if (layers.back().outputs != models.front().back().outputs)
      throw WeightsError(
          fmt::format("a population has one number of outputs, and these models have {} and {}",
                      models.front().back().outputs, layers.back().outputs));
    ModelSpec spec;
    spec.hidden.clear();
    for (std::size_t l = 0; l + 1 < layers.size(); ++l) spec.hidden.push_back(layers[l].outputs);
    spec.optimizer.rule = UpdateRule::sgd;  // keeps no state
    spec.batch = kEvaluationRows;
    validate(spec, {data.features, layers.back().outputs});
    specs.push_back(std::move(spec));
  }
  return specs;
}

/// Calls `work` with a driver for every wave of the models; false when stopped.
bool in_waves(std::span<const Layers> models, const DataView& data, float scale, float shift, LossKind loss,
              const MachineSpec& machine, Control& control,
              const std::function<void(const Wave&, Driver&, const DataView&)>& work) {
  RunSpec run;
  run.models = specs_of(models, data);
  run.loss = loss, run.order = OrderKind::shared, run.neuron_moments = false, run.machine = machine;
  Task task{{data.features, models.front().back().outputs}, data, data, scale, shift};
  const std::int32_t no_label = 0;  // a driver keeps both parts and tells them apart by their labels
  task.test.count = std::min<std::int64_t>(1, data.count), task.test.labels = &no_label;
  const Layout layout = make_layout(run.models, task.shape, run.order);
  const bool on_device = machine.kind != MachineSpec::Kind::cpu;
  for (const std::vector<std::int64_t>& numbers :
       cut_waves(layout, memory_budget(run, task, layout), on_device)) {
    Wave wave = empty_wave(numbers, run, task);
    for (std::size_t m = 0; m < numbers.size(); ++m)
      put_weights(wave.layout, static_cast<std::int64_t>(m), models[static_cast<std::size_t>(numbers[m])],
                  wave.parameters.data());
    const auto driver =
        on_device ? device_driver(wave, run, task, open_device(machine)) : cpu_driver(wave, run, task);
    work(wave, *driver, task.train);
    if (control.stopped()) return false;
  }
  return true;
}

}  // namespace

std::vector<float> outputs_of(std::span<const LayerWeights> layers, LastLayer last, const DataView& data,
                              float scale, float shift, const MachineSpec& machine) {
  check_layers(layers, data);
  const bool on_cpu = machine.kind == MachineSpec::Kind::cpu;
  const auto rows =
      static_cast<int>(std::min<std::int64_t>(kDeviceRows, std::max<std::int64_t>(1, data.count)));
  const Network net = make_network(layers, last, on_cpu ? kRows : rows);
  AlignedArray<float> parameters(static_cast<std::size_t>(net.parameters));
  place_weights(layers, net, parameters.data());
  std::vector<float> result(static_cast<std::size_t>(data.count) *
                            static_cast<std::size_t>(layers.back().outputs));
  if (on_cpu) run_on_cpu(net, parameters.data(), data, scale, shift, machine.threads, result.data());
  else run_on_device(net, parameters, data, scale, shift, machine, result.data());
  return result;
}

std::vector<float> logits(std::span<const LayerWeights> layers, const DataView& data, float scale,
                          float shift) {
  return outputs_of(layers, LastLayer::linear, data, scale, shift);
}

std::vector<GivenScore> evaluate_models(std::span<const Layers> models, const DataView& data, float scale,
                                        float shift, LossKind loss, const MachineSpec& machine,
                                        const std::atomic<bool>* stop) {
  if (models.empty()) return {};
  Control control;
  control.stop = stop;
  std::vector<GivenScore> scores(models.size());
  const auto score = [&](const Wave& wave, Driver& driver, const DataView& part) {
    const Evaluation found = driver.evaluate(part, nullptr, control);
    for (std::size_t m = 0; m < wave.models.size(); ++m)
      scores[static_cast<std::size_t>(wave.models[m])] = {found.loss[m], found.accuracy[m]};
  };
  if (!in_waves(models, data, scale, shift, loss, machine, control, score)) return {};
  return scores;
}

namespace {

ModelRemoval means_of(const Wave& wave, const RemovalSweep& sums, std::size_t m, double samples) {
  const auto mean = [&](double sum) { return sum / samples; };
  const auto accuracy = [&](const RemovalSums& r) { return mean(static_cast<double>(r.correct)); };
  ModelRemoval result{mean(sums.whole[m].loss), accuracy(sums.whole[m]), {}};
  const std::vector<ModelLayer>& layers = wave.layout.layers[m];
  const ModelLayer& hidden = layers[layers.size() - 2];
  const auto first = static_cast<std::size_t>(
      wave.layout.slabs[static_cast<std::size_t>(hidden.slab)].neuron + hidden.column);
  for (std::size_t n = first; n < first + static_cast<std::size_t>(hidden.width); ++n) {
    const RemovalSums& r = sums.neurons[n];
    result.neurons.push_back({mean(r.loss), accuracy(r), mean(r.slope), mean(r.curvature),
                              mean(r.squared_slope), sums.moments[n]});
  }
  return result;
}

}  // namespace

std::vector<ModelRemoval> removals_of(std::span<const Layers> models, const DataView& data, float scale,
                                      float shift, const MachineSpec& machine,
                                      const std::atomic<bool>* stop) {
  if (models.empty()) return {};
  Control control;
  control.stop = stop;
  std::vector<ModelRemoval> removals(models.size());
  const auto remove = [&](const Wave& wave, Driver& driver, const DataView& part) {
    const RemovalSweep sums = driver.removals(part, control);
    for (std::size_t m = 0; m < wave.models.size(); ++m)
      removals[static_cast<std::size_t>(wave.models[m])] =
          means_of(wave, sums, m, static_cast<double>(data.count));
  };
  if (!in_waves(models, data, scale, shift, LossKind::cross_entropy, machine, control, remove)) return {};
  return removals;
}

Layers keep_neurons(std::span<const LayerWeights> layers, std::span<const int> kept) {
  if (layers.size() < 2) throw WeightsError("a model without a hidden layer has no neurons to keep");
  if (kept.empty()) throw WeightsError("a layer without neurons is none: at least one has to be kept");
  Layers result(layers.begin(), layers.end());
  const LayerWeights &from = layers[layers.size() - 2], &out = layers.back();
  LayerWeights &hidden = result[result.size() - 2], &last = result.back();
  hidden.outputs = last.inputs = static_cast<int>(kept.size());
  hidden.weight.clear(), hidden.bias.clear(), last.weight.clear();
  for (const int n : kept) {
    if (n < 0 || n >= from.outputs)
      throw WeightsError(fmt::format("neuron {} is not one of a layer of {}", n, from.outputs));
    const auto row = from.weight.begin() + static_cast<std::ptrdiff_t>(n) * from.inputs;
    hidden.weight.insert(hidden.weight.end(), row, row + from.inputs);
    hidden.bias.push_back(from.bias[static_cast<std::size_t>(n)]);
  }
  for (int c = 0; c < out.outputs; ++c)
    for (const int n : kept)
      last.weight.push_back(out.weight[static_cast<std::size_t>(c) * static_cast<std::size_t>(out.inputs) +
                                       static_cast<std::size_t>(n)]);
  return result;
}

}  // namespace shoal
