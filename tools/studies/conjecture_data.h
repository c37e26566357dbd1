// The data of the conjecture study: noise of the data's own shape, labelled by a network.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "datasets/dataset.h"
#include "engine/run.h"

namespace shoal {

enum class Noise {
  uniform,  // every value uniform between the smallest and the largest of the training inputs
  pixels,   // every feature drawn from that feature's own training values: means and sds as in the data, no
            // correlations
};
std::string_view name_of(Noise);
std::string_view in_words(Noise);

/// Inputs of the same type and scale as the training data, by Philox.
struct NoiseData {
  std::int64_t count = 0;
  int features = 0;
  std::vector<std::uint8_t> bytes;  // [count][features], or
  std::vector<float> values;

  /// With labels beside the samples.
  DataView view(std::span<const std::int32_t> labels) const;
};
NoiseData draw_noise(Noise, const DataView& train, std::int64_t count, std::uint64_t seed);

/// The network's own answers: the first largest output of every sample.
std::vector<std::int32_t> labels_by(std::span<const LayerWeights>, const DataView&, const Task&,
                                    const MachineSpec&);

}  // namespace shoal
