// Where everything of a population stands: a pure function from model specs to slabs, packs and order groups
// (docs/design.md). All sizes are decided here, once; kernels believe them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/spec.h"
#include "kernels/ops.h"

namespace shoal {

/// Rows that every batch buffer has room for at least: evaluation reads so many samples at a time where a
/// model's batch is smaller.
inline constexpr int kEvaluationRows = 128;

/// Models that see the same batches in the same order.
struct OrderGroup {
  std::uint64_t seed = 0;    // Philox key of its shuffles
  std::uint64_t stream = 0;  // added to the epoch's stream
  int batch = 0;

  bool operator==(const OrderGroup&) const = default;
};

/// One layer of one model: columns column .. column + width of a slab.
struct ModelLayer {
  int slab;
  int column;
  int fan_in;
  int width;
};

/// A hidden layer with gates: layer `layer` of a model; its neurons' places in the per-neuron arrays, and the
/// slab that reads them.
struct GatePlace {
  int model, layer;
  std::int64_t neuron;
  int slab;
};

/// The smallest set of models that share no panel with any other: one wide model, or the narrow ones that
/// stand in one panel. Its slabs, heads and arrays are contiguous.
struct Pack {
  int group;
  int first_slab, slab_count;  // layer by layer: a slab's input comes before it
  int first_head, head_count;
  int first_gate, gate_count;                // range of Layout::gates
  std::int64_t parameters, parameter_count;  // range of the parameter arrays, padding included
  std::int64_t outputs, output_count;        // range of the outputs
  std::int64_t neurons, neuron_count;
  std::int64_t scratch;  // floats of Workspace::scratch that its ops need
  double flops;          // of one sample, forward and backward, without padding
};

struct Layout {
  TaskShape shape;
  int input_stride = 0;
  int slots = 0;  // arrays of optimizer state, the most that any model needs
  std::vector<Slab> slabs;
  std::vector<Pack> packs;  // most work first
  std::vector<OrderGroup> groups;
  std::vector<Head> heads;
  std::vector<GatePlace> gates;
  std::vector<int> block_model;
  std::vector<int> model_group, model_pack;
  std::vector<std::vector<ModelLayer>> layers;            // [model][layer], the output layer last
  std::int64_t parameters = 0, outputs = 0, neurons = 0;  // extents of the arrays, padding included
  std::int64_t partials = 0;                              // of Update::partials; 0: nobody has gates
};

/// The models must be valid (validate). Models share a panel when they are narrower than 64, belong to one
/// order group and have one update rule.
Layout make_layout(std::span<const ModelSpec>, TaskShape, OrderKind);

/// A pack's slabs and heads counted from itself: slab inputs, outputs and groups begin at 0. What a CPU
/// thread works on. Parameters, neurons and partial sums keep their places.
struct PackView {
  std::vector<Slab> slabs;
  std::vector<Head> heads;
  std::vector<GateLayer> gates;
};
/// `gates`: beside Layout::gates.
PackView view_of(const Layout&, const Pack&, std::span<const GateLayer> gates = {});

/// Floating-point operations of one training sample, forward and backward, without padding.
double flops_per_sample(const ModelSpec&, TaskShape);

/// Order group of a model under an order kind.
OrderGroup order_group(const ModelSpec&, TaskShape, OrderKind);

}  // namespace shoal
