// bench_train [FILTER]: rates of whole training steps on the CPU, one JSON line a row, on the data of
// bench/task.h.
//
// A row is timed only after the same population has been seen to learn: a fast wrong answer is no result.
// Debug builds refuse.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/facts.h"
#include "bench/fma_peak.h"
#include "bench/task.h"
#include "kernels/parallel.h"

namespace shoal {
namespace {

struct Workload {
  const char* name;
  int models;
  std::vector<int> hidden;
  UpdateRule rule;
  int batch;
};

const std::vector<Workload> kWorkloads{
    {"16 x 784-64-10 adam", 16, {64}, UpdateRule::adam, 128},
    {"8 x 784-256-10 adam", 8, {256}, UpdateRule::adam, 128},
    {"2 x 784-1024-10 adam", 2, {1024}, UpdateRule::adam, 128},
    {"16 x 784-64-10 sgd", 16, {64}, UpdateRule::sgd, 128},
    {"64 x 784-16-10 adam", 64, {16}, UpdateRule::adam, 128},
    {"16 x 784-100-50-20-10 adam", 16, {100, 50, 20}, UpdateRule::adam, 128},
    {"16 x 784-64-10 adam batch 32", 16, {64}, UpdateRule::adam, 32},
    {"16 x 784-64-10 adam batch 512", 16, {64}, UpdateRule::adam, 512},
};
constexpr int kRepeats = 5;

RunSpec spec_of(const Workload& w) {
  RunSpec spec;
  for (int m = 0; m < w.models; ++m) {
    ModelSpec model;
    model.hidden = w.hidden;
    model.seed = static_cast<std::uint64_t>(m + 1);
    model.optimizer.rule = w.rule;
    model.optimizer.lr = w.rule == UpdateRule::adam ? 1e-3 : 0.1;
    model.batch = w.batch;
    spec.models.push_back(model);
  }
  spec.epochs = 1;
  spec.evaluate_each_epoch = spec.evaluate_train = spec.neuron_moments = false;
  return spec;
}

void measure(const Workload& w, const Dataset& data, const Task& task) {
  const RunSpec spec = spec_of(w);
  const int level = static_cast<int>(best_cpu_level()) + 1, threads = usable_threads();
  std::vector<double> rates, shares;
  double accuracy = 0;
  for (int r = 0; r < kRepeats; ++r) {
    const double peak = fma_peak(level, threads);
    const RunResult result = run(spec, task, {});
    accuracy = result.models[0].test_accuracy;
    if (!(accuracy > 0.85)) {
      fmt::print(stderr, "bench: {} reached a test accuracy of only {}: not timed\n", w.name, accuracy);
      std::exit(1);
    }
    rates.push_back(result.model_samples / result.train_seconds);
    shares.push_back(result.flops / result.train_seconds / peak);
  }
  std::sort(rates.begin(), rates.end());
  std::sort(shares.begin(), shares.end());
  fmt::print(
      "{{\"bench\":\"train\",\"workload\":\"{}\",\"data\":\"{}\",\"model_samples_per_second\":{:.0f},"
      "\"lowest\":{:.0f},\"highest\":{:.0f},\"repeats\":{},"
      "\"share_of_fma_peak\":{:.3f},\"gflops\":{:.1f},\"test_accuracy\":{:.4f},{}}}\n",
      w.name, data.name, rates[kRepeats / 2], rates.front(), rates.back(), kRepeats, shares[kRepeats / 2],
      rates[kRepeats / 2] * plan_run(spec, task).train_flops /
          (static_cast<double>(task.train.count) * w.models) / 1e9,
      accuracy, facts(threads));
  std::fflush(stdout);
}

int main_program(int argc, char** argv) {
  const Dataset data = bench_data();
  const Task task = bench_task(data);
  for (const Workload& w : kWorkloads)
    if (argc < 2 || std::string(w.name).find(argv[1]) != std::string::npos) measure(w, data, task);
  return 0;
}

}  // namespace
}  // namespace shoal

int main(int argc, char** argv) { return shoal::run_bench(argc, argv, shoal::main_program); }
