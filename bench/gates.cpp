// bench_gates [FILTER]: what gates cost, and what their removal brings. The same population with and without
// gates is trained for an epoch in turn, so that a noisy machine slows both; a row has the median ratio of
// the rates. Removal: a sparsifier's epochs with dead neurons in the layout and without them.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/facts.h"
#include "bench/task.h"
#include "kernels/parallel.h"

namespace shoal {
namespace {

constexpr int kRounds = 7;

struct Workload {
  const char* name;
  int models, width;
  GateKind kind;
};

const std::vector<Workload> kWorkloads{
    {"8 x 784-256-10 size", 8, 256, GateKind::size},
    {"8 x 784-256-10 liveness", 8, 256, GateKind::liveness},
    {"8 x 784-256-10 hard-concrete", 8, 256, GateKind::hard_concrete},
    {"2 x 784-1024-10 size", 2, 1024, GateKind::size},
    {"2 x 784-1024-10 liveness", 2, 1024, GateKind::liveness},
    {"2 x 784-1024-10 hard-concrete", 2, 1024, GateKind::hard_concrete},
};

RunSpec population(int models, int width, const GateSpec& gate) {
  RunSpec spec;
  for (int m = 0; m < models; ++m) {
    ModelSpec model;
    model.hidden = {width}, model.seed = static_cast<std::uint64_t>(m + 1);
    if (gate.kind != GateKind::none) model.gates = {gate};
    spec.models.push_back(model);
  }
  spec.epochs = 1;
  spec.evaluate_each_epoch = spec.evaluate_train = spec.neuron_moments = false;
  return spec;
}

/// Gates that stay open, so that both populations do the same work.
GateSpec open_gates(const Workload& w) {
  GateSpec gate;
  gate.kind = w.kind, gate.penalty = 1e-6;
  if (has_size(w.kind)) gate.start = w.width, gate.lr = gate.slope_lr = 1e-3;
  if (w.kind == GateKind::hard_concrete) gate.start = 2.0;
  return gate;
}

/// Rate of one run that has learned something, in model-samples a second; 0 when it has not.
double rate_of(const RunSpec& spec, const Task& task) {
  const RunResult result = run(spec, task, {});
  for (const ModelResult& m : result.models)
    if (!(m.test_accuracy > 0.85)) return 0.0;
  return result.model_samples / result.train_seconds;
}

void print_row(const std::string& workload, const Dataset& data, const std::vector<double>& plain,
               const std::vector<double>& gated, const char* what) {
  std::vector<double> ratios;
  for (std::size_t r = 0; r < plain.size(); ++r) ratios.push_back(gated[r] / plain[r]);
  std::sort(ratios.begin(), ratios.end());
  fmt::print(
      "{{\"bench\":\"gates\",\"workload\":\"{}\",\"data\":\"{}\",\"ratio\":\"{}\",\"median\":{:.3f},"
      "\"lowest\":{:.3f},\"highest\":{:.3f},\"repeats\":{},\"model_samples_per_second\":{:.0f},{}}}\n",
      workload, data.name, what, median(ratios), ratios.front(), ratios.back(), ratios.size(), median(gated),
      facts(usable_threads()));
  std::fflush(stdout);
}

bool measure_cost(const Workload& w, const Dataset& data, const Task& task) {
  const RunSpec plain = population(w.models, w.width, {}),
                gated = population(w.models, w.width, open_gates(w));
  std::vector<double> without, with;
  for (int r = 0; r < kRounds; ++r) {
    without.push_back(rate_of(plain, task));
    with.push_back(rate_of(gated, task));
    if (without.back() > 0 && with.back() > 0) continue;
    fmt::print(stderr, "bench: {} has not learned: not timed\n", w.name);
    return false;
  }
  print_row(w.name, data, without, with, "gated / plain");
  return true;
}

/// A layer of 500 that loses most of its neurons in the first epochs.
bool measure_removal(const Dataset& data, const Task& task) {
  constexpr const char* kName = "8 x 784-500-10 liveness, 8 epochs";
  GateSpec gate;
  gate.kind = GateKind::liveness, gate.penalty = 1e-3, gate.lr = 1e-2;
  RunSpec keeping = population(8, 500, gate);
  keeping.epochs = 8;
  RunSpec removing = keeping;
  for (ModelSpec& m : removing.models) m.remove_dead = true;
  std::vector<double> slow, fast;
  for (int r = 0; r < 3; ++r) {
    slow.push_back(rate_of(keeping, task));
    fast.push_back(rate_of(removing, task));
    if (slow.back() > 0 && fast.back() > 0) continue;
    fmt::print(stderr, "bench: {} has not learned: not timed\n", kName);
    return false;
  }
  print_row(kName, data, slow, fast, "dead neurons removed / kept");
  return true;
}

int main_program(int argc, char** argv) {
  const std::string filter = argc < 2 ? "" : argv[1];
  const auto wanted = [&](const std::string& name) { return name.find(filter) != std::string::npos; };
  const Dataset data = bench_data();
  const Task task = bench_task(data);
  for (const Workload& w : kWorkloads)
    if (wanted(w.name) && !measure_cost(w, data, task)) return 1;
  return wanted("removal") && !measure_removal(data, task) ? 1 : 0;
}

}  // namespace
}  // namespace shoal

int main(int argc, char** argv) { return shoal::run_bench(argc, argv, shoal::main_program); }
