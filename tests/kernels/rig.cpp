#include "tests/kernels/rig.h"

#include <algorithm>

#include "kernels/tiles.h"

namespace shoal::test {
namespace {

std::size_t count(std::int64_t n) { return static_cast<std::size_t>(n); }

// A panel of transposed weights of the widest slab, or a gated panel of the deepest.
std::size_t scratch_floats(const Population& p) {
  int widest = 0;
  for (const Slab& s : p.slabs) widest = std::max({widest, s.columns, s.fan_in});
  return count(std::int64_t{widest} * 64);
}

}  // namespace

Rig::Rig(const TestMachine& m, const Population& p, RigSpec spec) : machine(m), population(p), arena(m) {
  const std::size_t models = p.places.size();
  samples = std::max<std::int64_t>(spec.samples, *std::max_element(p.spec.rows.begin(), p.spec.rows.end()));
  parameters = arena.put(std::vector<float>(count(p.parameters), 0.0f), "parameters");
  slot_a = arena.put(std::vector<float>(count(p.parameters), 0.0f), "slot_a");
  slot_b = arena.put(std::vector<float>(count(p.parameters), 0.0f), "slot_b");
  slot_c = arena.put(std::vector<float>(count(p.parameters), 0.0f), "slot_c");
  gradients = arena.room<float>(count(p.parameters), "gradients");
  gates = spec.gates ? arena.put(std::vector<float>(count(p.neurons), 1.0f), "gates") : nullptr;
  values = arena.put(std::vector<float>(count(samples * p.spec.features), 0.0f), "values");
  batches = arena.put(p.batches, "batches");
  workspace = {};
  workspace.inputs = arena.room<float>(count(p.inputs), "inputs");
  workspace.outputs = arena.room<float>(count(p.outputs), "outputs");
  workspace.deltas = arena.room<float>(count(p.outputs), "deltas");
  if (spec.preactivations) workspace.preactivations = arena.room<float>(count(p.outputs), "preactivations");
  if (!m.is_device) workspace.scratch = arena.room<float>(scratch_floats(p), "scratch");
  workspace.batches = batches;
  workspace.input_stride = p.input_stride;
  coefficients = arena.put(std::vector<StepCoefficients>(models, StepCoefficients{}), "coefficients");
  labels = arena.put(std::vector<std::int32_t>(count(samples), 0), "labels");
  order = nullptr;
  loss_sums = arena.put(std::vector<double>(models, 0.0), "loss");
  correct = arena.put(std::vector<std::int64_t>(models, 0), "correct");
  frozen = arena.put(std::vector<int>(models, 0), "frozen");
  moments = arena.put(std::vector<Moments>(count(p.neurons), empty_moments()), "moments");
  removals = arena.put(std::vector<RemovalSums>(count(p.neurons), no_removal()), "removals");
  whole = arena.put(std::vector<RemovalSums>(models, no_removal()), "whole");
  slabs_ = arena.put(p.slabs, "slabs");
  heads_ = arena.put(p.heads, "heads");
  block_model_ = arena.put(p.block_model, "block_model");
  if (!m.is_device) return;
  forward_tiles_ = make_tiles(Rows::samples, m.tiles.forward_rows, false);
  backward_tiles_ = make_tiles(Rows::samples, m.tiles.backward_rows, true);
  update_tiles_ = make_tiles(Rows::inputs, m.tiles.update_rows, false);
  fold_tiles_ = make_tiles(Rows::none, 1, false);
  const std::vector<RemovalTile> tiles = removal_tiles(p.slabs, p.heads);
  removal_tiles_ = arena.put(tiles, "removal tiles");
  removal_tile_count_ = static_cast<int>(tiles.size());
}

Rig::Tiles Rig::make_tiles(Rows rows, int tile_rows, bool of_inputs) {
  Tiles tiles;
  for (std::size_t level = 0; level + 1 < population.level_begin.size(); ++level) {
    std::vector<Tile> list;
    for (int i = population.level_begin[level]; i < population.level_begin[level + 1]; ++i) {
      const Slab& s = population.slabs[static_cast<std::size_t>(i)];
      if (of_inputs && s.input < 0) continue;
      const int columns = of_inputs ? s.fan_in : s.columns;
      const int extent = rows == Rows::samples ? s.row_capacity : rows == Rows::inputs ? s.fan_in : 1;
      for (int panel = 0; panel * 64 < columns; ++panel)
        for (int row = 0; row < extent; row += tile_rows) list.push_back({i, panel, row});
    }
    tiles.tiles.push_back(list.empty() ? nullptr : arena.put(list, "tiles"));
    tiles.counts.push_back(static_cast<int>(list.size()));
  }
  return tiles;
}

// Devices get one call per level, because the tiles of a call run side by side; the CPU walks all slabs in
// one call.
void Rig::forward() {
  Forward op{slabs_, static_cast<int>(population.slabs.size()), nullptr, 0, parameters, gates, workspace};
  if (!machine.is_device) return machine.ops.forward(op, arena.stream());
  for (std::size_t level = 0; level < forward_tiles_.tiles.size(); ++level) {
    op.tiles = forward_tiles_.tiles[level], op.tile_count = forward_tiles_.counts[level];
    machine.ops.forward(op, arena.stream());
  }
}

void Rig::loss(LossKind kind, bool write_deltas) {
  Loss op{};
  op.slabs = slabs_;
  op.heads = heads_;
  op.head_count = static_cast<int>(population.heads.size());
  op.labels = labels;
  op.order = order;
  op.workspace = workspace;
  if (!write_deltas) op.workspace.deltas = nullptr;
  op.loss = loss_sums;
  op.correct = correct;
  op.frozen = frozen;
  op.kind = kind;
  op.write_deltas = write_deltas;
  op.coefficients = coefficients;
  machine.ops.loss(op, arena.stream());
}

void Rig::backward() {
  Backward op{slabs_, static_cast<int>(population.slabs.size()), nullptr, 0, parameters, gates, workspace};
  if (!machine.is_device) return machine.ops.backward(op, arena.stream());
  for (std::size_t level = backward_tiles_.tiles.size(); level-- > 0;) {
    op.tiles = backward_tiles_.tiles[level], op.tile_count = backward_tiles_.counts[level];
    machine.ops.backward(op, arena.stream());
  }
}

void Rig::update(bool only_gradients) {
  Update op{};
  op.slabs = slabs_;
  op.slab_count = static_cast<int>(population.slabs.size());
  op.workspace = workspace;
  op.gates = gates;
  op.block_model = block_model_;
  op.coefficients = coefficients;
  op.parameters = parameters;
  op.slot_a = slot_a;
  op.slot_b = slot_b;
  op.slot_c = slot_c;
  op.gradients = only_gradients ? gradients : nullptr;
  op.partials = partials;
  if (!machine.is_device) return machine.ops.update(op, arena.stream());
  for (std::size_t level = 0; level < update_tiles_.tiles.size(); ++level) {
    op.tiles = update_tiles_.tiles[level], op.tile_count = update_tiles_.counts[level];
    machine.ops.update(op, arena.stream());
  }
}

void Rig::shrink_groups() {
  ShrinkGroups op{
      slabs_,    static_cast<int>(population.slabs.size()), nullptr, 0, workspace, block_model_, coefficients,
      parameters};
  if (!machine.is_device) return machine.ops.shrink_groups(op, arena.stream());
  for (std::size_t level = 0; level < fold_tiles_.tiles.size(); ++level) {
    op.tiles = fold_tiles_.tiles[level], op.tile_count = fold_tiles_.counts[level];
    machine.ops.shrink_groups(op, arena.stream());
  }
}

void Rig::fold_moments(bool before_relu) {
  FoldMoments op{slabs_, static_cast<int>(population.slabs.size()), nullptr, 0, workspace, before_relu,
                 moments};
  if (!machine.is_device) return machine.ops.fold_moments(op, arena.stream());
  for (std::size_t level = 0; level < fold_tiles_.tiles.size(); ++level) {
    op.tiles = fold_tiles_.tiles[level], op.tile_count = fold_tiles_.counts[level];
    machine.ops.fold_moments(op, arena.stream());
  }
}

void Rig::removal() {
  machine.ops.removal({slabs_, heads_, static_cast<int>(population.heads.size()), removal_tiles_,
                       removal_tile_count_, parameters, gates, labels, workspace, removals, whole},
                      arena.stream());
}

void Rig::gather(float scale, float shift) {
  Gather op{};
  op.workspace = workspace;
  op.batch_count = static_cast<int>(population.batches.size());
  op.max_rows = *std::max_element(population.spec.rows.begin(), population.spec.rows.end());
  op.order = order;
  op.values = values;
  op.features = population.spec.features;
  op.scale = scale;
  op.shift = shift;
  machine.ops.gather(op, arena.stream());
}

}  // namespace shoal::test
