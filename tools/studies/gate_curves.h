// Models with a size gate by epoch, over seeds, and how x0 grows: what the studies of gates share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/interval.h"
#include "analysis/line.h"
#include "analysis/summary.h"
#include "engine/given_models.h"
#include "engine/run.h"

namespace shoal {

/// One model by epoch, [epochs]; size: empty without gates.
struct GateCurve {
  std::uint64_t seed = 0;
  std::vector<double> size, train_loss, test_loss, test_accuracy;
};
using GateValue = std::vector<double> GateCurve::*;
GateCurve curve_of(const ModelSpec&, const ModelResult&);

/// Of every model after so many epochs (counted from 1).
std::vector<double> values_at(std::span<const GateCurve>, GateValue, int epoch);
Summary summary_at(std::span<const GateCurve>, GateValue, int epoch);
/// Of a's models less b's, times `scale`, by Welch.
MeanInterval gap_at(std::span<const GateCurve> a, int epoch_a, std::span<const GateCurve> b, int epoch_b,
                    GateValue, double scale = 1);

/// How x0 grows over epochs `before` + t, t = 1 .. epochs; t counts the epochs with the gate.
struct Growth {
  Line log, line;           // of the mean over the models: a + b ln t, a + b t
  Line power;               // a + b t^exponent, the exponent that fits best; below 0 it ends at a
  double exponent = 0;      // from -3 to 3
  Line saturating;          // a + b (1 - e^(-t/tau)), tau that fits best; ends at a + b
  double tau = 0;           // epochs
  MeanInterval last;        // neurons an epoch over the last quarter (at least three): slopes of the models
  double falls = 0;         // share of the models' epochs of that quarter in which x0 fell
  double largest_move = 0;  // of x0, in one of these epochs of a model
};
/// NaN where there are fewer than 4 epochs or no models.
Growth growth_of(std::span<const GateCurve>, int before, int epochs);
/// What such a fit says of epoch t.
double at_log(const Growth&, double t);
double at_power(const Growth&, double t);
double at_saturating(const Growth&, double t);

/// A network with the gate sigma(k (x0 - i)) folded into the weights that read neuron i of its last hidden
/// layer.
Layers fold_size_gate(const Layers&, double x0, double k);

/// "2.1 (0.3 to 3.9)"; without an interval "2.1".
std::string with_interval(const MeanInterval&, int decimals);
bool excludes_zero(const MeanInterval&);

}  // namespace shoal
