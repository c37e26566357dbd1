// How long a run will take, from a short measurement: packs of the plan itself are trained for a few steps
// and evaluated on this machine, with as many threads as the run would use, and the rest is arithmetic.
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "engine/layout.h"
#include "engine/run.h"

namespace shoal {

struct CalibrationSpec {
  int kinds = 12;        // packs of so many sizes at most; the others lie between them
  int rounds = 5;        // every size is measured so often, all sizes in turn
  double seconds = 3.0;  // of measuring, about; the largest packs may need more
  const std::atomic<bool>* stop = nullptr;
};

/// What one sample costs a thread while all others are at work, in seconds. On a device a pack's share.
struct PackCost {
  double train = 0;     // one step's share
  double evaluate = 0;  // loss and accuracy
  double moments = 0;   // the same, with the neurons' moments
};

/// Costs that do not belong to packs, in seconds.
struct OtherCosts {
  double shuffle = 0;    // one order group, one epoch
  double parameter = 0;  // drawing one initial weight
};

struct RunSeconds {
  double begin = 0;       // initial weights
  double training = 0;    // shuffles and steps
  double evaluation = 0;  // both sets, every time, with the neurons' moments
  double files = 0;       // weights and checkpoints, at a rate that is assumed: kAssumedBytesPerSecond
  double total() const { return begin + training + evaluation + files; }
};

inline constexpr double kAssumedBytesPerSecond = 1e9;

struct TimeEstimate {
  RunSeconds seconds;         // medians over the rounds
  double low = 0, high = 0;   // of the total: the fastest round and the slowest
  double measured = 0;        // seconds that the measurement took
  int kinds = 0, probed = 0;  // sizes of packs: in the plan, and measured
  int rounds = 0, threads = 0;
  bool stopped = false;  // by CalibrationSpec::stop; then nothing else is known

  /// Half the spread of the rounds, as a share of the total.
  double uncertainty() const { return seconds.total() > 0 ? (high - low) / 2 / seconds.total() : 0.0; }
};
TimeEstimate estimate_time(const RunSpec&, const Task&, const CalibrationSpec& = {});

// The parts, for tests.

/// Packs that cost the same: equal layers, batch and rule.
struct PackKind {
  std::vector<int> packs;  // indices into Layout::packs, ascending
  double flops = 0;        // of one sample
};
/// Most work first.
std::vector<PackKind> kinds_of(const Layout&);

/// Which kinds are measured: at most `most`, evenly from the first to the last.
std::vector<int> representatives(int kinds, int most);

/// Costs of all kinds from those of some: seconds per operation lie on a line in log(flops) between the
/// nearest measured kinds. `measured`: indices, ascending; `costs` beside it.
std::vector<PackCost> interpolate(std::span<const PackKind>, std::span<const int> measured,
                                  std::span<const PackCost> costs);

/// When the last of `threads` threads ends that take tasks in this order, each the next one when it is free.
double makespan(std::span<const double> tasks, int threads);

/// The whole run; `costs` beside layout.packs, `waves` as cut_waves gives them. Packs of a device follow one
/// another: threads = 1.
RunSeconds add_up(const RunSpec&, const Task&, const Layout&,
                  std::span<const std::vector<std::int64_t>> waves, std::span<const PackCost> costs,
                  const OtherCosts&, int threads);

}  // namespace shoal
