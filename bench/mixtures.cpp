// bench_mixtures [--data FILE] [--length N] [--count N] [--likelihoods FILE] [--threads N]: gamma-gamma
// mixtures of many samples, one JSON line. FILE holds float64 in the machine's order, one sample of --length
// values after the other; without it samples of two overlapping gammas are drawn.
//
// Every fit is checked before it is timed: its log-likelihood must be that of its own density, and it must
// have converged. bench/peers/numpy_em.py compares with NumPy in one sitting.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "analysis/mixture.h"
#include "bench/facts.h"
#include "kernels/parallel.h"
#include "shoal_version.h"

namespace shoal {
namespace {

struct Options {
  std::string data, likelihoods;
  std::int64_t length = 1024, count = 10000;
  int threads = 0, repeats = 3;
};

std::vector<double> read_values(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<double> values(static_cast<std::size_t>(file.tellg()) / sizeof(double));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()), std::ssize(values) * 8);
  return values;
}

std::vector<double> draw_values(const Options& options) {
  std::mt19937_64 engine(1);
  std::gamma_distribution<double> low(1.5, 0.6), high(12.0, 0.25);
  std::vector<double> values(static_cast<std::size_t>(options.length * options.count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 5 < 2 ? low(engine) : high(engine);
  return values;
}

void check(const std::vector<MixtureFit>& fits, Samples<double> samples) {
  for (std::size_t s = 0; s < fits.size(); ++s) {
    const MixtureFit& fit = fits[s];
    double sum = 0;
    for (const double x : samples[static_cast<std::int64_t>(s)]) sum += std::log(mixture_density(fit, x));
    if (fit.converged && std::abs(sum - fit.log_likelihood) <= 1e-7) continue;
    fmt::print(stderr, "bench: fit {} is wrong ({}; {} instead of {}): not timed\n", s, to_text(fit.status),
               fit.log_likelihood, sum);
    std::exit(1);
  }
}

int main_program(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--data") options.data = value;
    else if (name == "--likelihoods") options.likelihoods = value;
    else if (name == "--length") options.length = std::stoll(value);
    else if (name == "--count") options.count = std::stoll(value);
    else if (name == "--threads") options.threads = std::stoi(value);
    else throw std::runtime_error("unknown option " + name);
  }
  const std::vector<double> values = options.data.empty() ? draw_values(options) : read_values(options.data);
  options.count = std::min(options.count, std::ssize(values) / options.length);
  std::vector<std::int64_t> offsets;
  for (std::int64_t s = 0; s <= options.count; ++s) offsets.push_back(s * options.length);
  const Samples<double> samples{values, offsets};
  const Calculator calculator({.threads = options.threads});
  std::vector<MixtureFit> fits = fit_mixtures(calculator, MixtureKind::gamma_gamma, samples);
  check(fits, samples);
  std::vector<double> rates;
  const std::clock_t processor = std::clock();  // of all threads
  for (int r = 0; r < options.repeats; ++r) {
    const auto start = std::chrono::steady_clock::now();
    fits = fit_mixtures(calculator, MixtureKind::gamma_gamma, samples);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    rates.push_back(static_cast<double>(options.count) / time.count());
  }
  const double processor_rate = static_cast<double>(options.count) * options.repeats * CLOCKS_PER_SEC /
                                static_cast<double>(std::clock() - processor);
  std::sort(rates.begin(), rates.end());
  if (!options.likelihoods.empty()) {
    std::ofstream file(options.likelihoods);
    for (const MixtureFit& fit : fits) file << fmt::format("{:.17g}\n", fit.log_likelihood);
  }
  fmt::print(
      "{{\"bench\":\"mixtures\",\"workload\":\"gamma-gamma, {} samples of {}\",\"samples_per_second\":{:.1f},"
      "\"lowest\":{:.1f},\"highest\":{:.1f},\"repeats\":{},\"samples_per_processor_second\":{:.1f},"
      "\"machine\":\"{}\",\"compiler\":\"{}\",\"commit\":"
      "\"{}\""
      "}}\n",
      options.count, options.length, rates[rates.size() / 2], rates.front(), rates.back(), options.repeats,
      processor_rate, calculator.name(), SHOAL_COMPILER, SHOAL_COMMIT);
  return 0;
}

}  // namespace
}  // namespace shoal

int main(int argc, char** argv) { return shoal::run_bench(argc, argv, shoal::main_program); }
