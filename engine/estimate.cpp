#include "engine/estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <thread>

#include "engine/driver.h"
#include "engine/waves.h"
#include "kernels/parallel.h"

namespace shoal {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

DataView first_samples(DataView data, std::int64_t count) {
  data.count = std::min(data.count, count);
  return data;
}

/// A few packs of the plan, ready to be trained.
class Probe {
 public:
  Probe(const RunSpec& run, const Task& task, std::span<const std::int64_t> models)
      : task_(task), wave_(make_wave(models, run, task)) {
    driver_ = run.machine.kind == MachineSpec::Kind::cpu
                  ? cpu_driver(wave_, run, task)
                  : device_driver(wave_, run, task, open_device(run.machine));
    moments_.assign(static_cast<std::size_t>(wave_.layout.neurons), empty_moments());
    for (const OrderGroup& g : wave_.layout.groups)
      steps_ = std::max(steps_, steps_per_epoch(task.train.count, g.batch));
  }
  std::int64_t steps() const { return steps_; }
  double flops() const {
    double sum = 0;
    for (const Pack& p : wave_.layout.packs) sum += p.flops;
    return sum;
  }
  /// Seconds of an epoch's shuffle and its last `count` steps; 0: the shuffle alone.
  double train(std::int64_t count) {
    for (std::size_t p = 0; p < wave_.positions.size(); ++p) {
      const auto group = static_cast<std::size_t>(wave_.layout.packs[p].group);
      const std::int64_t all = steps_per_epoch(task_.train.count, wave_.layout.groups[group].batch);
      wave_.positions[p] = {0, std::max<std::int64_t>(0, all - count)};
    }
    std::fill(wave_.frozen.begin(), wave_.frozen.end(), 0);  // a model that diverges would cost nothing
    const auto began = Clock::now();
    driver_->train_epoch(0, control_);
    return seconds_since(began);
  }
  /// Seconds of an evaluation of the first `samples` test samples, all of them on a device.
  double evaluate(std::int64_t samples, bool moments) {
    const auto began = Clock::now();
    driver_->evaluate(first_samples(task_.test, samples), moments ? moments_.data() : nullptr, control_);
    return seconds_since(began);
  }

 private:
  const Task& task_;
  Wave wave_;
  std::vector<Moments> moments_;
  std::unique_ptr<Driver> driver_;
  Control control_;
  std::int64_t steps_ = 0;
};

/// One measurement of a kind: mean over the threads, which all work at once.
struct Sample {
  double shuffle, train, evaluate, moments;  // seconds
};

/// Copies of one pack, one a thread, that work at the same time as the packs of the run would.
class Bench {
 public:
  Bench(const RunSpec& run, const Task& task, const Layout& layout, const Pack& pack, int copies) {
    std::vector<ModelSpec> models;
    for (int h = pack.first_head; h < pack.first_head + pack.head_count; ++h)
      models.push_back(run.models[static_cast<std::size_t>(layout.heads[static_cast<std::size_t>(h)].model)]);
    std::vector<std::int64_t> all(models.size());
    for (std::size_t m = 0; m < all.size(); ++m) all[m] = static_cast<std::int64_t>(m);
    runs_.resize(static_cast<std::size_t>(copies));
    for (std::size_t c = 0; c < runs_.size(); ++c) {
      runs_[c] = run;
      runs_[c].models = models;
      runs_[c].machine.threads = 1;
      for (ModelSpec& m : runs_[c].models) m.seed += c * 7919;  // batches of its own
    }
    const auto began = Clock::now();
    for (const RunSpec& r : runs_) probes_.push_back(std::make_unique<Probe>(r, task, all));
    begin_ = seconds_since(began) / copies;
    batch_ = models[0].batch;
    samples_ = task.test.count;
  }
  double begin_seconds() const { return begin_; }

