#include "engine/toys.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "engine/driver.h"
#include "engine/initialize.h"
#include "engine/toy_groups.h"
#include "kernels/cpu/flush_denormals.h"
#include "kernels/device_array.h"
#include "kernels/parallel.h"

namespace shoal {
namespace {

constexpr std::int64_t kMaxPoints = std::int64_t{1} << 20;  // the largest batch that a specification may have
constexpr std::int64_t kMaxSteps = std::numeric_limits<int>::max() - 1;
constexpr double kMaxLosses = 1e9;
// Neurons times points between two looks at the stop flag: about a tenth of a second, or one on a device.
constexpr double kCpuPiece = 1e8, kDevicePiece = 1e12;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

void require(bool holds, const std::string& sentence) {
  if (!holds) throw SpecError(sentence);
}

void validate_network(const ModelSpec& m, const Task& task, std::size_t number) {
  validate(m, task.shape);
  const auto refuse = [&](bool holds, const std::string& what) {
    require(holds, fmt::format("toy network {} {}", number, what));
  };
  refuse(
      m.hidden.size() == 1,
      fmt::format("has {} hidden layers: toys have one; the general engine trains up to 4", m.hidden.size()));
  refuse(m.hidden[0] <= kMaxToyHidden, fmt::format("has {} neurons: toys have 1 to {}; the general engine "
                                                   "trains wider ones",
                                                   m.hidden[0], kMaxToyHidden));
  refuse(std::ranges::all_of(m.gates, [](const GateSpec& g) { return g.kind == GateKind::none; }),
         "has gates: toys have none; the general engine trains them");
  refuse(m.optimizer.group_lasso == 0.0, "has a group lasso: toys have none; the general engine has it");
  refuse(m.batch >= task.train.count,
         fmt::format("has batches of {}, and toys take all {} points at once: set its batch to {} or more",
                     m.batch, task.train.count, task.train.count));
}

void validate_toys(const ToySpec& spec, const Task& task) {
  const auto extent = [](std::int64_t value, std::int64_t low, std::int64_t high, std::string_view what) {
    require(value >= low && value <= high,
            fmt::format("toys with {} {}: {} to {} are possible", value, what, low, high));
  };
  require(!spec.networks.empty(), "a population without networks: there is nothing to train");
  extent(task.shape.features, 1, kMaxToyFeatures, "inputs");
  extent(task.shape.classes, 2, kMaxToyClasses, "classes");
  extent(task.train.count, 1, kMaxPoints, "points");
  extent(spec.steps, 1, kMaxSteps, "steps");
  extent(spec.loss_every, 1, kMaxSteps, "steps between losses");
  const double losses = static_cast<double>(toy_records(spec.steps, spec.loss_every)) *
                        static_cast<double>(spec.networks.size());
  require(
      losses <= kMaxLosses,
      fmt::format("{} losses of {} networks are {:.1e} numbers: record them every {:.0f} steps or less often",
                  toy_records(spec.steps, spec.loss_every), spec.networks.size(), losses,
                  std::ceil(static_cast<double>(spec.loss_every) * losses / kMaxLosses)));
  for (std::size_t m = 0; m < spec.networks.size(); ++m) validate_network(spec.networks[m], task, m);
}

/// Trained so far, and when to stop.
class Watch {
 public:
  Watch(const ToySpec& spec, const ToyGrouping& grouping, const ToyHooks& hooks)
      : hooks_(hooks), start_(std::chrono::steady_clock::now()) {
    for (const ToyGroup& g : grouping.groups) work_ += static_cast<double>(g.hidden * spec.steps);
  }
  bool stopped() const { return hooks_.stop && hooks_.stop->load(std::memory_order_relaxed); }
  void add(const ToyGroup& g, int steps) { done_ += static_cast<std::int64_t>(g.hidden) * steps; }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  void report() const {
    if (hooks_.progress) hooks_.progress({static_cast<double>(done_.load()) / work_, seconds()});
  }

 private:
  const ToyHooks& hooks_;
  std::chrono::steady_clock::time_point start_;
  double work_ = 0;
  std::atomic<std::int64_t> done_{0};  // neurons of groups times steps
};

/// Everything that stays the same while groups come and go.
struct Job {
  const ToySpec& spec;
  const Task& task;
  const ToyPoints& points;
  const ToyGrouping& grouping;
  std::vector<ToyNetwork>& networks;
  Watch& watch;
  int records;

