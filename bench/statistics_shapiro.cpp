// Shapiro and Wilk's test of 10,000 samples of 1024 values, float64.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "analysis/shapiro.h"
#include "bench/facts.h"
#include "bench/statistics.h"

namespace shoal {
namespace {

constexpr std::int64_t kSamples = 10000, kSize = 1024;
constexpr int kRepeats = 7;

/// W from its definition.
void check(Samples<double> samples, const std::vector<ShapiroWilk>& results) {
  const std::vector<double> c = shapiro_coefficients(kSize);
  const double cc = std::inner_product(c.begin(), c.end(), c.begin(), 0.0);
  for (const std::int64_t s : {std::int64_t{0}, kSamples / 2, kSamples - 1}) {
    std::vector<double> x(samples[s].begin(), samples[s].end());
    std::sort(x.begin(), x.end());
    const double mean = std::accumulate(x.begin(), x.end(), 0.0) / kSize;
    double cx = 0, xx = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      cx += c[i] * (x[i] - mean);
      xx += (x[i] - mean) * (x[i] - mean);
    }
    if (!(std::abs(results[static_cast<std::size_t>(s)].w - cx * cx / (cc * xx)) <= 1e-12))
      throw WrongResult(fmt::format("W of sample {} is wrong: not timed", s));
  }
}

}  // namespace

void measure_shapiro() {
  const Calculator calculator;
  std::vector<double> values(static_cast<std::size_t>(kSamples * kSize));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = bench_value(i);
  std::vector<std::int64_t> offsets(kSamples + 1);
  for (std::size_t s = 0; s < offsets.size(); ++s) offsets[s] = static_cast<std::int64_t>(s) * kSize;
  const Samples<double> samples{values, offsets};
  check(samples, shapiro_wilk(calculator, samples));
  std::vector<double> rates, processor_rates;
  double mean_w = 0;
  for (int r = 0; r < kRepeats; ++r) {
    const double begin = seconds(), processor_begin = processor_seconds();
    const std::vector<ShapiroWilk> results = shapiro_wilk(calculator, samples);
    rates.push_back(kSamples / (seconds() - begin));
    processor_rates.push_back(kSamples / (processor_seconds() - processor_begin));
    mean_w = std::accumulate(results.begin(), results.end(), 0.0,
                             [](double sum, const ShapiroWilk& one) { return sum + one.w; }) /
             kSamples;
  }
  fmt::print(
      "{{\"bench\":\"statistics\",\"workload\":\"shapiro 10000 x 1024 "
      "float64\",\"samples_per_second\":{:.0f},"
      "\"lowest\":{:.0f},\"highest\":{:.0f},\"samples_per_processor_second\":{:.0f},\"mean_w\":{:.12f},"
      "\"repeats\":{},{}}}\n",
      median(rates), *std::min_element(rates.begin(), rates.end()),
      *std::max_element(rates.begin(), rates.end()), median(processor_rates), mean_w, kRepeats,
      facts(calculator.threads()));
}

}  // namespace shoal
