// A handful of models placed in slabs as kernels/slab.h describes: the tests' own arithmetic, so that it and
// the engine's layout check each other. Models of one group and rule that are narrower than 64 share a panel,
// in the order in which they are listed, as long as there is room; everybody else has slabs to himself.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/ops.h"
#include "tests/reference/model.h"

namespace shoal::test {

struct ModelShape {
  std::vector<int> hidden;
  int group = 0;
  UpdateRule rule = UpdateRule::sgd;
};

struct PopulationSpec {
  int features, classes;
  std::vector<ModelShape> models;
  std::vector<int> rows;  // [groups] of their batches; 0: the group rests
  int spare_rows = 0;     // room behind the batch
};

/// One layer of one model.
struct Place {
  int slab, column;  // where its neurons begin
  int fan_in, width;
};

struct Population {
  PopulationSpec spec;
  std::vector<Slab> slabs;       // level by level
  std::vector<int> level_begin;  // [levels + 1] first slab of each
  std::vector<Head> heads;
  std::vector<int> block_model, model_group;
  std::vector<std::vector<Place>> places;                             // [model][layer], the output layer last
  std::vector<Batch> batches;                                         // [groups]
  std::int64_t parameters = 0, outputs = 0, neurons = 0, inputs = 0;  // floats, or neurons
  int input_stride = 0;
};

Population make_population(const PopulationSpec&);

/// Sizes of a model as the reference wants them: features, hidden widths, classes.
std::vector<int> sizes_of(const Population&, int model);
int rows_of(const Population&, int model);

/// Places of single numbers in the arrays. `output_index` serves outputs, deltas and preactivations.
std::size_t weight_index(const Slab&, int k, int column);
std::size_t bias_index(const Slab&, int column);
std::size_t output_index(const Slab&, int row, int column);

/// The parameter array of these models; padding is 0.
std::vector<float> parameters_of(const Population&, const std::vector<reference::Model>&);
/// A model's weights and biases out of an array of the parameters' layout; gates are 1.
reference::Model model_of(const Population&, const std::vector<float>& array, int model);
/// A layer's values [rows][width] out of an array of the outputs' layout.
reference::Matrix values_of(const Population&, const std::vector<float>& array, int model, int layer);
/// The bits of everything that belongs to one model, in an order that does not depend on its place.
std::vector<float> floats_of_model(const Population&, const std::vector<float>& parameters, int model);
std::vector<float> floats_of_outputs(const Population&, const std::vector<float>& outputs, int model);

/// Whether every number of the parameters' layout that belongs to no model is 0.
bool padding_is_zero(const Population&, const std::vector<float>& array);

}  // namespace shoal::test