  TrainToys op() const {
    TrainToys op{};
    op.features = task.shape.features, op.classes = task.shape.classes;
    op.points = points.count, op.point_stride = points.stride;
    op.loss_every = static_cast<int>(spec.loss_every), op.records = records;
    return op;
  }
  /// Steps of one call.
  int piece(double neurons, double most) const {
    return static_cast<int>(
        std::clamp(most / (neurons * points.count), 1.0, static_cast<double>(spec.steps)));
  }
};

/// Host arrays of groups first .. first + count - 1.
struct Part {
  std::vector<ToyGroup> groups;  // counted from the part's beginning
  AlignedArray<float> parameters, slot_a, slot_b, slot_c;
  std::vector<int> diverged;
  AlignedArray<double> losses;
  std::span<const std::int64_t> network;
  std::span<const int> setting;
};

Part make_part(const Job& job, std::size_t first, std::size_t count) {
  Part p;
  const std::vector<ToyGroup>& all = job.grouping.groups;
  p.groups.assign(all.begin() + static_cast<std::ptrdiff_t>(first),
                  all.begin() + static_cast<std::ptrdiff_t>(first + count));
  const std::int64_t begin = p.groups.front().first,
                     floats = p.groups.back().first + group_floats(p.groups.back(), job.task.shape) - begin;
  int slots = 0;
  for (ToyGroup& g : p.groups) {
    g.first -= begin;
    slots = std::max(slots, slot_count(static_cast<UpdateRule>(g.rule)));
  }
  const std::size_t lanes = count * kToyLanes;
  p.parameters = AlignedArray<float>(size(floats));
  if (slots > 0) p.slot_a = AlignedArray<float>(size(floats));
  if (slots > 1) p.slot_b = AlignedArray<float>(size(floats));
  if (slots > 2) p.slot_c = AlignedArray<float>(size(floats));
  p.diverged.resize(lanes);
  p.losses = AlignedArray<double>(lanes * size(job.records));
  p.network = std::span(job.grouping.network).subspan(first * kToyLanes, lanes);
  p.setting = std::span(job.grouping.setting).subspan(first * kToyLanes, lanes);
  for (std::size_t at = 0; at < lanes; ++at) {
    if (p.network[at] < 0) continue;
    const ToyGroup& g = p.groups[at / kToyLanes];
    put_toy(initial_weights(job.spec.networks[size(p.network[at])], job.task.shape), g.hidden,
            p.parameters.data() + g.first, at % kToyLanes);
  }
  return p;
}

void keep_networks(const Job& job, const Part& p) {
  for (std::size_t at = 0; at < p.network.size(); ++at) {
    if (p.network[at] < 0) continue;
    const ToyGroup& g = p.groups[at / kToyLanes];
    ToyNetwork& n = job.networks[size(p.network[at])];
    n.layers = get_toy(job.task.shape, job.spec.networks[size(p.network[at])].hidden[0], g.hidden,
                       p.parameters.data() + g.first, at % kToyLanes);
    n.diverged_step = p.diverged[at];
    const double* losses = p.losses.data() + at / kToyLanes * size(job.records) * kToyLanes + at % kToyLanes;
    for (std::size_t r = 0; r < size(job.records); ++r) n.losses.push_back(losses[r * kToyLanes]);
  }
}

/// All steps of an op, piece by piece; false when stopped.
template <class Run>
bool in_pieces(const Job& job, TrainToys op, int piece, Run run) {
  for (std::int64_t done = 0; done < job.spec.steps; done += op.steps) {
    if (job.watch.stopped()) return false;
    op.first_step = done + 1;
    op.steps = static_cast<int>(std::min<std::int64_t>(piece, job.spec.steps - done));
    run(op);
  }
  return true;
}

/// A task is a group: it stays in its core's cache from the first step to the last.
void run_on_cpu(const Job& job) {
  const Ops& ops = cpu_ops(best_cpu_level());
  const int count = static_cast<int>(job.grouping.groups.size());
  const int wish = job.spec.machine.threads > 0 ? job.spec.machine.threads : usable_threads();
  parallel_for(
      std::clamp(wish, 1, count), count,
      [&](int, int number) {
        if (job.watch.stopped()) return;
        const FlushDenormals flush;
        Part p = make_part(job, size(number), 1);
        const int hidden = p.groups[0].hidden;
        AlignedArray<float> scratch(
            size(toy_scratch(hidden, job.task.shape.features, job.task.shape.classes)));
        TrainToys op = job.op();
        op.groups = p.groups.data(), op.group_count = 1, op.hidden = hidden;
        op.inputs = job.points.inputs.data(), op.labels = job.points.labels.data();
        op.settings = job.grouping.settings.data(), op.setting = p.setting.data();
        op.parameters = p.parameters.data(), op.slot_a = p.slot_a.data(), op.slot_b = p.slot_b.data();
        op.slot_c = p.slot_c.data(), op.diverged = p.diverged.data(), op.losses = p.losses.data();
        op.scratch = scratch.data();
        const bool finished = in_pieces(job, op, job.piece(hidden, kCpuPiece), [&](const TrainToys& o) {
          ops.train_toys(o, nullptr);
          job.watch.add(p.groups[0], o.steps);
        });
        if (finished) keep_networks(job, p);
      },
      [&] { job.watch.report(); });
}

/// Groups that fit into a device's memory together.
std::size_t groups_at_once(const Job& job, const DeviceMachine& machine) {
  const ToyGroup& widest = *std::ranges::max_element(job.grouping.groups, {}, &ToyGroup::hidden);
  const double group = 4.0 * sizeof(float) * static_cast<double>(group_floats(widest, job.task.shape)) +
                       kToyLanes * (sizeof(double) * static_cast<double>(job.records) + 2.0 * sizeof(int));
  const double data = static_cast<double>(job.points.inputs.bytes() + job.points.labels.size() * sizeof(int));
  const std::size_t limit = job.spec.machine.memory_limit;
  const double room =
      (limit > 0 ? static_cast<double>(limit) : 0.8 * static_cast<double>(machine.memory.available())) - data;
  if (!(room >= group))
    throw DeviceError(fmt::format("16 toy networks need {:.0f} MB of memory, and {:.0f} MB are there",
                                  (group + data) / 1e6, (room + data) / 1e6));
  return std::min(job.grouping.groups.size(), static_cast<std::size_t>(room / group));
}

/// One launch for all groups of a part and, where it is short enough, for the whole training.
bool run_part_on_device(const Job& job, const DeviceMachine& machine, void* stream, TrainToys op, Part p) {
  const auto array = [&](const AlignedArray<float>& host) {
    return DeviceArray<float>(machine, std::span(host.data(), host.size()), stream);
  };
  const DeviceArray<float> parameters = array(p.parameters), a = array(p.slot_a), b = array(p.slot_b),
                           c = array(p.slot_c);
  const DeviceArray<ToyGroup> groups(machine, p.groups, stream);
  const DeviceArray<int> setting(machine, p.setting, stream), diverged(machine, p.diverged, stream);
  const DeviceArray<double> losses(machine, p.losses.size());
  op.groups = groups.get(), op.group_count = static_cast<int>(p.groups.size()), op.hidden = 0;
  for (const ToyGroup& g : p.groups) op.hidden = std::max(op.hidden, g.hidden);
  op.setting = setting.get(), op.diverged = diverged.get(), op.losses = losses.get();
  op.parameters = parameters.get(), op.slot_a = a.get(), op.slot_b = b.get(), op.slot_c = c.get();
  const double neurons = static_cast<double>(op.hidden) * kToyLanes * op.group_count;
  const bool finished = in_pieces(job, op, job.piece(neurons, kDevicePiece), [&](const TrainToys& o) {
    machine.ops.train_toys(o, stream);
    machine.memory.synchronize(stream);
    for (const ToyGroup& g : p.groups) job.watch.add(g, o.steps);
    job.watch.report();
  });
  if (!finished) return false;
  parameters.download(p.parameters.data(), stream);
  diverged.download(p.diverged.data(), stream);
  losses.download(p.losses.data(), stream);
  keep_networks(job, p);
  return true;
}

void run_on_device(const Job& job) {
  const DeviceMachine machine = open_device(job.spec.machine);
  const std::shared_ptr<void> stream(machine.memory.open_stream(), machine.memory.close_stream);
  const DeviceArray<float> inputs(machine, std::span(job.points.inputs.data(), job.points.inputs.size()),
                                  stream.get());
  const DeviceArray<std::int32_t> labels(machine, job.points.labels, stream.get());
  const DeviceArray<UpdateSettings> settings(machine, job.grouping.settings, stream.get());
  TrainToys op = job.op();
  op.inputs = inputs.get(), op.labels = labels.get(), op.settings = settings.get();
  const std::size_t together = groups_at_once(job, machine), all = job.grouping.groups.size();
  for (std::size_t first = 0; first < all; first += together) {
    Part part = make_part(job, first, std::min(together, all - first));
    if (!run_part_on_device(job, machine, stream.get(), op, std::move(part))) return;
  }
}

}  // namespace

double toy_flops(int features, int hidden, int classes) {
  return 2.0 * hidden * (2.0 * features + 3.0 * (classes - 1));
}

ToyRun train_toys(const ToySpec& spec, const Task& task, const ToyHooks& hooks) {
  validate_toys(spec, task);
  const ToyPoints points = toy_points(task);
  const ToyGrouping grouping = group_toys(spec, task.shape);
  ToyRun run;
  run.networks.resize(spec.networks.size());
  Watch watch(spec, grouping, hooks);
  const Job job{spec,
                task,
                points,
                grouping,
                run.networks,
                watch,
                static_cast<int>(toy_records(spec.steps, spec.loss_every))};
  if (spec.machine.kind == MachineSpec::Kind::cpu) run_on_cpu(job);
  else run_on_device(job);
  run.seconds = watch.seconds();
  if (watch.stopped()) {
    run.networks.clear();
    run.stopped = true;
    return run;
  }
  watch.report();
  const double samples = static_cast<double>(task.train.count) * static_cast<double>(spec.steps);
  run.model_samples = samples * static_cast<double>(spec.networks.size());
  for (const ModelSpec& m : spec.networks)
    run.flops += samples * toy_flops(task.shape.features, m.hidden[0], task.shape.classes);
  return run;
}

}  // namespace shoal
