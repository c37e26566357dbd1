#include "analysis/mixture_search.h"

#include <algorithm>

namespace shoal {
namespace {

constexpr int kFirstIterations = 8, kMiddleIterations = 30;
constexpr std::size_t kMiddle = 6, kLast = 3;  // fits that go on, at most
/// Fits that are this near in log-likelihood are taken for the same.
constexpr double kSame = 1e-6;

void sort_and_thin(std::vector<MixtureCandidate>& fits) {
  std::stable_sort(fits.begin(), fits.end(), [](const MixtureCandidate& a, const MixtureCandidate& b) {
    return a.log_likelihood > b.log_likelihood;
  });
  const auto same = [](const MixtureCandidate& a, const MixtureCandidate& b) {
    return a.log_likelihood - b.log_likelihood <= kSame;
  };
  fits.erase(std::unique(fits.begin(), fits.end(), same), fits.end());
}

}  // namespace

MixtureSearch::MixtureSearch(MixtureKind kind, MixtureSample sample, std::int64_t begin)
    : kind_(kind),
      begin_(begin),
      count_(static_cast<std::int64_t>(sample.values.size())),
      bounds_(mixture_bounds(kind, sample)),
      single_(fit_single(kind, sample)) {
  for (const MixtureParameters& start : mixture_starts(kind, sample, bounds_))
    active_.push_back({start, 0.0, 0, false});
}

int MixtureSearch::iterations_of(int round, int limit) {
  if (round == 0) return std::min(limit, kFirstIterations);
  return round % 2 == 1 ? std::min(limit, kMiddleIterations) : limit;
}

void MixtureSearch::add_tasks(int round, std::vector<MixtureTask>& tasks) {
  if (round % 2 == 1) {
    const std::size_t next = inside_.size() < kLast ? std::min(kMiddle, waiting_.size()) : 0;
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(next);
    active_.assign(waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    done_ = active_.empty();
  }
  for (const MixtureCandidate& fit : active_) tasks.push_back({begin_, count_, fit.parameters, bounds_});
}

void MixtureSearch::take(int round, std::span<const MixtureResult> results) {
  for (std::size_t i = 0; i < active_.size(); ++i) {
    const MixtureResult& r = results[i];
    active_[i] = {r.parameters, r.log_likelihood, active_[i].iterations + r.iterations, r.converged != 0};
  }
  const auto collapsed = [&](const MixtureCandidate& fit) {
    return touches_bound(kind_, fit.parameters, bounds_);
  };
  if (round == 0) {
    sort_and_thin(active_);
    waiting_.swap(active_);
  } else if (round % 2 == 1) {
    // A bound that is touched on the way may be left again.
    std::erase_if(active_, [&](const MixtureCandidate& fit) { return fit.converged && collapsed(fit); });
    sort_and_thin(active_);
    if (active_.size() > kLast) {
      const auto rest = active_.begin() + kLast;
      waiting_.insert(waiting_.begin(), rest, active_.end());
      active_.erase(rest, active_.end());
    }
  } else {
    std::copy_if(active_.begin(), active_.end(), std::back_inserter(inside_),
                 [&](const MixtureCandidate& fit) { return !collapsed(fit); });
  }
}

const MixtureCandidate* MixtureSearch::best() const {
  const MixtureCandidate* best = nullptr;
  for (const MixtureCandidate& fit : inside_)
    if (fit.log_likelihood > (best ? best->log_likelihood : single_.log_likelihood + kSame)) best = &fit;
  return best;
}

}  // namespace shoal
