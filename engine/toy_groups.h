// Toy networks as the op TrainToys wants them: points input by input, networks in groups of 16.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/toys.h"
#include "kernels/array.h"
#include "kernels/toys.h"

namespace shoal {

/// Inputs as the networks see them, x * scale + shift, and 0 behind the last point.
struct ToyPoints {
  int count, stride;
  AlignedArray<float> inputs;        // [features][stride]
  std::vector<std::int32_t> labels;  // [stride]
};
/// SpecError where an input is not finite or a label is none of the classes.
ToyPoints toy_points(const Task&);

/// Networks in groups of one rule. Wide ones come first, and equal settings stand together.
struct ToyGrouping {
  std::vector<ToyGroup> groups;
  std::vector<std::int64_t> network;  // [groups][16] of the specification; -1: none
  std::vector<int> setting;           // [groups][16]; -1: none
  std::vector<UpdateSettings> settings;
};
ToyGrouping group_toys(const ToySpec&, TaskShape);
/// Floats that the parameters of a group take.
std::int64_t group_floats(const ToyGroup&, TaskShape);

/// Between a network and a lane of its group, whose parameters begin at `parameters`.
void put_toy(const Layers&, int group_hidden, float* parameters, std::size_t lane);
Layers get_toy(TaskShape, int hidden, int group_hidden, const float* parameters, std::size_t lane);

}  // namespace shoal