  /// So many steps and samples that a measurement takes about `seconds`.
  void warm_up(double seconds) {
    const Sample first = measure();
    const double step = std::max(1e-7, (first.train - first.shuffle) / static_cast<double>(steps_));
    steps_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(seconds / step), 1, probes_[0]->steps());
    const double batch = std::max(1e-7, first.evaluate * kEvaluationRows / static_cast<double>(rows_));
    rows_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(seconds / 2 / batch), 1, 64) * kEvaluationRows;
    rows_ = std::min(rows_, samples_);
  }
  Sample measure() {
    std::vector<Sample> samples(probes_.size());
    const auto all_at_once = [&](auto&& body) {
      std::vector<std::jthread> threads;
      for (std::size_t c = 1; c < probes_.size(); ++c)
        threads.emplace_back([&, c] { body(*probes_[c], samples[c]); });
      body(*probes_[0], samples[0]);
    };
    all_at_once([&](Probe& p, Sample& s) { s.shuffle = p.train(0); });
    all_at_once([&](Probe& p, Sample& s) { s.train = p.train(steps_); });
    all_at_once([&](Probe& p, Sample& s) { s.evaluate = p.evaluate(rows_, false); });
    all_at_once([&](Probe& p, Sample& s) { s.moments = p.evaluate(rows_, true); });
    Sample mean{};
    const auto n = static_cast<double>(samples.size());
    for (const Sample& s : samples) {
      mean.shuffle += s.shuffle / n, mean.train += s.train / n;
      mean.evaluate += s.evaluate / n, mean.moments += s.moments / n;
    }
    return mean;
  }
  PackCost cost(const Sample& s) const {
    const double trained = static_cast<double>(steps_) * batch_, seen = static_cast<double>(rows_);
    return {std::max(0.0, s.train - s.shuffle) / trained, s.evaluate / seen, s.moments / seen};
  }

 private:
  std::vector<RunSpec> runs_;
  std::vector<std::unique_ptr<Probe>> probes_;
  double begin_ = 0;
  std::int64_t steps_ = 2, rows_ = kEvaluationRows, samples_ = 0;
  int batch_ = 0;
};

double interpolate_one(double x, double x0, double y0, double x1, double y1) {
  if (!(x1 != x0)) return y0;
  return y0 + (y1 - y0) * std::clamp((x - x0) / (x1 - x0), 0.0, 1.0);
}

/// Medians over the rounds, and the spread of the totals.
TimeEstimate over_rounds(const std::vector<RunSeconds>& rounds) {
  TimeEstimate e;
  const auto middle = [&](double RunSeconds::*part) {
    std::vector<double> values;
    for (const RunSeconds& r : rounds) values.push_back(r.*part);
    return median(values);
  };
  e.seconds = {middle(&RunSeconds::begin), middle(&RunSeconds::training), middle(&RunSeconds::evaluation),
               middle(&RunSeconds::files)};
  e.low = e.high = rounds[0].total();
  for (const RunSeconds& r : rounds) e.low = std::min(e.low, r.total()), e.high = std::max(e.high, r.total());
  e.rounds = static_cast<int>(rounds.size());
  return e;
}

/// As many of the representatives as fit into half of the memory, the smallest first; ascending indices.
std::vector<int> that_fit(const Layout& layout, std::span<const PackKind> kinds, std::vector<int> wanted,
                          int copies, std::size_t room) {
  std::vector<int> chosen;
  std::size_t used = 0;
  for (std::size_t i = wanted.size(); i-- > 0;) {
    const Pack& pack =
        layout.packs[static_cast<std::size_t>(kinds[static_cast<std::size_t>(wanted[i])].packs[0])];
    used += (state_bytes(layout, pack) + activation_bytes(pack)) * static_cast<std::size_t>(copies);
    if (used > room && !chosen.empty()) break;
    chosen.insert(chosen.begin(), wanted[i]);
  }
  return chosen;
}

TimeEstimate estimate_on_cpu(const RunSpec& run, const Task& task, const Layout& layout,
                             std::span<const std::vector<std::int64_t>> waves, const CalibrationSpec& spec) {
  const int threads = run.machine.threads > 0 ? run.machine.threads : usable_threads();
  const int copies = std::min(threads, static_cast<int>(layout.packs.size()));
  const std::vector<PackKind> kinds = kinds_of(layout);
  const std::vector<int> measured =
      that_fit(layout, kinds, representatives(static_cast<int>(kinds.size()), spec.kinds), copies,
               available_memory() / 2);
  const double each = spec.seconds / spec.rounds / static_cast<double>(measured.size()) / 2;
  std::vector<Bench> benches;
  double begin = 0, parameters = 0;
  const auto stopped = [&] { return spec.stop && spec.stop->load(std::memory_order_relaxed); };
  TimeEstimate given_up;
  given_up.stopped = true;
  for (const int k : measured) {
    if (stopped()) return given_up;
    const Pack& pack = layout.packs[static_cast<std::size_t>(kinds[static_cast<std::size_t>(k)].packs[0])];
    benches.emplace_back(run, task, layout, pack, copies);
    begin += benches.back().begin_seconds(), parameters += static_cast<double>(pack.parameter_count);
  }
  for (Bench& b : benches) {
    if (stopped()) return given_up;
    b.warm_up(each);
  }
  std::vector<RunSeconds> rounds;
  for (int r = 0; r < spec.rounds; ++r) {
    std::vector<PackCost> costs;
    std::vector<double> shuffles;
    for (Bench& b : benches) {
      if (stopped()) return given_up;
      const Sample s = b.measure();
      costs.push_back(b.cost(s));
      shuffles.push_back(s.shuffle);
    }
    const std::vector<PackCost> of_kind = interpolate(kinds, measured, costs);
    std::vector<PackCost> of_pack(layout.packs.size());
    for (std::size_t k = 0; k < kinds.size(); ++k)
      for (const int p : kinds[k].packs) of_pack[static_cast<std::size_t>(p)] = of_kind[k];
    rounds.push_back(
        add_up(run, task, layout, waves, of_pack, {median(shuffles), begin / parameters}, threads));
  }
  TimeEstimate e = over_rounds(rounds);
  e.kinds = static_cast<int>(kinds.size()), e.probed = static_cast<int>(measured.size()), e.threads = copies;
  return e;
}

