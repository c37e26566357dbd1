#include "analysis/sorting.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>

#include "analysis/summary.h"

namespace shoal {
namespace {

SortSamples sort_of(const float* values, float* sorted) {
  SortSamples op{};
  op.floats = values, op.sorted_floats = sorted;
  return op;
}
SortSamples sort_of(const double* values, double* sorted) {
  SortSamples op{};
  op.doubles = values, op.sorted_doubles = sorted;
  return op;
}

template <class T>
std::vector<T> sorted_samples(const Calculator& calculator, Samples<T> samples) {
  check_samples(samples.offsets, samples.values.size());
  std::vector<T> result(samples.values.size());
  const auto values = static_cast<std::int64_t>(samples.values.size());
  const std::size_t scratch_bytes = sort_scratch(calculator, values, samples.count(), sizeof(T));
  const Input<T> input(calculator, samples.values);
  const Input<std::int64_t> offsets(calculator, samples.offsets);
  const Output<T> output(calculator, std::span(result));
  const Scratch<std::byte> scratch(calculator, scratch_bytes);
  calculator.over_samples(samples.offsets, [&](std::int64_t first, std::int64_t last, void* stream) {
    SortSamples op = sort_of(input.get(), output.get());
    op.offsets = offsets.get() + first;
    op.samples = last - first;
    op.values = values;
    op.scratch = scratch.get();
    op.scratch_bytes = scratch_bytes;
    calculator.ops().sort_samples(op, stream);
  });
  output.fetch();
  return result;
}

}  // namespace

std::size_t sort_scratch(const Calculator& calculator, std::int64_t values, std::int64_t samples,
                         int value_bytes) {
  if (calculator.device()) return calculator.device()->sort_scratch(values, samples, value_bytes);
  return static_cast<std::size_t>(values * value_bytes);
}

std::vector<double> sample_quantiles(const Calculator& calculator, Samples<double> samples,
                                     std::span<const double> shares) {
  for (const double share : shares)
    if (!(share >= 0 && share <= 1))
      throw std::invalid_argument("quantiles: a share lies between 0 and 1, not at " + std::to_string(share));
  const std::vector<double> values = sort_samples(calculator, samples);
  const Samples<double> ascending{values, samples.offsets};
  std::vector<double> result;
  result.reserve(static_cast<std::size_t>(samples.count()) * shares.size());
  for (std::int64_t s = 0; s < samples.count(); ++s) {
    const std::span<const double> x = ascending[s];
    // NaN stands outside.
    const bool numbers = !x.empty() && !std::isnan(x.front()) && !std::isnan(x.back());
    for (const double share : shares)
      result.push_back(numbers ? quantile(x, share) : std::numeric_limits<double>::quiet_NaN());
  }
  return result;
}

std::vector<float> sort_samples(const Calculator& calculator, Samples<float> samples) {
  return sorted_samples(calculator, samples);
}
std::vector<double> sort_samples(const Calculator& calculator, Samples<double> samples) {
  return sorted_samples(calculator, samples);
}

}  // namespace shoal
