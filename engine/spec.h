// What a person sets about models and runs. Everything here is plain values with the defaults that the
// command line shows.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/gates.h"
#include "kernels/ops.h"
#include "kernels/update_rule.h"

namespace shoal {

/// A specification that cannot be run, in one sentence. The program's exit code 2.
struct SpecError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Init {
  torch,  // PyTorch's Linear: weights and biases uniform in +-1/sqrt(fan_in)
  kaiming_normal,
  kaiming_uniform,
  xavier_normal,
  xavier_uniform,
  orthogonal,
  ones,
  zeros,  // these seven: biases 0; gain sqrt(2) in front of a ReLU, 1 in the output layer
};

/// Who sees the same batches in the same order.
enum class OrderKind {
  seed,    // models of one seed and batch size (the default)
  model,   // every model has its own order
  shared,  // everybody of one batch size
};

struct OptimizerSpec {
  UpdateRule rule = UpdateRule::adam;
  double lr = 1e-3;
  double momentum = 0.9;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double l1 = 0.0;            // penalty l1 * sum |w|
  double l2 = 0.0;            // penalty l2/2 * sum w^2: coupled, PyTorch's weight_decay of SGD and Adam
  double weight_decay = 0.0;  // decoupled, as in AdamW; with any rule
  double group_lasso = 0.0;   // penalty group_lasso * sum over hidden neurons |incoming weights and bias|
  LrDecay lr_decay = LrDecay::none;
  int decay_epochs = 0;  // in which lr goes down to 0
};

/// Gates on one hidden layer (kernels/gates.h has the formulas). What a kind does not read is ignored.
struct GateSpec {
  GateKind kind = GateKind::none;
  double penalty = 0.0;                              // lambda
  SizePenalty size_penalty = SizePenalty::integral;  // size, random_size
  double start = 1.0;                                // x0; every beta or log_alpha
  double spread = 0.0;                               // of beta or log_alpha: uniform in start +- spread
  double slope = 1.0;                                // size: k
  double zone_low = 1.0, zone_high = 20.0;           // random_size: the grey zone's width
  double lr = 1e-3;                                  // of x0, beta, log_alpha
  double slope_lr = 0.0;                             // size: of k; 0: fixed
  double inertia = -1.0;                             // liveness_switch: of the sign's statistics; < 0: off
  double threshold = 0.5;                            // variance of the sign that switches a neuron off
  int begin = 0;                                     // epoch: until then all gates are open
  std::vector<float> mask;                           // mask: a factor per neuron

  bool operator==(const GateSpec&) const = default;
};

/// Stable identity of a model: a hash of its resolved spec (epochs not included). Its random streams derive
/// from it, so a model is the same alone and in a crowd.
using ModelId = std::uint64_t;

struct ModelSpec {
  std::vector<int> hidden{64};  // 1 to 4 hidden layers
  std::uint64_t seed = 1;
  Init init = Init::torch;
  OptimizerSpec optimizer;
  int batch = 128;
  std::vector<GateSpec> gates = {};  // one per hidden layer, or none
  int weights_rest = -1;             // weights and biases rest from this epoch on; -1: never
  bool remove_dead = false;  // neurons whose gates closed for good leave at the end of each epoch (shrink.h)
  ModelId id = 0;            // 0: of this specification; else of the one that neurons have left
};

/// Extents that the data give to every model.
struct TaskShape {
  int features = 0;
  int classes = 0;
};

ModelId model_id(const ModelSpec&, TaskShape);
/// 16 hexadecimal digits.
std::string to_string(ModelId);

/// Throws SpecError with the first thing that cannot be: widths outside 1 .. 2^20, layers outside 1 .. 4,
/// batch < 1, lr negative or not finite, ...
void validate(const ModelSpec&, TaskShape);

/// Parameters of the model itself, without padding.
std::int64_t parameter_count(const ModelSpec&, TaskShape);

/// Names as the command line spells them ("kaiming-normal"); parse functions throw SpecError naming the
/// nearest.
std::string_view name_of(Init);
std::string_view name_of(OrderKind);
std::string_view name_of(UpdateRule);
std::string_view name_of(LossKind);
std::string_view name_of(LrDecay);
std::string_view name_of(GateKind);
std::string_view name_of(SizePenalty);
LrDecay parse_lr_decay(std::string_view);
GateKind parse_gate(std::string_view);
SizePenalty parse_size_penalty(std::string_view);
std::span<const std::string_view> lr_decay_names();
std::span<const std::string_view> gate_names();
std::span<const std::string_view> size_penalty_names();
Init parse_init(std::string_view);
OrderKind parse_order(std::string_view);
LossKind parse_loss(std::string_view);
std::span<const std::string_view> init_names();
std::span<const std::string_view> order_names();

}  // namespace shoal
