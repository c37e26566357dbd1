// A population on a machine: its arrays, and the ops called as the engine calls them.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/kernels/arena.h"
#include "tests/kernels/population.h"

namespace shoal::test {

struct RigSpec {
  std::int64_t samples = 0;  // of the data; 0: as many as the largest batch
  bool preactivations = false;
  bool gates = false;  // else the ops get none
};

struct Rig {
  Rig(const TestMachine&, const Population&, RigSpec = {});

  const TestMachine& machine;
  const Population& population;
  Arena arena;
  std::int64_t samples;

  float *parameters, *slot_a, *slot_b, *slot_c, *gradients, *gates, *values;
  Workspace workspace;
  Batch* batches;
  StepCoefficients* coefficients;
  std::int32_t *labels, *order;  // order: null until somebody sets it
  double* loss_sums;
  std::int64_t* correct;
  int* frozen;
  Moments* moments;
  RemovalSums *removals, *whole;
  float* partials = nullptr;  // of Update, where somebody wants them

  const Slab* slabs() const { return slabs_; }

  void forward();
  void loss(LossKind, bool write_deltas);
  void backward();
  void update(bool only_gradients);
  void fold_moments(bool before_relu);
  void removal();
  void shrink_groups();
  /// inputs = data * scale + shift
  void gather(float scale, float shift);

 private:
  /// A device's tiles, per level.
  struct Tiles {
    std::vector<Tile*> tiles;
    std::vector<int> counts;
  };
  enum class Rows { samples, inputs, none };
  Tiles make_tiles(Rows rows, int tile_rows, bool of_inputs);

  Slab* slabs_;
  Head* heads_;
  int* block_model_;
  RemovalTile* removal_tiles_ = nullptr;
  int removal_tile_count_ = 0;
  Tiles forward_tiles_, backward_tiles_, update_tiles_, fold_tiles_;
};

}  // namespace shoal::test
