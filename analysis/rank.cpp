#include "analysis/rank.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace shoal {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kLargestExact = 33;  // pairs up to which Kendall's p is exact

__extension__ typedef __int128 Wide;  // sums of n cubes of ranks

bool holds_nan(std::span<const double> sample) {
  return std::ranges::any_of(sample, [](double x) { return std::isnan(x); });
}

void check_lengths(std::size_t x, std::size_t y) {
  if (x != y) throw std::invalid_argument("a correlation needs as many values in one sample as in the other");
}

std::vector<std::int64_t> counts_of(const RankCodes& codes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(codes.levels));
  for (const std::int32_t code : codes.code) ++counts[static_cast<std::size_t>(code)];
  return counts;
}

/// By level: twice the midrank minus (n + 1), a whole number whose sum over the sample is 0.
std::vector<std::int64_t> centred_ranks(const RankCodes& codes) {
  const auto n = static_cast<std::int64_t>(codes.code.size());
  std::vector<std::int64_t> ranks = counts_of(codes);
  std::int64_t below = 0;
  for (std::int64_t& level : ranks) {
    const std::int64_t count = level;
    level = 2 * below + count - n;  // ranks below+1 .. below+count
    below += count;
  }
  return ranks;
}

/// What ties take from the pairs of one sample, summed over its groups of t equal values.
struct Ties {
  std::int64_t pairs = 0;         // t (t-1) / 2
  double triples = 0, fives = 0;  // t (t-1) (t-2) and t (t-1) (2t+5), for the variance
};

Ties ties_of(const RankCodes& codes) {
  Ties ties;
  for (const std::int64_t t : counts_of(codes)) {
    const std::int64_t ordered = t * (t - 1);
    ties.pairs += ordered / 2;
    ties.triples += static_cast<double>(ordered) * static_cast<double>(t - 2);
    ties.fives += static_cast<double>(ordered) * static_cast<double>(2 * t + 5);
  }
  return ties;
}

/// Indices in the order of their codes; those of equal codes stay in the order in which `order` has them.
std::vector<std::int32_t> sorted_by(const RankCodes& codes, std::span<const std::int32_t> order) {
  std::vector<std::int64_t> next = counts_of(codes);
  std::exclusive_scan(next.begin(), next.end(), next.begin(), std::int64_t{0});
  std::vector<std::int32_t> sorted(order.size());
  for (const std::int32_t i : order) {
    const auto level = static_cast<std::size_t>(codes.code[static_cast<std::size_t>(i)]);
    sorted[static_cast<std::size_t>(next[level]++)] = i;
  }
  return sorted;
}

/// Pairs i < j with values[i] > values[j]; the values come back sorted. Merge sort, bottom up.
std::int64_t count_inversions(std::vector<std::int32_t>& values) {
  std::vector<std::int32_t> merged(values.size());
  std::int64_t inversions = 0;
  for (std::size_t run = 1; run < values.size(); run *= 2) {
    for (std::size_t begin = 0; begin < values.size(); begin += 2 * run) {
      const std::size_t middle = std::min(begin + run, values.size());
      const std::size_t end = std::min(begin + 2 * run, values.size());
      std::size_t left = begin, right = middle;
      for (std::size_t out = begin; out < end; ++out) {
        if (right == end || (left < middle && values[left] <= values[right])) {
          merged[out] = values[left++];
        } else {
          inversions += static_cast<std::int64_t>(middle - left);
          merged[out] = values[right++];
        }
      }
    }
    values.swap(merged);
  }
  return inversions;
}

struct PairCounts {
  std::int64_t n = 0, pairs = 0, discordant = 0, tied_in_both = 0;
  Ties x, y;
  std::int64_t excess() const {  // concordant - discordant
    return pairs - x.pairs - y.pairs + tied_in_both - 2 * discordant;
  }
};

