#include "tools/studies/conjecture_data.h"

#include <algorithm>

#include "engine/given_models.h"
#include "kernels/philox.h"

namespace shoal {
namespace {

constexpr std::uint64_t kStream = 0x6e6f697365;  // "noise"

/// 0 .. count - 1; a probability is off by less than count / 2^32 of itself.
std::int64_t below(std::uint32_t word, std::int64_t count) {
  return static_cast<std::int64_t>((static_cast<std::uint64_t>(word) * static_cast<std::uint64_t>(count)) >>
                                   32);
}

template <class T>
std::vector<T> from_features(const T* data, std::int64_t samples, int features, std::int64_t count,
                             std::uint64_t seed) {
  std::vector<T> out(static_cast<std::size_t>(count) * static_cast<std::size_t>(features));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t feature = i % static_cast<std::size_t>(features);
    const auto sample = static_cast<std::size_t>(below(philox_word(seed, kStream + 1, i), samples));
    out[i] = data[sample * static_cast<std::size_t>(features) + feature];
  }
  return out;
}

}  // namespace

std::string_view name_of(Noise noise) { return noise == Noise::uniform ? "uniform" : "pixels"; }

std::string_view in_words(Noise noise) {
  return noise == Noise::uniform ? "uniform noise between the data's smallest and largest value"
                                 : "noise with every pixel drawn from that pixel's own training values";
}

DataView NoiseData::view(std::span<const std::int32_t> labels) const {
  return {count, features, bytes.empty() ? nullptr : bytes.data(), values.empty() ? nullptr : values.data(),
          labels.data()};
}

NoiseData draw_noise(Noise noise, const DataView& train, std::int64_t count, std::uint64_t seed) {
  NoiseData data{count, train.features, {}, {}};
  const auto in = static_cast<std::size_t>(train.count) * static_cast<std::size_t>(train.features);
  const auto out = static_cast<std::size_t>(count) * static_cast<std::size_t>(train.features);
  if (noise == Noise::pixels) {
    if (train.bytes) data.bytes = from_features(train.bytes, train.count, train.features, count, seed);
    else data.values = from_features(train.values, train.count, train.features, count, seed);
  } else if (train.bytes) {
    const auto [low, high] = std::minmax_element(train.bytes, train.bytes + in);
    data.bytes.resize(out);
    for (std::size_t i = 0; i < out; ++i)
      data.bytes[i] =
          static_cast<std::uint8_t>(*low + below(philox_word(seed, kStream, i), *high - *low + 1));
  } else {
    const auto [low, high] = std::minmax_element(train.values, train.values + in);
    data.values.resize(out);
    for (std::size_t i = 0; i < out; ++i)
      data.values[i] =
          *low + (*high - *low) * (static_cast<float>(philox_word(seed, kStream, i) >> 8) * 0x1p-24f);
  }
  return data;
}

std::vector<std::int32_t> labels_by(std::span<const LayerWeights> layers, const DataView& data,
                                    const Task& task, const MachineSpec& machine) {
  const std::vector<float> outputs =
      outputs_of(layers, LastLayer::linear, data, task.scale, task.shift, machine);
  const auto classes = static_cast<std::ptrdiff_t>(layers.back().outputs);
  std::vector<std::int32_t> labels;
  for (auto row = outputs.begin(); row != outputs.end(); row += classes)
    labels.push_back(static_cast<std::int32_t>(std::max_element(row, row + classes) - row));
  return labels;
}

}  // namespace shoal
