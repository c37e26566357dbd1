// Gates that are on or off by chance: m_i = 1 where u_i < sigma(k (x0 - i)), u_i uniform. What a gradient by
// x0 is there, on trained networks: for given u, by differences; of the expected loss, by differences of
// means with common random numbers, and by the score function (Williams 1992, "Simple statistical
// gradient-following algorithms"):
//
//   d/dx0 E L = E [ (L - b) sum_i d ln P(m_i) / dx0 ],   d ln P(m_i) / dx0 = k (m_i - sigma(k (x0 - i)))
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/given_models.h"
#include "tools/studies/slope_rows.h"

namespace shoal {

/// Difference quotients (L(x0 + h) - L(x0 - h)) / 2h over the draws of u.
struct Quotient {
  double h = 0;
  double zeros = 0;  // share of the draws in which it is exactly 0
  double mean = 0, standard_error = 0;
};

/// One network at one x0.
struct OnOffRow {
  std::uint64_t seed = 0;
  double trained = 0;  // x0 of the network
  double x0 = 0;       // where the loss is looked at
  double k = 0;
  std::int64_t draws = 0, samples = 0;
  double loss = 0, loss_sd = 0;  // over the draws
  double gate_loss = 0;          // with the gates themselves in place of on and off
  std::vector<Quotient> quotients;
  double score = 0, score_error = 0, score_sd = 0;  // mean over the draws, its standard error, sd of one
  double plain_sd = 0;                              // of one without a baseline
  double gate_gradient = 0;                         // of gate_loss
  double batch_sd = 0;  // of gate_gradient over batches of 128; NaN: too few samples
};

struct OnOffNetwork {
  std::uint64_t seed = 0;
  double x0 = 0;
  Layers layers;  // not folded
};

struct OnOffTask {
  const Task& task;
  MachineSpec machine;
  double k = 1;
  std::int64_t draws = 512, samples = 500;
  const std::atomic<bool>* stop = nullptr;
};

/// Every network at the x0 where it has ended and at half of it. Empty when stopped.
std::vector<OnOffRow> on_off_rows(const std::vector<OnOffNetwork>&, const OnOffTask&);

/// Neurons that are on in draw `draw`, ascending.
std::vector<int> on_neurons(double x0, double k, int neurons, std::uint64_t seed, std::int64_t draw);

/// What the numbers say; slope_verdict.cpp.
std::vector<std::string> slope_verdict(const SlopeSpec&, const std::vector<SlopeRow>&,
                                       const std::vector<SizeGradient>&, const std::vector<OnOffRow>&);

}  // namespace shoal