/// Knight 1966: sorted by x and, where x ties, by y, every inversion left in y is a discordant pair.
PairCounts count_pairs(const RankCodes& x, const RankCodes& y) {
  PairCounts counts;
  counts.n = static_cast<std::int64_t>(x.code.size());
  counts.pairs = counts.n * (counts.n - 1) / 2;
  counts.x = ties_of(x);
  counts.y = ties_of(y);
  std::vector<std::int32_t> order(x.code.size());
  std::iota(order.begin(), order.end(), 0);
  order = sorted_by(x, sorted_by(y, order));
  std::int64_t equal = 0;  // pairs before this one that have both its values
  std::vector<std::int32_t> ys;
  ys.reserve(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) {
    const auto i = static_cast<std::size_t>(order[k]);
    const auto last = static_cast<std::size_t>(order[k == 0 ? 0 : k - 1]);
    equal = k > 0 && x.code[i] == x.code[last] && y.code[i] == y.code[last] ? equal + 1 : 0;
    counts.tied_in_both += equal;
    ys.push_back(y.code[i]);
  }
  counts.discordant = count_inversions(ys);
  return counts;
}

double tau_b(const PairCounts& c) {
  // One root of the product: where the two factors are equal it is exact, and perfect agreement is exactly 1.
  return static_cast<double>(c.excess()) /
         std::sqrt(static_cast<double>(c.pairs - c.x.pairs) * static_cast<double>(c.pairs - c.y.pairs));
}

/// P(at most `most` inversions in a random order of n), by adding one element after the other: element j
/// brings 0 .. j-1 inversions, all equally likely.
double share_of_orders(std::int64_t n, std::int64_t most) {
  std::vector<double> share(static_cast<std::size_t>(most) + 1, 0.0);
  share[0] = 1.0;
  for (std::int64_t j = 2; j <= n; ++j) {
    std::vector<double> next(share.size(), 0.0);
    for (std::size_t k = 0; k < share.size(); ++k) {
      const std::size_t reach = std::min(k, static_cast<std::size_t>(j - 1));
      for (std::size_t i = 0; i <= reach; ++i) next[k] += share[k - i];
      next[k] /= static_cast<double>(j);
    }
    share = std::move(next);
  }
  return std::accumulate(share.begin(), share.end(), 0.0);
}

double kendall_p_value(const PairCounts& c) {
  const std::int64_t fewer = std::min(c.discordant, c.pairs - c.discordant);
  const bool no_ties = c.x.pairs == 0 && c.y.pairs == 0;
  if (no_ties && (c.n <= kLargestExact || fewer <= 1))
    return std::min(1.0, 2.0 * share_of_orders(c.n, fewer));
  // Kendall & Gibbons 1990, equation 4.12 in the form for two samples with ties.
  const auto n = static_cast<double>(c.n);
  const double ordered = n * (n - 1);
  const double triples = c.n > 2 ? c.x.triples * c.y.triples / (9 * ordered * (n - 2)) : 0.0;
  const double variance = (ordered * (2 * n + 5) - c.x.fives - c.y.fives) / 18 +
                          2 * static_cast<double>(c.x.pairs) * static_cast<double>(c.y.pairs) / ordered +
                          triples;
  return std::erfc(std::abs(static_cast<double>(c.excess())) / std::sqrt(2 * variance));
}

/// t^2 / (dof + t^2) = rho^2, so the two tails of Student's t are an incomplete beta of 1 - rho^2.
double spearman_p_value(std::int64_t n, double rho) {
  if (n < 3 || std::isnan(rho)) return kNan;
  return boost::math::ibeta(0.5 * static_cast<double>(n - 2), 0.5, (1 - rho) * (1 + rho));
}

/// Whether the correlations are defined; otherwise they are NaN.
bool comparable(const RankCodes& x, const RankCodes& y) {
  if (!x.ordered || !y.ordered) return false;
  check_lengths(x.code.size(), y.code.size());
  return x.code.size() >= 2;
}

}  // namespace

