// bench_subsets: all subsets of 20 nodes on 10,000 points, two classes, one JSON line a row. The network and
// the points are those of bench/peers/numpy_subsets.py. Debug builds refuse.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/subsets.h"
#include "bench/facts.h"
#include "bench/statistics.h"

namespace shoal {
namespace {

constexpr int kNodes = 20, kClasses = 2, kRepeats = 5;
constexpr std::size_t kPoints = 10000;

/// Points of a square, a hidden layer of 20 random directions with biases, random outgoing weights; labels by
/// the circle that covers half of the square.
struct Problem {
  std::vector<double> outputs, weights, base;
  std::vector<std::int32_t> labels;
  SubsetNetwork network;

  Problem() {
    std::vector<double> direction;
    for (std::uint64_t i = 0; i < 3 * kNodes; ++i) direction.push_back(3 * bench_value(i));
    for (std::uint64_t i = 0; i < kNodes * kClasses; ++i) weights.push_back(2 * bench_value(1000 + i));
    for (std::uint64_t p = 0; p < kPoints; ++p) {
      const double x = bench_value(2000 + 2 * p), y = bench_value(2001 + 2 * p);
      for (std::size_t n = 0; n < kNodes; ++n)
        outputs.push_back(
            std::max(0.0, direction[3 * n] * x + direction[3 * n + 1] * y + direction[3 * n + 2]));
      base.insert(base.end(), {0.1, -0.1});
      labels.push_back(x * x + y * y < 0.6366197723675814);
    }
    network = {kNodes, kClasses, outputs, weights, base, labels};
  }
};

/// Some subsets from the definition. Float rounding may turn points whose margin is below 1e-5.
void check(const Problem& p, const SubsetTable& table, SubsetPrecision precision) {
  for (const std::uint32_t s : {0u, 1u, 0x5a5a5u, 0xfffffu}) {
    long double loss = 0;
    int hits = 0, doubtful = 0;
    for (std::size_t b = 0; b < kPoints; ++b) {
      long double excess = p.labels[b] ? 0.2L : -0.2L;  // of the other class over the label's
      for (std::size_t n = 0; n < kNodes; ++n)
        if (s >> n & 1)
          excess +=
              p.outputs[b * kNodes + n] * (p.weights[2 * n] - p.weights[2 * n + 1]) * (p.labels[b] ? 1 : -1);
      loss += std::max(0.0L, excess) + std::log1p(std::exp(-std::abs(excess)));
      hits += excess < 0;
      doubtful += std::abs(excess) < 1e-5L;
    }
    loss /= kPoints;
    const bool wide = precision == SubsetPrecision::float64;
    if (!table.loss.empty() && !(std::abs(table.loss[s] - loss) <= (wide ? 1e-12L : 1e-5L) * loss))
      throw WrongResult(fmt::format("the loss of subset {} is wrong: not timed", s));
    if (!table.hits.empty() && !(std::abs(table.hits[s] - hits) <= doubtful))
      throw WrongResult(fmt::format("the hits of subset {} are wrong: not timed", s));
  }
}

void print_row(const char* what, SubsetPrecision precision, std::vector<double> times, const Calculator& c) {
  std::sort(times.begin(), times.end());
  fmt::print(
      "{{\"bench\":\"subsets\",\"workload\":\"{}, 2^{} subsets x {} points, {} "
      "classes\",\"precision\":\"{}\","
      "\"seconds\":{:.4f},\"lowest\":{:.4f},\"highest\":{:.4f},\"repeats\":{},{}}}\n",
      what, kNodes, kPoints, kClasses, precision == SubsetPrecision::float64 ? "float64" : "float32",
      times[times.size() / 2], times.front(), times.back(), times.size(), facts(c.threads()));
  std::fflush(stdout);
}

int main_program(int, char**) {
  const Problem problem;
  const Calculator calculator;
  for (const auto precision : {SubsetPrecision::float32, SubsetPrecision::float64}) {
    for (const char* what : {"hits", "loss", "loss and hits"}) {
      const std::string name = what;
      const SubsetSpec spec{.precision = precision, .loss = name != "hits", .hits = name != "loss"};
      std::vector<double> times;
      for (int r = 0; r < kRepeats; ++r) {
        const double begin = seconds();
        const std::vector<SubsetTable> tables = evaluate_subsets(calculator, {&problem.network, 1}, spec);
        times.push_back(seconds() - begin);
        check(problem, tables.front(), precision);
      }
      print_row(what, precision, times, calculator);
    }
    std::vector<double> times;
    for (int r = 0; r < 3; ++r) {
      const double begin = seconds();
      double sum = 0;
      for_subset_gradients(calculator, problem.network, {.precision = precision},
                           [&](const SubsetGradientRange& range) { sum += range.gradients.front(); });
      times.push_back(seconds() - begin);
      if (!std::isfinite(sum)) throw WrongResult("a gradient is not finite: not timed");
    }
    print_row("loss, hits and gradients by 20 nodes", precision, times, calculator);
  }
  return 0;
}

}  // namespace
}  // namespace shoal

int main(int argc, char** argv) { return shoal::run_bench(argc, argv, shoal::main_program); }
