// The ops: everything a machine has to be able to do to train and to measure a population (the ops
// of statistics on plain arrays: kernels/statistics.h). An op is a struct
// of named fields; what it computes is said here, and each machine runs it (kernels/cpu/<op>.cpp,
// kernels/cuda/<op>.cu).
//
// Letters: B rows of a batch, K fan_in, N columns of a slab, x inputs [B][K], W weights [K][N], z = xW +
// bias, r = relu(z), g gates [K] on the inputs of a layer (y = g * x is what the layer reads). A gradient is
// `d` + name.
//
// Every sum has a fixed order that does not depend on where a neuron stands in its panel, on what else is in
// the population, or on the number of threads. In particular forward and backward add their products one by
// one in the order of k.
//
// `slabs`: the CPU works on slabs[0 .. slab_count), a slab's input before the slab: forward walks up,
// backward down. Devices work on the tiles, whose slab index counts from `slabs` too; their caller launches
// level by level.
#pragma once

#include <cstdint>

#include "kernels/gates.h"
#include "kernels/moments.h"
#include "kernels/op_list.h"
#include "kernels/removal.h"
#include "kernels/slab.h"
#include "kernels/toys.h"
#include "kernels/update_rule.h"

namespace shoal {

/// Start of a step: batches and coefficients from the counter, which is then advanced. The order of group G
/// begins at G * samples.
///   step s of epoch e of group G: first = G * samples + s * batch, rows = min(batch, samples - s * batch) or
///   0; t = e * steps_per_epoch + s + 1
struct BeginStep {
  std::int64_t* position;  // [2] epoch, step; step is advanced by one
  Batch* batches;          // [group_count] rows and first are written; inputs stays
  const int* batch_sizes;  // [group_count]
  int group_count;
  std::int64_t samples;
  const UpdateSettings* settings;  // [model_count]
  const int* model_group;          // [model_count]
  const int* frozen;               // [model_count] not 0: diverged
  StepCoefficients* coefficients;  // [model_count] written
  int model_count;
};

/// The random order of an epoch: order[g][i] = the sample that group g sees at place i: samples sorted by
/// (key, sample), where key i is word i of the Philox stream (seeds[g], streams[g]).
struct Shuffle {
  std::int32_t* order;           // [group_count][samples]
  const std::uint64_t* seeds;    // [group_count]
  const std::uint64_t* streams;  // [group_count]
  int group_count;
  std::int64_t samples;
  std::uint32_t* keys;  // devices only: room for [group_count][samples] keys; null on the CPU
  void* scratch;        // devices only: see Machine::shuffle_scratch
  std::int64_t scratch_bytes;
};

/// inputs[b][f] = data[sample of row b][f] * scale + shift (one fused multiply-add where the machine has
/// one); columns features .. input_stride are set to 0.
struct Gather {
  Workspace workspace;        // inputs are written
  int batch_count;            // batches of the workspace
  int max_rows;               // no batch has more rows
  const std::int32_t* order;  // null: samples first, first + 1, ...
  const std::uint8_t* bytes;  // [samples][features], or null
  const float* values;        // [samples][features], or null
  int features;
  float scale, shift;
};

/// outputs = relu(xW + bias), or without relu for output slabs; z itself into preactivations where wanted.
struct Forward {
  const Slab* slabs;
  int slab_count;
  const Tile* tiles;  // row: first of kForwardRows samples
  int tile_count;
  const float* parameters;
  const float* gates;  // [neurons] factor on each neuron's output; null: all 1
  Workspace workspace;
};

enum class LossKind : int { cross_entropy, squared_error };

/// A model's output slab and what is asked of it.
struct Head {
  int slab;  // counted from Loss::slabs
  int model;
  int classes;
};

/// Per model, over the rows b of its batch, with p = softmax(logits), t one-hot:
///   cross_entropy  loss_b = log(sum_c exp(logit_c - max)) + max - logit_label,  dlogit = (p - t) / rows
///   squared_error  loss_b = 1/2 sum_c (logit_c - t_c)^2,                         dlogit = (logit - t) / rows
/// loss[model] += sum_b loss_b, correct[model] += number of rows whose first largest logit is the label's. A
/// training loss that is not finite freezes the model: frozen[model] = 1, and this batch adds nothing to its
/// sums; in an evaluation it is added as it is. Models frozen before are left alone. Padding dlogits are 0.
struct Loss {
  const Slab* slabs;
  const Head* heads;
  int head_count;
  const std::int32_t* labels;  // [samples]
  const std::int32_t* order;   // as in Gather
  Workspace workspace;
  double* loss;           // [models]
  std::int64_t* correct;  // [models]
  int* frozen;            // [models]
  LossKind kind;
  int write_deltas;                // 0: evaluation only, and no model is frozen by it
  StepCoefficients* coefficients;  // [models] active is set to 0 where a model freezes, so that this step
                                   // does not touch it; may be null
};

/// Deltas of the slab below: dz_in[b][k] = (r_in[b][k] > 0) * g_k * sum_n dz[b][n] W[k][n], for every slab
/// whose input is a slab. Slabs that read the data are skipped.
struct Backward {
  const Slab* slabs;
  int slab_count;
  const Tile* tiles;  // panel: 64 input columns of this slab's model, counted from input_column; row: first
                      // of kBackwardRows samples
  int tile_count;
  const float* parameters;
  const float* gates;
  Workspace workspace;
};

/// dW[k][n] = g_k sum_b x[b][k] dz[b][n], dbias[n] = sum_b dz[b][n]; then the update rule on weights and
/// bias, in place. dW is not stored, unless `gradients` is given: then it receives dW and dbias (without
/// penalties) in the parameters' layout, and nothing is updated. Where the layer below has gates, each
/// panel's share of dg_k = sum_n W[k][n] P[k][n], P = dW before the factor g_k and W from before the step,
/// goes to partials[slab's partials + panel * round_up(fan_in, 16) + k]; of models whose weights rest, too.
struct Update {
  const Slab* slabs;
  int slab_count;
  const Tile* tiles;  // row: first of kUpdateRows inputs
  int tile_count;
  Workspace workspace;
  const float* gates;
  const int* block_model;                // model of each block of 16 columns
  const StepCoefficients* coefficients;  // [models]
  float* parameters;
  float* slot_a;  // momentum or first moment; null where no model needs it
  float* slot_b;  // second moment or infinity norm
  float* slot_c;  // the largest second moment so far (amsgrad)
  float* gradients;
  float* partials;  // null: not wanted
};

/// Group lasso on neurons, behind Update: the proximal step of lambda |w_n| for every neuron n of the hidden
/// slabs, w_n its incoming weights and its bias: w_n *= max(0, 1 - lr lambda / |w_n|) (Yuan & Lin 2006; as a
/// proximal step: Parikh & Boyd 2014, section 6.5.1). Groups reach exactly 0. Models whose
/// StepCoefficients::group is 0 are left alone.
struct ShrinkGroups {
  const Slab* slabs;
  int slab_count;
  const Tile* tiles;  // row: always 0
  int tile_count;
  Workspace workspace;                   // whose batches have rows
  const int* block_model;                // of each block of 16 columns
  const StepCoefficients* coefficients;  // [models]
  float* parameters;
};

/// Gates of the layers, from what is learned: for a step (their models' coefficients), or for an evaluation.
/// Before its gates begin all of a layer's are 1. Neurons without gates are left alone.
struct SetGates {
  const GateLayer* layers;
  int layer_count;
  const float* parameters;               // GateState::parameters
  const StepCoefficients* coefficients;  // [models]; null: an evaluation
  int epochs;                            // evaluation: trained so far
  float* gates;                          // [neurons]
};

/// A step of what the gates learn, behind Update: dg_i = sum over the panels of the reading slab, in order,
/// of its partials; then the formulas of kernels/gates.h. Layers whose model has diverged or rests (a batch
/// of 0 rows), or whose gates do not work yet, are left alone. With `gradients` [neurons] nothing changes,
/// and dL/dparameter with the penalty is written there (of layers with working gates).
struct UpdateGates {
  const GateLayer* layers;
  int layer_count;
  const Slab* slabs;
  const Batch* batches;                  // [groups]
  const float* partials;                 // of Update
  const StepCoefficients* coefficients;  // [models]
  GateState state;
  float* gradients;
};

/// moments[neuron] = merge(moments[neuron], moments of the batch's values of that neuron), from the outputs
/// or the preactivations.
struct FoldMoments {
  const Slab* slabs;
  int slab_count;
  const Tile* tiles;  // row: always 0
  int tile_count;
  Workspace workspace;
  int before_relu;   // 1: from workspace.preactivations
  Moments* moments;  // [neurons]
};

/// A device's share of Removal for one thread block: 64 neurons of a head, or the head as it is.
struct RemovalTile {
  int head;
  int panel;  // neurons 64 * panel .. of the model's last hidden layer; -1: none removed
};

/// What each neuron of the last hidden layer is worth, after Forward. Without neuron i the logits of row b
/// are l_bc - y_bi V_ic with y = g r: a rank-one change, so no forward pass per neuron is needed. Per neuron,
/// over the rows b, with p = softmax(l_b), t the label, w_c = V_ic - V_it, d = sum_c p_c w_c:
///   loss          += log(sum_c exp(l'_c - max)) + max - l'_t       with l'_c = l_bc - y V_ic
///   correct       += whether l'_t is the first largest
///   slope         += y d
///   curvature     += y^2 sum_c p_c (w_c - d)^2
///   squared_slope += (y d)^2
/// `whole` gets loss and correct with no neuron removed, by the same arithmetic: a neuron that is silent on
/// all rows leaves exactly the whole model's loss.
struct Removal {
  const Slab* slabs;
  const Head* heads;
  int head_count;
  const RemovalTile* tiles;  // devices
  int tile_count;
  const float* parameters;
  const float* gates;
  const std::int32_t* labels;  // [samples], in the order of the batch
  Workspace workspace;         // deltas of the output slabs are overwritten by p; scratch is used
  RemovalSums* neurons;        // [neurons]
  RemovalSums* whole;          // [models]
};

}  // namespace shoal

