// The study of the gate's slope, in numbers: layers whose gate sigma(k (x0 - i)) has a slope that is drawn
// anew in every step, beside layers whose slope is fixed.
//
// The grey zone of a slope is the width from a gate of 99 % to one of 1 %: 2 ln 99 / k neurons.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/given_models.h"
#include "engine/run.h"
#include "tools/studies/gate_curves.h"

namespace shoal {

/// What is varied. x0 starts at 0 with a learning rate of 1, without penalties.
struct SlopeSpec {
  int neurons = 500;
  int epochs = 60;
  double zone_low = 1, zone_high = 20;  // of the random slope: the zone is uniform between these
  std::vector<double> zones;            // more fixed slopes, by their zones
  double journal_slope = 0.4;           // of the networks that the journal compared with the random slope
};

enum class SlopeKind { random, mean_zone, mean_slope, journal, zone };
struct SlopeArm {
  SlopeKind kind = SlopeKind::random;
  double zone = 0;   // mean width of the grey zone
  double slope = 0;  // k; of the random slope: its mean
};
double slope_of_zone(double zone);
double zone_of_slope(double slope);
/// Random, of the random slope's mean zone, of its mean k, the journal's, and the zones; none twice.
std::vector<SlopeArm> slope_arms(const SlopeSpec&);
std::string name_of(SlopeKind);         // in files
std::string words_of(const SlopeArm&);  // "fixed, zone 10.5 (mean zone)"

/// Models of a template for these seeds: every arm with every seed, seeds fastest.
std::vector<ModelSpec> slope_models(const SlopeSpec&, const ModelSpec& pattern,
                                    const std::vector<std::uint64_t>& seeds);

/// A layer whose x0 ends below it is closed: not even its first neuron is half open. Nothing but noise brings
/// x0 back, and its network guesses, so such models are counted and left out of everything else.
inline constexpr double kClosed = 0.0;

/// One arm over its seeds; models that diverged left out.
struct SlopeRow {
  SlopeArm arm;
  std::int64_t diverged = 0, closed = 0;
  std::vector<GateCurve> models;
};
/// In the order of slope_arms.
std::vector<SlopeRow> slope_rows(const SlopeSpec&, const RunSpec&, const RunResult&);
/// nullptr where the arm is not there or has lost all its models.
const SlopeRow* find_arm(const std::vector<SlopeRow>&, SlopeKind);

/// Forecasts of x0 at the last epoch by fits to the first half of the epochs; of the means.
struct Forecast {
  double measured = 0, log = 0, power = 0, saturating = 0;
};
Forecast forecast_of(const SlopeRow&, int epochs);

/// The mean over the models of x0's change in an epoch, and in how many of them it fell; [epochs], the first
/// from 0.
struct Changes {
  std::vector<double> mean;
  std::vector<std::int64_t> falls;
  int first_fall = 0;  // the first epoch whose mean change is negative; 0: none
};
Changes changes_of(const SlopeRow&);

/// The fixed arms' mean sizes after so many epochs, averaged over zones uniform on zone_low .. zone_high:
/// what the random slope would give if its steps did not interact. Linear between the zones there are; NaN
/// when they do not reach from end to end.
double mixed_size(const SlopeSpec&, const std::vector<SlopeRow>&, int epoch);

/// dL/dx0 over the training data of networks after some epochs: L the mean loss with the gate as in an
/// evaluation.
struct SizeGradient {
  SlopeKind kind = SlopeKind::random;
  int epoch = 0;
  std::vector<double> by_model;
};
struct GradientTask {
  const RunSpec& spec;
  const Task& task;
  std::int64_t samples = 0;  // of the training data, from the first on
  std::size_t seeds = 0;     // of an arm, at most
  std::vector<int> epochs;   // networks are trained again up to these
  const std::atomic<bool>* stop = nullptr;
};
/// Of the random slope and the fixed one of its mean zone. Empty when stopped.
std::vector<SizeGradient> size_gradients(const SlopeSpec&, const GradientTask&);
/// Of networks whose weights have not been folded, with gates sigma(k (x0 - i)).
std::vector<double> gradients_by_x0(const std::vector<Layers>&, const std::vector<double>& x0, double k,
                                    const DataView&, float scale, float shift, const MachineSpec&,
                                    const std::atomic<bool>* stop = nullptr);

/// Columns of slope.csv; a number that is not there is NaN.
std::vector<std::pair<std::string, double>> slope_columns(const SlopeSpec&, const SlopeRow&);

}  // namespace shoal
