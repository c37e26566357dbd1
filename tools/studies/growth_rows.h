// The growth study in numbers: every arm over its seeds and against the final width trained from the
// beginning, and how well the signals at the edge tell what adding neurons is worth.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/bootstrap.h"
#include "analysis/interval.h"
#include "analysis/summary.h"
#include "tools/studies/growth_run.h"

namespace shoal {

/// What arms are compared in.
enum class Score { test_accuracy, test_loss, train_loss };
constexpr Score kScores[] = {Score::test_accuracy, Score::test_loss, Score::train_loss};
std::string_view name_of(Score);
double value_of(const Outcome&, Score);

/// An arm over the seeds that did not diverge.
struct GrowthRow {
  Arm arm;
  int models = 0, diverged = 0;
  Summary cost, epochs, size;
  Summary scores[3];             // [Score]
  MeanInterval against[3] = {};  // the arm minus the final width from the beginning, seed by seed: 95 %
};
std::vector<GrowthRow> growth_rows(std::span<const ArmOutcomes>);

/// Of a - b, seed by seed, over the seeds that both have: 95 % by Student's t.
MeanInterval paired(const ArmOutcomes& a, const ArmOutcomes& b, Score);

/// Is a difference one for the better, for the worse, or not told from 0 by its interval?
enum class Sign { better, worse, none };
Sign sign_of(const MeanInterval& difference, Score);

const ArmOutcomes* find_arm(std::span<const ArmOutcomes>, std::string_view name);

/// A point of the curves: the mean over seeds after an epoch of an arm that all of them have.
struct CurveRow {
  double cost = 0;
  Summary test_loss, test_accuracy;
};
std::vector<CurveRow> curve_of(const ArmOutcomes&);

/// What a moment is known by.
enum class Signal { silent, gate, gate_size, loss, epoch };
constexpr Signal kSignals[] = {Signal::silent, Signal::gate, Signal::gate_size, Signal::loss, Signal::epoch};
std::string_view name_of(Signal);
/// "gradient of silent candidates", ...
std::string_view words_of(Signal);
double value_of(const Moment&, Signal);

/// Which moments a correlation is taken over: all of them; those of one width; or within each width, and then
/// the mean, since widths differ in signals and gains for other reasons than that one tells the other.
inline constexpr int kAllWidths = 0, kWithinWidths = -1;

/// Spearman's correlation of a signal with the gain at a horizon. Intervals resample networks (a network
/// brings all its moments), 95 %.
struct SignalRow {
  Signal signal = Signal::silent;
  int width = kAllWidths, horizon = 0;
  int moments = 0, networks = 0;
  Bootstrap train, test;  // against the gain in training loss, in test loss
};
std::vector<SignalRow> signal_rows(const Calculator&, std::span<const Moment>, const GrowthSpec&);

/// The gains at one width, epoch and horizon, over seeds: 95 %.
struct GainRow {
  int width = 0, epoch = 0, horizon = 0, models = 0;
  double silent = 0, gate = 0, loss = 0;  // means of the signals
  MeanInterval train, test;
};
std::vector<GainRow> gain_rows(std::span<const Moment>, const GrowthSpec&);

struct GrowthResults {
  std::string where;  // "MNIST, ..."
  GrowthSpec spec;
  std::vector<ArmOutcomes> arms;
  std::vector<GrowthRow> rows;
  std::vector<Moment> moments;
  std::vector<SignalRow> signals;
  std::vector<GainRow> gains;
};

/// Answers in sentences made from the numbers.
std::vector<std::string> growth_verdict(const GrowthResults&);

}  // namespace shoal