RankCodes rank_codes(std::span<const double> sample) {
  if (sample.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    throw std::invalid_argument("rank correlations take fewer than 2^31 values");
  RankCodes codes;
  codes.ordered = !holds_nan(sample);
  if (!codes.ordered || sample.empty()) return codes;
  // Sorted with their places beside them: the values are read in order, not by way of an index.
  std::vector<std::pair<double, std::int32_t>> placed(sample.size());
  for (std::size_t i = 0; i < sample.size(); ++i) placed[i] = {sample[i], static_cast<std::int32_t>(i)};
  std::ranges::sort(placed, {}, &std::pair<double, std::int32_t>::first);
  codes.code.resize(sample.size());
  for (std::size_t k = 0; k < placed.size(); ++k) {
    if (k > 0 && placed[k - 1].first < placed[k].first) ++codes.levels;
    codes.code[static_cast<std::size_t>(placed[k].second)] = codes.levels;
  }
  ++codes.levels;
  return codes;
}

std::vector<double> midranks(std::span<const double> sample) {
  const RankCodes codes = rank_codes(sample);
  if (!codes.ordered) return std::vector<double>(sample.size(), kNan);
  const std::vector<std::int64_t> centred = centred_ranks(codes);
  std::vector<double> ranks;
  ranks.reserve(sample.size());
  const auto middle = static_cast<std::int64_t>(sample.size()) + 1;
  for (const std::int32_t code : codes.code)
    ranks.push_back(0.5 * static_cast<double>(centred[static_cast<std::size_t>(code)] + middle));
  return ranks;
}

double spearman(const RankCodes& x, const RankCodes& y) {
  if (!comparable(x, y)) return kNan;
  const std::vector<std::int64_t> rank_x = centred_ranks(x), rank_y = centred_ranks(y);
  Wide xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.code.size(); ++i) {
    const std::int64_t a = rank_x[static_cast<std::size_t>(x.code[i])];
    const std::int64_t b = rank_y[static_cast<std::size_t>(y.code[i])];
    xx += static_cast<Wide>(a) * a;
    yy += static_cast<Wide>(b) * b;
    xy += static_cast<Wide>(a) * b;
  }
  return static_cast<double>(xy) / std::sqrt(static_cast<double>(xx) * static_cast<double>(yy));
}

double kendall_tau_b(const RankCodes& x, const RankCodes& y) {
  return comparable(x, y) ? tau_b(count_pairs(x, y)) : kNan;
}

double spearman(std::span<const double> x, std::span<const double> y) {
  return spearman(rank_codes(x), rank_codes(y));
}

double kendall_tau_b(std::span<const double> x, std::span<const double> y) {
  return kendall_tau_b(rank_codes(x), rank_codes(y));
}

namespace {

RankCorrelations correlations_of(std::int64_t n, const RankCodes& a, const RankCodes& b) {
  RankCorrelations result{n, kNan, kNan, kNan, kNan};
  if (!comparable(a, b)) return result;
  result.spearman = spearman(a, b);
  result.spearman_p = spearman_p_value(result.n, result.spearman);
  const PairCounts counts = count_pairs(a, b);
  result.kendall_tau_b = tau_b(counts);
  result.kendall_p = std::isnan(result.kendall_tau_b) ? kNan : kendall_p_value(counts);
  return result;
}

}  // namespace

RankCorrelations rank_correlations(std::span<const double> x, std::span<const double> y) {
  check_lengths(x.size(), y.size());
  return correlations_of(static_cast<std::int64_t>(x.size()), rank_codes(x), rank_codes(y));
}

std::vector<RankCorrelations> rank_correlations(const Calculator& calculator, Samples<double> samples,
                                                std::span<const double> against) {
  check_samples(samples.offsets, samples.values.size());
  for (std::int64_t s = 0; s < samples.count(); ++s) check_lengths(samples[s].size(), against.size());
  const auto n = static_cast<std::int64_t>(against.size());
  const RankCodes codes = rank_codes(against);
  std::vector<RankCorrelations> results(static_cast<std::size_t>(samples.count()));
  calculator.for_each(static_cast<int>(samples.count()), [&](int s) {
    results[static_cast<std::size_t>(s)] = correlations_of(n, rank_codes(samples[s]), codes);
  });
  return results;
}

}  // namespace shoal