/// On a device a step is a launch for a whole wave, so the first wave itself is the measure. The emulation is
/// measured with its smallest pack: a step of more could take minutes.
TimeEstimate estimate_on_device(const RunSpec& run, const Task& task, const Layout& layout,
                                std::span<const std::vector<std::int64_t>> waves,
                                const CalibrationSpec& spec) {
  std::vector<std::int64_t> models = waves[0];
  if (run.machine.kind == MachineSpec::Kind::emu) {
    const Pack& smallest = layout.packs.back();
    models.clear();
    for (int h = smallest.first_head; h < smallest.first_head + smallest.head_count; ++h)
      models.push_back(layout.heads[static_cast<std::size_t>(h)].model);
    std::sort(models.begin(), models.end());
  }
  const auto began = Clock::now();
  Probe probe(run, task, models);
  const double begin = seconds_since(began), flops = probe.flops();
  double parameters = 0;
  for (const std::int64_t m : models)
    parameters += static_cast<double>(parameter_count(run.models[static_cast<std::size_t>(m)], task.shape));
  int batch = 0;
  for (const std::int64_t m : models) batch = std::max(batch, run.models[static_cast<std::size_t>(m)].batch);
  probe.train(1);  // the first step is recorded on the way, so it says nothing
  const double step = std::max(1e-6, (probe.train(2) - probe.train(0)) / 2);
  const std::int64_t steps = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(spec.seconds / spec.rounds / 2 / step), 1, probe.steps());
  std::vector<RunSeconds> rounds;
  TimeEstimate e;
  for (int r = 0; r < spec.rounds; ++r) {
    if (spec.stop && spec.stop->load(std::memory_order_relaxed)) {
      e.stopped = true;
      return e;
    }
    const double shuffle = probe.train(0);
    const auto samples = static_cast<double>(task.test.count);
    const double train = std::max(0.0, probe.train(steps) - shuffle) / (static_cast<double>(steps) * batch),
                 evaluate = probe.evaluate(task.test.count, false) / samples,
                 moments = probe.evaluate(task.test.count, true) / samples;
    std::vector<PackCost> costs;
    for (const Pack& p : layout.packs) {
      const double share = p.flops / flops;
      costs.push_back({train * share, evaluate * share, moments * share});
    }
    rounds.push_back(add_up(run, task, layout, waves, costs,
                            {shuffle / static_cast<double>(layout.groups.size()), begin / parameters}, 1));
    if (rounds.size() == 1 && seconds_since(began) > 10 * spec.seconds) break;  // the emulation
  }
  e = over_rounds(rounds);
  e.kinds = e.probed = 1, e.threads = 1;
  return e;
}

}  // namespace

std::vector<PackKind> kinds_of(const Layout& layout) {
  std::map<std::vector<int>, std::size_t> known;
  std::vector<PackKind> kinds;
  for (std::size_t p = 0; p < layout.packs.size(); ++p) {
    const Pack& pack = layout.packs[p];
    std::vector<int> key{layout.groups[static_cast<std::size_t>(pack.group)].batch};
    for (int s = pack.first_slab; s < pack.first_slab + pack.slab_count; ++s) {
      const Slab& slab = layout.slabs[static_cast<std::size_t>(s)];
      key.insert(key.end(), {slab.fan_in, slab.columns, slab.width, slab.rule});
    }
    const auto [found, fresh] = known.emplace(std::move(key), kinds.size());
    if (fresh) kinds.push_back({{}, pack.flops});
    kinds[found->second].packs.push_back(static_cast<int>(p));
  }
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const PackKind& a, const PackKind& b) { return a.flops > b.flops; });
  return kinds;
}

