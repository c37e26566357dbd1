#include "analysis/sorting.h"

#include <cstddef>

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

std::vector<float> sort_samples(const Calculator& calculator, Samples<float> samples) {
  return sorted_samples(calculator, samples);
}
std::vector<double> sort_samples(const Calculator& calculator, Samples<double> samples) {
  return sorted_samples(calculator, samples);
}

}  // namespace shoal
