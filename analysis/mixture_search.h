// The search for the best mixture of one sample: which starts are tried, in which rounds, and what wins. The
// rounds of many samples go side by side, so that each is one call of the op.
//
//   round 0        a few E-steps from every start
//   rounds 1, 3 .. some more for the next best ones; what has converged onto a bound is dropped
//   rounds 2, 4 .. the best of these to convergence
// A pair of rounds is repeated with the next starts while fewer than four different fits have ended inside
// the bounds; one is enough where it gains much over a single component.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/mixture_starts.h"

namespace shoal {

/// One end of a search.
struct MixtureCandidate {
  MixtureParameters parameters;
  double log_likelihood;
  int iterations;
  bool converged;
};

class MixtureSearch {
 public:
  /// `sample` in its units stands at `begin` of the arrays that the op reads.
  MixtureSearch(MixtureKind, MixtureSample sample, std::int64_t begin);

  /// E-steps that each fit of a round may take.
  static int iterations_of(int round, int limit);
  /// Adds the fits of a round; none when this sample needs no more.
  void add_tasks(int round, std::vector<MixtureTask>&);
  /// Their results, in the same order.
  void take(int round, std::span<const MixtureResult>);
  std::size_t task_count() const { return active_.size(); }
  bool done() const { return done_; }

  const MixtureSingle& single() const { return single_; }
  /// The fit of largest log-likelihood inside the bounds that is better than the single component; null when
  /// there is none.
  const MixtureCandidate* best() const;

 private:
  /// Sorts fits, best first, and takes out what repeats a better one or has fallen far behind.
  void thin(std::vector<MixtureCandidate>&) const;

  MixtureKind kind_;
  std::int64_t begin_, count_;
  MixtureBounds bounds_;
  MixtureSingle single_;
  std::vector<MixtureCandidate> active_, waiting_, inside_;
  bool done_ = false;
};

}  // namespace shoal
