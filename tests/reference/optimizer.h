// Update rules for one parameter, from the papers and in PyTorch's semantics, and training by them.
//
//   sgd, momentum, nesterov  torch.optim.SGD (dampening 0): v <- mu v + g;  w <- w - lr v;  Nesterov: w <- w
//   - lr (g + mu v) adam                     Kingma & Ba 2015, algorithm 1; torch.optim.Adam: eps is added to
//   the corrected root adamax                   Kingma & Ba 2015, algorithm 2; torch.optim.Adamax: u <-
//   max(beta2 u, |g| + eps) decay                    Loshchilov & Hutter 2019: w shrinks by 1 - lr * decay
//   before the step
//   amsgrad                  Reddi, Kale & Kumar 2018, algorithm 2, as torch.optim.Adam(amsgrad=True): the
//   largest second moment so far takes the second moment's place, corrected for the beginning like it
// l1 and l2 enter the gradient, with the weight as it was before the decay.
#pragma once

#include "tests/reference/model.h"

namespace reference {

enum class Rule { sgd, momentum, nesterov, adam, adamax, amsgrad };
inline constexpr Rule kRules[] = {Rule::sgd,  Rule::momentum, Rule::nesterov,
                                  Rule::adam, Rule::adamax,   Rule::amsgrad};

struct Optimizer {
  Rule rule = Rule::sgd;
  double lr = 0.1, momentum = 0.9, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  Penalty penalty = {};
  double decay = 0.0;
};

/// What a rule remembers of one parameter: momentum or first moment, second moment or infinity norm, and
/// the largest second moment so far.
struct Slots {
  double a = 0.0, b = 0.0, c = 0.0;
};

/// The weight after step t = 1, 2, ...; `gradient` is without penalties.
double updated(const Optimizer&, double w, double gradient, Slots&, int t);

/// A model in training. Gates stay as they are.
struct Trainer {
  Model model;
  Optimizer optimizer;
  Loss loss = Loss::cross_entropy;
  std::vector<Slots> slots = {};  // [parameters], in the order of parameters_of
  int steps = 0;
  /// Disturbs every gradient by up to this share of the model's largest one, to learn what such errors grow
  /// to.
  double noise = 0.0;
  std::uint64_t noise_seed = 0;
  double smallest_clearance = 1e300;  // over all steps, see clearance()

  LossValue step(const Samples&);
};

}  // namespace reference