std::vector<int> representatives(int kinds, int most) {
  std::vector<int> chosen;
  const int count = std::min(kinds, std::max(most, 2));
  for (int i = 0; i < count; ++i) {
    const int k =
        count == 1 ? 0 : static_cast<int>(std::lround(static_cast<double>(i) * (kinds - 1) / (count - 1)));
    if (chosen.empty() || k > chosen.back()) chosen.push_back(k);
  }
  return chosen;
}

std::vector<PackCost> interpolate(std::span<const PackKind> kinds, std::span<const int> measured,
                                  std::span<const PackCost> costs) {
  std::vector<PackCost> all;
  std::size_t after = 0;  // the first measured kind at or after this one
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    while (after + 1 < measured.size() && measured[after] < static_cast<int>(k)) ++after;
    const std::size_t before = after > 0 && measured[after] > static_cast<int>(k) ? after - 1 : after;
    const auto flops = [&](std::size_t i) { return kinds[static_cast<std::size_t>(measured[i])].flops; };
    const auto at = [&](double PackCost::*part) {
      return kinds[k].flops * interpolate_one(std::log(kinds[k].flops), std::log(flops(before)),
                                              costs[before].*part / flops(before), std::log(flops(after)),
                                              costs[after].*part / flops(after));
    };
    all.push_back({at(&PackCost::train), at(&PackCost::evaluate), at(&PackCost::moments)});
  }
  return all;
}

double makespan(std::span<const double> tasks, int threads) {
  std::vector<double> busy(static_cast<std::size_t>(std::max(1, threads)));
  for (const double t : tasks) *std::min_element(busy.begin(), busy.end()) += t;
  return *std::max_element(busy.begin(), busy.end());
}

RunSeconds add_up(const RunSpec& run, const Task& task, const Layout& layout,
                  std::span<const std::vector<std::int64_t>> waves, std::span<const PackCost> costs,
                  const OtherCosts& other, int threads) {
  const std::vector<std::int32_t> wave_of = wave_of_each({waves.begin(), waves.end()}, run.models.size());
  const auto train_samples = static_cast<double>(task.train.count),
             test_samples = static_cast<double>(task.test.count);
  const int tests = (run.evaluate_each_epoch ? run.epochs : 0) + 1;
  RunSeconds seconds;
  for (std::size_t w = 0; w < waves.size(); ++w) {
    std::vector<double> train, test, last;
    std::vector<bool> groups(layout.groups.size());
    for (std::size_t p = 0; p < layout.packs.size(); ++p) {
      const Pack& pack = layout.packs[p];
      const auto model =
          static_cast<std::size_t>(layout.heads[static_cast<std::size_t>(pack.first_head)].model);
      if (wave_of[model] != static_cast<std::int32_t>(w)) continue;
      groups[static_cast<std::size_t>(pack.group)] = true;
      train.push_back(costs[p].train * train_samples);
      test.push_back(costs[p].evaluate * test_samples);
      last.push_back((run.neuron_moments ? costs[p].moments : costs[p].evaluate) * train_samples);
    }
    const std::vector<double> shuffles(
        static_cast<std::size_t>(std::count(groups.begin(), groups.end(), true)), other.shuffle);
    seconds.training += run.epochs * (makespan(train, threads) + makespan(shuffles, threads));
    seconds.evaluation += tests * makespan(test, threads);
    if (run.epoch_details) seconds.evaluation += run.epochs * makespan(last, threads);
    if (run.evaluate_train || run.neuron_moments) seconds.evaluation += makespan(last, threads);
  }
  double bytes = 0;
  for (const Pack& p : layout.packs) bytes += static_cast<double>(p.parameter_count) * sizeof(float);
  seconds.begin = bytes / sizeof(float) * other.parameter;
  const double checkpoints = run.epochs * bytes * (1 + layout.slots) / kAssumedBytesPerSecond;
  seconds.files = bytes / kAssumedBytesPerSecond + std::min(checkpoints, kCheckpointShare * seconds.training);
  return seconds;
}

TimeEstimate estimate_time(const RunSpec& run, const Task& task, const CalibrationSpec& spec) {
  const auto began = Clock::now();
  plan_run(run, task);  // validates
  const Layout layout = make_layout(run.models, task.shape, run.order);
  const bool on_device = run.machine.kind != MachineSpec::Kind::cpu;
  const auto waves = cut_waves(layout, memory_budget(run, task, layout), on_device);
  TimeEstimate e = on_device ? estimate_on_device(run, task, layout, waves, spec)
                             : estimate_on_cpu(run, task, layout, waves, spec);
  e.measured = seconds_since(began);
  return e;
}

}  // namespace shoal
