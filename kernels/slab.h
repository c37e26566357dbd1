// How the neurons of a population stand in memory, as the kernels see it. Plain data: offsets and extents, no
// behaviour beyond arithmetic on them. engine/layout.h decides all of it once; the kernels believe it.
#pragma once

#include <cstdint>

#include "kernels/portable.h"

namespace shoal {

/// A panel is up to 64 neurons whose weights stand together as one block [fan_in][width].
constexpr int kPanelWidth = 64;
/// Widths are rounded up to 16: a block of 16 columns belongs to exactly one model. Padding weights are 0 and
/// stay 0.
constexpr int kBlockWidth = 16;

/// Neurons that stand side by side in one layer and read the same inputs: layer 0 of a pack (one wide model
/// or several narrow ones), or a deeper layer, or the output layer, of one model. Offsets count floats.
///
///   parameters   weights: [panel][fan_in][panel width], panels of 64 and a last one of `columns - 64 * p`;
///   bias: [columns] outputs      r = relu(z), or the logits of an output slab:
///   [panel][row_capacity][row_stride] deltas       dL/dz, same place and shape as the outputs
struct Slab {
  std::int64_t weights;  // in the parameter arrays
  std::int64_t bias;     // in the parameter arrays
  std::int64_t outputs;  // in Workspace::outputs and Workspace::deltas
  std::int64_t neuron;   // first neuron in the per-neuron arrays (gates, moments); neurons are counted with
                         // their padding
  int fan_in;
  int columns;            // padded width: a multiple of 16
  int width;              // neurons without padding, where the slab belongs to one model; else `columns`
  int row_capacity;       // rows that outputs and deltas have room for
  int input;              // slab whose outputs are the inputs; -1: the data
  int input_column;       // where this model's neurons begin in that slab
  int group;              // order group: whose batch it reads
  int block;              // first entry in the table that maps blocks of 16 columns to models
  int pack;               // smallest unit of parallel work
  int is_output;          // 1: identity and a loss on top; 0: ReLU
  int rule;               // UpdateRule of all its models
  std::int64_t partials;  // first of its [panel][round_up(fan_in, 16)] sums in Update::partials; -1: the
                          // layer below has no gates
};

SHOAL_INLINE int panel_count(const Slab& s) { return (s.columns + kPanelWidth - 1) / kPanelWidth; }
SHOAL_INLINE int panel_width(const Slab& s, int panel) {
  const int left = s.columns - panel * kPanelWidth;
  return left < kPanelWidth ? left : kPanelWidth;
}
/// Distance between rows of the outputs, and between the 64-column panels of one row set.
SHOAL_INLINE int row_stride(const Slab& s) { return s.columns < kPanelWidth ? s.columns : kPanelWidth; }
SHOAL_INLINE std::int64_t panel_stride(const Slab& s) {
  return static_cast<std::int64_t>(s.row_capacity) * row_stride(s);
}
SHOAL_INLINE std::int64_t panel_weights(const Slab& s, int panel) {
  return s.weights + static_cast<std::int64_t>(panel) * kPanelWidth * s.fan_in;
}
SHOAL_INLINE std::int64_t output_floats(const Slab& s) { return panel_count(s) * panel_stride(s); }
SHOAL_INLINE int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

/// What an order group reads in this step. rows = 0: its epoch is over, everything that belongs to it rests.
struct Batch {
  std::int64_t inputs;  // offset of its rows in Workspace::inputs: [rows][input_stride]
  std::int64_t
      first;  // place in the order array of its first sample (without an order: the first sample itself)
  int rows;
};

/// The arrays of one step.
struct Workspace {
  float* inputs;          // [groups][rows][input_stride], scaled
  float* outputs;         // see Slab
  float* deltas;          // see Slab; may be null when only evaluating
  float* preactivations;  // z = xW + b beside the outputs, same shape; null: not wanted
  float* scratch;         // CPU only: room for a transposed panel, [max columns][64]
  const Batch* batches;   // [groups]
  int input_stride;       // floats between input rows, a multiple of 16; the columns beyond `features` are 0
};

SHOAL_INLINE const Batch& batch_of(const Workspace& w, const Slab& s) { return w.batches[s.group]; }

/// A device's share of a slab for one thread block: `panel` counts 64-wide column panels, `row` is the first
/// row of the tile. Which rows are meant (samples or inputs) depends on the op. The CPU walks slabs and has
/// no tiles.
struct Tile {
  int slab;
  int panel;
  int row;
};

}  // namespace shoal