// One line per op, X(function, struct); every list of them in the program is made from these two. An op
// stands in one: VECTOR when its CPU body is compiled per instruction-set level (shoal::v3::<function> and so
// on, kernels/cpu/level.h), PLAIN when it is compiled once (shoal::cpu::<function>).
#define SHOAL_VECTOR_OPS(X)      \
  X(gather, Gather)              \
  X(forward, Forward)            \
  X(loss, Loss)                  \
  X(backward, Backward)          \
  X(update, Update)              \
  X(fold_moments, FoldMoments)   \
  X(shrink_groups, ShrinkGroups) \
  X(removal, Removal)            \
  X(train_toys, TrainToys)
#define SHOAL_PLAIN_OPS(X) \
  X(begin_step, BeginStep) \
  X(shuffle, Shuffle)      \
  X(set_gates, SetGates)   \
  X(update_gates, UpdateGates)
#define SHOAL_OPS(X)  \
  SHOAL_VECTOR_OPS(X) \
  SHOAL_PLAIN_OPS(X)

namespace shoal {

/// Everything a step is made of. Ops of a device are queued on its stream; the CPU's return when they are
/// done.
struct Ops {
  SHOAL_OPS(SHOAL_POINT_TO_OP)
};
struct CompleteOps {
  SHOAL_OPS(SHOAL_REFER_TO_OP)
};

consteval Ops check_complete(const CompleteOps& ops) { return {SHOAL_OPS(SHOAL_TAKE_OP)}; }

}  // namespace shoal
