// bench_toys [FILTER] [THREADS]: the toy path (engine/toys.h) on the CPU, one JSON line a row: populations of
// one hidden layer on 1000 points of the circle, all of them in every step.
//
// A row is timed only after the population has been seen to learn. Two shares of the peak of fused
// multiply-adds, measured in the same process before each repeat: of the multiplications and additions that
// the chain rule needs (toy_flops), and of those that the kernel does, which has factored some out. All by
// the clock, and once more by the time that the threads have had a processor, for busy machines.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/facts.h"
#include "bench/fma_peak.h"
#include "datasets/circle.h"
#include "engine/toys.h"
#include "kernels/parallel.h"

namespace shoal {
namespace {

struct Workload {
  const char* name;
  int networks;
  std::vector<int> widths;  // in turn
  int classes;              // more than two: rings
  UpdateRule rule;
  std::int64_t steps;
};

const std::vector<Workload> kWorkloads{
    {"1024 x 2-20-2 adam", 1024, {20}, 2, UpdateRule::adam, 1000},
    {"1024 x 2-20-2 sgd", 1024, {20}, 2, UpdateRule::sgd, 1000},
    {"1024 x 2-(4..35)-2 adam", 1024, {}, 2, UpdateRule::adam, 1000},
    {"256 x 2-64-2 adam", 256, {64}, 2, UpdateRule::adam, 1000},
    {"256 x 2-20-4 adam", 256, {20}, 4, UpdateRule::adam, 1000},
};
constexpr int kRepeats = 9;

/// What the kernel does per point and neuron: a fused multiply-add per input and difference of logits, and
/// an addition per sum (F + 1 of each class beyond the first).
double kernel_flops(int features, int hidden, int classes) {
  return hidden * (2.0 * (features + classes - 1) + (features + 1.0) * (classes - 1));
}

ToySpec spec_of(const Workload& w, const Split& points, int threads) {
  ToySpec spec;
  for (int m = 0; m < w.networks; ++m) {
    ModelSpec network;
    network.hidden = {w.widths.empty() ? 4 + m % 32
                                       : w.widths[static_cast<std::size_t>(m) % w.widths.size()]};
    network.seed = static_cast<std::uint64_t>(m + 1);
    network.optimizer.rule = w.rule;
    network.optimizer.lr = w.rule == UpdateRule::adam ? 0.01 : 0.5;
    network.batch = static_cast<int>(points.count);
    spec.networks.push_back(network);
  }
  spec.steps = w.steps, spec.loss_every = 10, spec.machine.threads = threads;
  return spec;
}

/// Points inside the circle are cut into rings where there are more than two classes.
Split points_of(int classes) {
  Split points = draw_circle({}).train;
  for (std::int64_t i = 0; i < points.count && classes > 2; ++i) {
    const double x = static_cast<double>(points.values[static_cast<std::size_t>(2 * i)]),
                 y = static_cast<double>(points.values[static_cast<std::size_t>(2 * i + 1)]);
    points.labels[static_cast<std::size_t>(i)] =
        std::min(classes - 1, static_cast<int>((x * x + y * y) * 0.6 * classes));
  }
  return points;
}

/// Median share of points that a network has right.
double accuracy_of(const ToyRun& run, const Task& task) {
  std::vector<Layers> models;
  for (const ToyNetwork& n : run.networks) models.push_back(n.layers);
  std::vector<double> shares;
  for (const GivenScore& s : evaluate_models(models, task.train, 1.0f, 0.0f, LossKind::cross_entropy))
    shares.push_back(s.accuracy);
  return median(shares);
}

/// Repeats by one clock.
struct Times {
  std::vector<double> seconds, peaks, shares;

  void add(double taken, double flops) {
    seconds.push_back(taken);
    shares.push_back(flops / taken / peaks.back());
  }
  std::string row(double model_samples) const {
    return fmt::format(
        "{{\"seconds\":{:.3f},\"lowest\":{:.3f},\"highest\":{:.3f},\"model_samples_per_second\":{:.4g},"
        "\"peak_gflops\":{:.0f},\"share_of_fma_peak\":{:.3f},\"best_share\":{:.3f}}}",
        median(seconds), *std::ranges::min_element(seconds), *std::ranges::max_element(seconds),
        model_samples / median(seconds), median(peaks) / 1e9, median(shares),
        *std::ranges::max_element(shares));
  }
};

void measure(const Workload& w, int threads) {
  const Split points = points_of(w.classes);
  Task task;
  task.shape = {points.features, w.classes};
  task.train = {points.count, points.features, nullptr, points.values.data(), points.labels.data()};
  const ToySpec spec = spec_of(w, points, threads);
  const int level = static_cast<int>(best_cpu_level()) + 1;
  double accuracy = 0, kernel = 0;
  Times wall, processor;
  ToyRun run;
  for (const ModelSpec& m : spec.networks)
    kernel +=
        kernel_flops(points.features, m.hidden[0], w.classes) * static_cast<double>(points.count * w.steps);
  for (int r = 0; r < kRepeats; ++r) {
    wall.peaks.push_back(fma_peak(level, threads));
    processor.peaks.push_back(fma_peak_of_processor(level, threads));
    const double before = processor_seconds();
    run = train_toys(spec, task);
    wall.add(run.seconds, run.flops), processor.add(processor_seconds() - before, run.flops);
    if (r == 0) accuracy = accuracy_of(run, task);
    if (accuracy > (w.classes == 2 ? 0.95 : 0.8)) continue;
    fmt::print(stderr, "bench: {} reached an accuracy of only {}: not timed\n", w.name, accuracy);
    std::exit(1);
  }
  fmt::print(
      "{{\"bench\":\"toys\",\"workload\":\"{}\",\"points\":{},\"steps\":{},\"repeats\":{},\"accuracy\":{:.4f}"
      ","
      "\"flops\":{:.4g},\"flops_as_computed\":{:.4g},\"clock\":{},\"processor\":{},{}}}\n",
      w.name, points.count, w.steps, kRepeats, accuracy, run.flops, kernel, wall.row(run.model_samples),
      processor.row(run.model_samples), facts(threads));
  std::fflush(stdout);
}

int main_program(int argc, char** argv) {
  const std::string filter = argc > 1 ? argv[1] : "";
  const int threads = argc > 2 ? std::atoi(argv[2]) : usable_threads();
  for (const Workload& w : kWorkloads)
    if (std::string(w.name).find(filter) != std::string::npos) measure(w, threads);
  return 0;
}

}  // namespace
}  // namespace shoal

int main(int argc, char** argv) { return shoal::run_bench(argc, argv, shoal::main_program); }
