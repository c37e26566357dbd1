#include "analysis/mixture_search.h"

#include <algorithm>
#include <cmath>

namespace shoal {
namespace {

constexpr int kFirstIterations = 4, kMiddleIterations = 20;
constexpr std::size_t kMiddle = 6, kLast = 4;  // fits that go on, at most
constexpr std::size_t kEnough = 4;             // fits that have ended inside the bounds
/// Log-likelihoods that are this near are taken for the same.
constexpr double kSame = 1e-6;
/// Parameters are: logarithms of odds and spreads, and means in spreads. A fit on its way to where a better
/// one already is would only arrive there.
constexpr double kSamePlace = 0.1;
/// A second component that gains this much is no accident of a few values, and few fits are worth comparing.
constexpr double kClear = 40.0;
/// A fit that is behind the best by more than this, and by this share of what a second component gains at
/// all, has lost.
constexpr double kFarBehind = 8.0, kFarShare = 0.3;

double spread_of(MixtureComponent component, const double* p) {
  if (component == MixtureComponent::normal) return p[1];
  return component == MixtureComponent::gamma ? p[1] / std::sqrt(p[0]) : p[0];
}
double mean_of(MixtureComponent component, const double* p) {
  return component == MixtureComponent::gamma ? p[1] : p[0];
}

bool same_place(MixtureKind kind, const MixtureParameters& a, const MixtureParameters& b) {
  const auto odds = [](const MixtureParameters& p) { return std::log(p.weight / (1.0 - p.weight)); };
  if (std::abs(odds(a) - odds(b)) > kSamePlace) return false;
  for (int j = 0; j < 2; ++j) {
    const MixtureComponent component = component_of(kind, j);
    const double *p = j == 0 ? a.first : a.second, *q = j == 0 ? b.first : b.second;
    const double sp = spread_of(component, p), sq = spread_of(component, q);
    if (std::abs(std::log(sp / sq)) > kSamePlace) return false;
    if (std::abs(mean_of(component, p) - mean_of(component, q)) > kSamePlace * sp) return false;
  }
  return true;
}

/// Components of one kind in the order of their spreads, so that fits can be compared.
MixtureParameters in_order(MixtureKind kind, MixtureParameters p) {
  const MixtureComponent component = component_of(kind, 0);
  if (kind == MixtureKind::exp_normal || spread_of(component, p.first) <= spread_of(component, p.second))
    return p;
  return {1.0 - p.weight, {p.second[0], p.second[1]}, {p.first[0], p.first[1]}};
}

}  // namespace

MixtureSearch::MixtureSearch(MixtureKind kind, MixtureSample sample, std::int64_t begin)
    : kind_(kind),
      begin_(begin),
      count_(static_cast<std::int64_t>(sample.values.size())),
      bounds_(mixture_bounds(kind, sample)),
      single_(fit_single(kind, sample)) {
  for (const MixtureParameters& start : mixture_starts(kind, sample, bounds_))
    active_.push_back({in_order(kind, start), 0.0, 0, false});
}

int MixtureSearch::iterations_of(int round, int limit) {
  if (round == 0) return std::min(limit, kFirstIterations);
  return round % 2 == 1 ? std::min(limit, kMiddleIterations) : limit;
}

void MixtureSearch::add_tasks(int round, std::vector<MixtureTask>& tasks) {
  if (round % 2 == 1) {
    const MixtureCandidate* found = best();
    const bool clear = found && found->log_likelihood - single_.log_likelihood > kClear;
    const std::size_t enough = clear ? 1 : kEnough;
    const std::size_t next = inside_.size() < enough ? std::min(kMiddle, waiting_.size()) : 0;
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
    thin(active_);
    waiting_.swap(active_);
  } else if (round % 2 == 1) {
    // A bound that is touched on the way may be left again.
    std::erase_if(active_, [&](const MixtureCandidate& fit) { return fit.converged && collapsed(fit); });
    thin(active_);
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

void MixtureSearch::thin(std::vector<MixtureCandidate>& fits) const {
  std::stable_sort(fits.begin(), fits.end(), [](const MixtureCandidate& a, const MixtureCandidate& b) {
    return a.log_likelihood > b.log_likelihood;
  });
  double top = single_.log_likelihood;
  for (const MixtureCandidate& fit : inside_) top = std::max(top, fit.log_likelihood);
  const double least = top - kFarBehind - kFarShare * (top - single_.log_likelihood);
  std::vector<MixtureCandidate> kept;
  for (const MixtureCandidate& fit : fits) {
    const auto same = [&](const MixtureCandidate& other) {
      return std::abs(other.log_likelihood - fit.log_likelihood) <= kSame ||
             same_place(kind_, other.parameters, fit.parameters);
    };
    if (fit.log_likelihood < least || std::any_of(kept.begin(), kept.end(), same) ||
        std::any_of(inside_.begin(), inside_.end(), same))
      continue;
    kept.push_back(fit);
  }
  fits.swap(kept);
}

const MixtureCandidate* MixtureSearch::best() const {
  const MixtureCandidate* best = nullptr;
  for (const MixtureCandidate& fit : inside_)
    if (fit.log_likelihood > (best ? best->log_likelihood : single_.log_likelihood + kSame)) best = &fit;
  return best;
}

}  // namespace shoal
